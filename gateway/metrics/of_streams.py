"""Metrics of devices: their streams, recordings and outputs; in sums, and for each device where that is asked for."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway import database
from gateway.devices.model import Device
from gateway.footage.recorder_status import RecorderStatus
from gateway.footage.recordings import OBSERVED
from gateway.metrics.exposition import DEVICE_LABEL, Family, Sample
from gateway.metrics.of_plugins import family_name
from gateway.redis_values import is_number
from gateway.states import REASONS, DesiredState, StreamState
from gateway.streams.model import Stream
from gateway.streams.output_states import STATES, OutputState
from gateway.tenancy.scopes import TenantScope

#: Figures of one output that are shown, and the length of their names.
_MOST_FIGURES, _MOST_NAME = 50, 60
_FIGURE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)


class DeviceRow(NamedTuple):
    """A device with the state of its stream."""

    id: str
    name: str
    enabled: bool
    desired: str
    observed: str
    reason_code: str | None
    restarts: int

    @property
    def is_wanted(self) -> bool:
        """Whether its stream should run."""
        return bool(self.enabled) and self.desired == DesiredState.RUNNING


@dataclass(frozen=True, slots=True)
class Fleet:
    """The devices of a tenant, and whether to show each of them."""

    rows: Sequence[DeviceRow]
    per_device: bool

    @property
    def live_ids(self) -> list[str]:
        """The devices whose live statistics count: those of stopped streams are old."""
        return [row.id for row in self.rows if row.observed != StreamState.STOPPED]


def read_fleet(scope: TenantScope, *, per_device: bool) -> Fleet:
    """Read the devices of a tenant. Raises DatabaseUnavailable."""
    columns = (Device.id, Device.name, Device.enabled)
    state = (Stream.desired, Stream.observed, Stream.reason_code, Stream.restarts)
    with database.session():
        query = scope.select(Device, *columns, *state).join(Stream, on=(Stream.device_id == Device.id))
        return Fleet([DeviceRow(*row) for row in query.order_by(Device.name_key).tuples()], per_device)


def stream_families(fleet: Fleet) -> Iterator[Family]:
    """Devices and the states of their streams."""
    enabled = sum(bool(row.enabled) for row in fleet.rows)
    states = Counter(row.observed for row in fleet.rows)
    wanted = [row for row in fleet.rows if row.is_wanted]
    waiting = Counter(row.reason_code for row in wanted if row.observed != StreamState.RUNNING and row.reason_code)
    reasons = {code if code in REASONS else "unknown": number for code, number in waiting.items()}
    yield Family(
        "vas_devices",
        "Configured devices.",
        [({"enabled": "true"}, enabled), ({"enabled": "false"}, len(fleet.rows) - enabled)],
    )
    yield Family(
        "vas_streams",
        "Streams by their observed state.",
        [({"state": str(state)}, states[state]) for state in StreamState],
    )
    yield Family("vas_streams_wanted", "Streams that should run.", [({}, len(wanted))])
    yield Family(
        "vas_streams_waiting",
        "Streams that should run and do not, by the reason.",
        [({"reason": code}, number) for code, number in sorted(reasons.items())],
    )
    if fleet.per_device:
        yield _per_device(
            "info",
            "Devices by id, with their names.",
            [({DEVICE_LABEL: row.id, "name": row.name}, 1) for row in fleet.rows],
        )
        yield _of_each("stream_wanted", "Whether the stream should run.", {r.id: int(r.is_wanted) for r in fleet.rows})
        running = {row.id: int(row.observed == StreamState.RUNNING) for row in fleet.rows}
        yield _of_each("stream_running", "Whether the stream runs.", running)
        restarts = {row.id: row.restarts for row in fleet.rows}
        yield _of_each("stream_restarts_total", "Restarts of the stream since it was started.", restarts, "counter")


def recording_families(fleet: Fleet, statuses: Mapping[str, RecorderStatus]) -> Iterator[Family]:
    """The states of recordings as they are: a recorder that is silent does not count as recording."""
    states = Counter(status.observed for status in statuses.values())
    missing = sum(status.is_wanted and status.observed != "recording" for status in statuses.values())
    yield Family(
        "vas_recordings", "Recordings by their state.", [({"state": state}, states[state]) for state in OBSERVED]
    )
    yield Family("vas_recordings_missing", "Recordings whose footage is wanted now and not written.", [({}, missing)])
    if fleet.per_device:
        found = {key: int(status.observed == "recording") for key, status in statuses.items()}
        yield _of_each("recording", "Whether footage is written.", found)
        wanted = {key: int(status.is_wanted) for key, status in statuses.items()}
        yield _of_each("recording_wanted", "Whether footage is wanted now.", wanted)


def live_families(fleet: Fleet, live: Mapping[str, Mapping[str, Any]], now: float) -> Iterator[Family]:
    """Live statistics of streams, and the figures that direct outputs report. `now`: seconds since 1970."""
    viewers = _numbers(live, "viewers")
    rates = {key: value * 125 for key, value in _numbers(live, "bitrate_kbps").items()}
    yield Family("vas_stream_viewers", "Viewers of all streams.", [({}, sum(viewers.values()))])
    yield Family("vas_stream_receive_bytes_per_second", "Video of all cameras.", [({}, sum(rates.values()))])
    if fleet.per_device:
        yield _of_each("viewers", "Viewers of the stream.", viewers)
        yield _of_each("receive_bytes_per_second", "Video from the camera.", rates)
        yield _of_each("frames_per_second", "Pictures from the camera.", _numbers(live, "fps"))
        lost = _numbers(live, "lost_packets")
        yield _of_each("lost_packets_total", "RTP packets lost in this session with the camera.", lost, "counter")
        ages = {key: round(max(0.0, now - at), 3) for key, at in _numbers(live, "last_part_at").items()}
        yield _of_each("last_part_age_seconds", "Time since the last part of video.", ages)
    yield from figure_families(live, per_device=fleet.per_device)


def output_families(fleet: Fleet, outputs: Mapping[str, Iterable[OutputState]]) -> Iterator[Family]:
    """The states of consumer outputs, such as the recorder, and how far they are behind."""
    states: Counter[tuple[str, str]] = Counter()
    lags: dict[str, float] = {}
    each: list[Sample] = []
    for device_id, found in outputs.items():
        for output in found:
            states[output.name, output.state] += 1
            if output.lag_seconds is not None:
                lags[output.name] = max(lags.get(output.name, 0.0), output.lag_seconds)
                each.append(({DEVICE_LABEL: device_id, "output": output.name}, output.lag_seconds))
    names = sorted({name for name, _ in states})
    yield Family(
        "vas_outputs",
        "Devices of each consumer output, by the state of the output there.",
        [({"output": name, "state": state}, states[name, state]) for name in names for state in STATES],
    )
    yield Family(
        "vas_output_lag_seconds",
        "How far the slowest device of each consumer output is behind.",
        [({"output": name}, lag) for name, lag in sorted(lags.items())],
    )
    if fleet.per_device:
        yield _per_device("output_lag_seconds", "How far each consumer output is behind.", each)


def figure_families(live: Mapping[str, Mapping[str, Any]], *, per_device: bool) -> Iterator[Family]:
    """The numbers that direct outputs report (`figures`): sums over all devices."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    each: dict[str, list[Sample]] = defaultdict(list)
    for device_id, stats in live.items():
        for output in stats.get("outputs") or []:
            plugin, name = output.get("plugin"), output.get("name")
            if not plugin or not name:
                continue
            for figure, value in list((output.get("figures") or {}).items())[:_MOST_FIGURES]:
                if is_number(value, -(2**53)) and len(figure) <= _MOST_NAME and _FIGURE.fullmatch(figure):
                    sums[family_name(plugin, figure)][name] += value
                    labels = {DEVICE_LABEL: device_id, "output": name}
                    each[family_name(plugin, f"device_{figure}")].append((labels, value))
    for family, values in sums.items():
        samples = [({"output": name}, value) for name, value in sorted(values.items())]
        yield Family(family, "Figure of an output of the plugin, summed over all devices.", samples)
    if per_device:
        for family, samples in each.items():
            yield Family(family, "Figure of an output of the plugin.", samples)


def _numbers(live: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, float]:
    return {key: stats[name] for key, stats in live.items() if stats.get(name) is not None}


def _of_each(name: str, help_text: str, values: Mapping[str, float], kind: str = "gauge") -> Family:
    return _per_device(name, help_text, [({DEVICE_LABEL: key}, value) for key, value in values.items()], kind)


def _per_device(name: str, help_text: str, samples: Iterable[Sample], kind: str = "gauge") -> Family:
    return Family(f"vas_device_{name}", help_text, samples, kind)
