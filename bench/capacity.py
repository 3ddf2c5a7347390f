"""Capacity of one machine: more and more cameras until something is lost or the CPU is fully used."""

import time
from typing import Any

from .bus_check import check_bus, read_positions
from .cameras import CameraFleet
from .cost import add_cameras
from .options import Options
from .processes import Usage, group_stack, measure_usage
from .product import open_product
from .recording_check import RecordingState, check_recording, read_recorded_mb
from .report import Result, Table

COUNTS = (30, 45, 60, 75, 90)
FULL_PERCENT = 95.0


def run(options: Options) -> Result:
    """Increase the number of cameras; the first step with losses, or without free CPU, is the last."""
    counts, seconds, settle = ((2, 4), 6.0, 6.0) if options.quick else (COUNTS, 40.0, 20.0)
    rows: list[list[str]] = []
    raw: dict[str, Any] = {}
    with (
        CameraFleet(max(counts)) as cameras,
        open_product(
            stream_slots=max(counts) + 4,
            record_slots=max(counts) + 4,
            recording_mode="continuous",
        ) as stack,
    ):
        devices: list[str] = []
        for count in counts:
            options.say(f"{count} cameras")
            add_cameras(stack, cameras.urls, devices, count)
            time.sleep(settle)
            start, dropped = read_positions(stack, devices), cameras.read_dropped()
            since, before = time.time(), read_recorded_mb(stack)
            usage = measure_usage(lambda: group_stack(stack), seconds, apart=[cameras.pid])
            footage = read_recorded_mb(stack) - before
            lost, late = check_bus(stack, devices, start), cameras.read_dropped() - dropped
            recorded = check_recording(stack, devices, since, footage)
            rows.append(
                [
                    str(count),
                    f"{usage.cpu_total:.0f}",
                    f"{usage.cpu_total / count:.2f}",
                    f"{usage.pss_total / count:.1f}",
                    f"{usage.machine:.0f}",
                    str(lost),
                    str(recorded),
                    str(late),
                    f"{recorded.recorded_mb:.0f}",
                    _format_written(usage, recorded),
                ]
            )
            raw[str(count)] = {**vars(usage), "lost": vars(lost), "recorded": vars(recorded), "camera_dropped": late}
            if not lost.is_whole or not recorded.is_whole or late or usage.machine > FULL_PERCENT:
                break
    return Result(
        "capacity",
        "",
        {},
        tables=[
            Table(
                "Cameras on this machine (1080p25 4 Mbps, live and recorded)",
                [
                    "cameras",
                    "CPU, % of one core",
                    "per camera",
                    "PSS MB per camera",
                    "machine busy, %",
                    "lost on the bus",
                    "lost in recordings",
                    "not received from the camera",
                    "footage, MB",
                    "disk writes / footage",
                ],
                rows,
            )
        ],
        notes=[
            "The cameras run on the same machine and use part of its CPU. Budget: 60 on 2 cores, live and recorded.",
            "Disk writes: bytes that the processes caused to be written (proc(5), write_bytes), relative to the "
            "footage of the same time; without the journal of the file system.",
        ],
        raw=raw,
    )


def _format_written(usage: Usage, state: RecordingState) -> str:
    return f"{sum(usage.written_mb.values()) / state.recorded_mb:.3f} x" if state.recorded_mb else "-"
