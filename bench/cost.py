"""Cost of a camera, live and recorded: CPU, memory and disk writes of all processes by the number of cameras."""

import time
from contextlib import closing
from dataclasses import dataclass

from tests.stack import Stack

from .browser import open_browser, view_device
from .bus_check import BusState, check_bus, read_positions
from .cameras import CameraFleet
from .options import Options
from .peers import Peer
from .processes import Usage, group_stack, measure_usage
from .product import open_product
from .recording_check import RecordingState, check_recording, read_recorded_mb
from .report import Result, Table
from .statistics import format_ratio, share_out

COUNTS = (1, 10, 30)
SLOTS = 64
RUNNING_SECONDS = 120
BUDGET = "1.6 % and 25 MB, watched 2.2 %"


@dataclass(frozen=True)
class PeerUsage:
    """Usage of a peer, the MB of footage that it wrote meanwhile, and the pictures that it received too late."""

    usage: Usage
    recorded_mb: float
    dropped: int


def run(options: Options) -> Result:
    """Measure the same cameras with VAS, then with each peer, which records them if it can."""
    counts, seconds, settle = ((1, 3), 6.0, 6.0) if options.quick else (COUNTS, 40.0, 15.0)
    ours: dict[int, Usage] = {}
    losses: dict[int, BusState] = {}
    late: dict[int, int] = {}
    recorded: dict[int, RecordingState] = {}
    with CameraFleet(max(counts)) as cameras:
        with open_product(stream_slots=SLOTS, record_slots=SLOTS, recording_mode="continuous") as stack:
            devices: list[str] = []
            idle = _measure(stack, cameras, seconds, settle)
            for count in counts:
                options.say(f"VAS, {_format_cameras(count)}")
                add_cameras(stack, cameras.urls, devices, count)
                time.sleep(settle)
                start, dropped = read_positions(stack, devices), cameras.read_dropped()
                since, before = time.time(), read_recorded_mb(stack)
                ours[count] = _measure(stack, cameras, seconds, 0)
                footage = read_recorded_mb(stack) - before
                losses[count] = check_bus(stack, devices, start)
                recorded[count] = check_recording(stack, devices, since, footage)
                late[count] = cameras.read_dropped() - dropped
                if count == 1:
                    viewed = _measure_viewed(stack, cameras, devices[0], seconds, settle)
        theirs: dict[str, dict[int, PeerUsage]] = {}
        for kind in options.peers:
            for count in counts:
                options.say(f"{describe_peer(kind)}, {_format_cameras(count)}")
                with closing(kind()) as peer:
                    peer.start(cameras.urls[:count], is_recording=kind.can_record)
                    time.sleep(settle)
                    theirs.setdefault(describe_peer(kind), {})[count] = _measure_peer(peer, cameras, seconds)
    return _report(idle, viewed, ours, theirs, losses, late, recorded)


def describe_peer(peer: type[Peer]) -> str:
    """Return the peer's name and what it does with the cameras."""
    return f"{peer.name}, {'recording' if peer.can_record else 'only relaying'}"


def _measure_peer(peer: Peer, cameras: CameraFleet, seconds: float) -> PeerUsage:
    before, dropped = peer.read_recorded_mb(), cameras.read_dropped()
    usage = measure_usage(lambda: {peer.name: peer.pids()}, seconds, apart=[cameras.pid])
    return PeerUsage(usage, peer.read_recorded_mb() - before, cameras.read_dropped() - dropped)


def add_cameras(stack: Stack, urls: list[str], devices: list[str], count: int) -> None:
    """Add devices until there are `count`, and wait until all are running."""
    for number in range(len(devices), count):
        devices.append(stack.add_device(f"camera {number + 1}", urls[number])["id"])
    for device in devices:
        stack.wait_for_state(device, "running", RUNNING_SECONDS)


def _measure(stack: Stack, cameras: CameraFleet, seconds: float, settle: float) -> Usage:
    time.sleep(settle)
    return measure_usage(lambda: group_stack(stack), seconds, apart=[cameras.pid])


def _measure_viewed(stack: Stack, cameras: CameraFleet, device: str, seconds: float, settle: float) -> Usage:
    """Measure one camera with one viewer. The CPU of the browser is counted under `others`."""
    with open_browser() as browser, view_device(browser, stack, device, has_clock=False):
        return _measure(stack, cameras, seconds, settle)


def _report(
    idle: Usage,
    viewed: Usage,
    ours: dict[int, Usage],
    theirs: dict[str, dict[int, PeerUsage]],
    losses: dict[int, BusState],
    late: dict[int, int],
    recorded: dict[int, RecordingState],
) -> Result:
    groups = list(idle.cpu)
    columns = {"no camera": idle, **{_format_cameras(n): usage for n, usage in ours.items()}, "1, watched": viewed}
    head = ["", *columns]

    def build_rows(field: str, digits: int) -> list[list[str]]:
        rows = [[name, *(f"{getattr(u, field)[name]:.{digits}f}" for u in columns.values())] for name in groups]
        totals = {name: sum(getattr(usage, field).values()) for name, usage in columns.items()}
        rows.append(["all", *(f"{total:.{digits}f}" for total in totals.values())])
        rows.append(
            [
                "all, per camera",
                "-",
                *(f"{sum(getattr(u, field).values()) / n:.2f}" for n, u in ours.items()),
                f"{totals['1, watched']:.2f}",
            ]
        )
        return rows

    cpu = build_rows("cpu", 1)
    cpu.append(["everything else on the machine", *(f"{usage.others:.0f}" for usage in columns.values())])
    tables = [
        Table("CPU, % of one core (1080p25 4 Mbps cameras, live and recorded, no viewers)", head, cpu),
        Table("Memory, PSS in MB", head, build_rows("pss_mb", 0)),
        build_shares(
            ours, {name: {n: found.usage for n, found in by_count.items()} for name, by_count in theirs.items()}
        ),
        *([build_peers_table(theirs)] if theirs else []),
        Table(
            "Losses on the bus and in recordings, and pictures that a camera could not send in time",
            ["cameras", "parts seen", "lost on the bus", "lost in recordings", "not received from the camera"],
            [[str(n), str(state.parts), str(state), str(recorded[n]), str(late[n])] for n, state in losses.items()],
        ),
    ]
    return Result(
        "cost",
        "",
        {},
        tables=tables,
        notes=[
            "The share of a camera is the slope of a straight line through the totals, the fixed share its intercept.",
            "Everybody reads the cameras over TCP, but Janus, which reads them over UDP. A peer that relays passes "
            "RTP on and records nothing; none has a database, a queue or supervision.",
            f"Duration of each measurement: {idle.seconds:.0f} s. The cameras and the browser are not counted.",
        ],
        raw={
            "idle": vars(idle),
            "viewed": vars(viewed),
            "ours": {n: vars(u) for n, u in ours.items()},
            "peers": {
                name: {n: {**vars(found), "usage": vars(found.usage)} for n, found in by_count.items()}
                for name, by_count in theirs.items()
            },
            "lost": {n: vars(s) for n, s in losses.items()},
            "recorded": {n: vars(s) for n, s in recorded.items()},
            "camera_dropped": late,
        },
    )


def build_shares(ours: dict[int, Usage], theirs: dict[str, dict[int, Usage]]) -> Table:
    largest = max(ours)
    digits = (2, 1, 1, 1, 0, 0)
    shares: dict[str, list[float]] = {}
    for name, usages in {"VAS": ours, **theirs}.items():
        fixed_cpu, cpu = share_out([(n, usage.cpu_total) for n, usage in usages.items()])
        fixed_pss, pss = share_out([(n, usage.pss_total) for n, usage in usages.items()])
        shares[name] = [cpu, fixed_cpu, usages[largest].cpu_total, pss, fixed_pss, usages[largest].pss_total]
    rows = []
    for name, values in shares.items():
        cells = [f"{value:.{count}f}" for value, count in zip(values, digits, strict=True)]
        rows.append([name, *cells, BUDGET if name == "VAS" else ""])
    for name, values in shares.items():
        if name != "VAS":
            ratios = [format_ratio(us, them) for us, them in zip(shares["VAS"], values, strict=True)]
            rows.append([f"VAS relative to {name}", *ratios, ""])
    at_largest = f"at {largest}"
    head = ["CPU % per camera", "fixed", at_largest, "PSS MB per camera", "fixed", at_largest, "budget per camera"]
    return Table("Shares", ["", *head], rows)


def build_peers_table(theirs: dict[str, dict[int, PeerUsage]]) -> Table:
    head = ["", "CPU %", "per camera", "PSS MB", "footage MB", "not received from the camera", "everything else"]
    rows = []
    for name, by_count in theirs.items():
        for count, found in by_count.items():
            cpu, pss = found.usage.cpu_total, found.usage.pss_total
            cells = [f"{cpu:.1f}", f"{cpu / count:.2f}", f"{pss:.0f}", f"{found.recorded_mb:.0f}", str(found.dropped)]
            rows.append([f"{name}, {_format_cameras(count)}", *cells, f"{found.usage.others:.0f}"])
    return Table("The same cameras with the peers", head, rows)


def _format_cameras(count: int) -> str:
    return f"{count} camera{'s' if count > 1 else ''}"
