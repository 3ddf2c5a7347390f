"""The true state of a recording: what its recorder last wrote, checked against the stream and the bytes on the disk.

A recorder that was killed cannot correct its row, and a stream that stops is known before its recorder notices.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis

from gateway import database
from gateway.clock import utc_now
from gateway.devices.model import Device
from gateway.footage.recorder_pulse import RecorderPulse
from gateway.footage.recordings import Recording
from gateway.footage.segments import PLAYABLE, Segment
from gateway.leases import RECORD, Leases, WorkerSlots, output_lease
from gateway.redis_client import Outage
from gateway.schedules.recording_plan import Decision, decide
from gateway.states import DesiredState, Reason, StreamState, reason_for
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, EveryTenantScope

log = logging.getLogger(__name__)

#: A running stream whose footage was not written for this time is not being recorded.
SILENT_SECONDS = 10.0
#: An index of at most this age also proves that footage is written: it follows the files by a few seconds.
_INDEX_SECONDS = 15.0
#: Differences of clocks that do not matter.
_SKEW_SECONDS = 2.0
#: This many deaths of recorders within `recorder_pulse.DEATH_SECONDS` are a crash loop.
MANY_DEATHS = 3
#: A recorder must survive for at least this time to end a crash loop.
_SURVIVAL_SECONDS = 10.0

#: Reasons that lie in the recorder or its disk; an offline camera is no fault of recording.
RECORDER_REASONS = frozenset(
    {
        "disk_full",
        "storage_unmounted",
        "storage_read_only",
        "storage_failed",
        "file_missing",
        "recorder_away",
        "recorder_busy",
        "recorder_crashing",
        "recorder_stalled",
        "too_slow",
        "bus_lost",
    }
)
#: Reasons for not recording after which the recorder waits for its plan or an event.
WAITING_REASONS = frozenset({"not_planned", "no_event"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about recorders besides their rows.

    `ages`: seconds since the footage of a device was last written. `deaths`: seconds since each recent death of its
    recorders, the newest first. `workers` and `has_free_slot` are None while Redis is away. `owned`: devices to which a
    recorder is attached.
    """

    ages: Mapping[str, float] = field(default_factory=dict)
    deaths: Mapping[str, Sequence[float]] = field(default_factory=dict)
    workers: int | None = None
    has_free_slot: bool | None = None
    owned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """The state of a recording as it is: `observed` as in `recordings.OBSERVED`, its reason, and since when."""

    mode: str
    observed: str
    reason: Reason | None
    since: datetime
    is_wanted: bool


def recording_statuses(
    scope: EveryTenantScope, device_ids: Sequence[str], evidence: "EvidenceReader"
) -> dict[str, RecorderStatus]:
    """The states of devices' recordings by device id. Raises DatabaseUnavailable."""
    return _read(scope, Recording.device_id.in_(list(device_ids)), evidence) if device_ids else {}


def read_wanted_statuses(evidence: "EvidenceReader") -> list[RecorderStatus]:
    """The states of all recordings whose footage is wanted now, of all tenants. Raises DatabaseUnavailable."""
    may_be_wanted = (Recording.mode != "off") | (Recording.override == "on")
    return [status for status in _read(EVERY_TENANT, may_be_wanted, evidence).values() if status.is_wanted]


def _read(scope: EveryTenantScope, which: Any, evidence: "EvidenceReader") -> dict[str, RecorderStatus]:
    now = utc_now()
    with database.session():
        rows = list(
            scope.select(Recording, Recording, Device.id, Device.enabled, Device.start_mode, Stream)
            .join(Device, on=(Device.id == Recording.device_id), attr="device")
            .join(Stream, on=(Stream.device_id == Device.id), attr="stream")
            .where(Recording.deleted_at.is_null(), which)
        )
    now_ms = round(now.timestamp() * 1000)
    decisions = {row.device_id: decide(row.desired_recording(is_enabled=row.device.enabled), now_ms) for row in rows}
    wanted = [row for row in rows if decisions[row.device_id].is_wanted]
    known = evidence.read(wanted, now) if wanted else Evidence()
    return {row.device_id: describe(row, decisions[row.device_id], known, now) for row in rows}


def describe(row: Recording, decision: Decision, evidence: Evidence, now: datetime) -> RecorderStatus:
    """The state of a recording, whose row has the device as `.device` with the stream as `.stream`."""
    observed, reason, since = _describe(row, decision, evidence, now)
    since = row.since if since is None or observed == row.observed else since
    return RecorderStatus(row.mode, observed, reason, since, decision.is_wanted)


def _describe(
    row: Recording, decision: Decision, evidence: Evidence, now: datetime
) -> tuple[str, Reason | None, datetime | None]:
    if not decision.is_wanted:
        code = decision.reason_code or "recording_off"
        message = f"recording was stopped by {decision.by_name}" if decision.by_name else None
        return "waiting" if code in WAITING_REASONS else "off", reason_for(code, message), None
    if row.observed == "interrupted" and row.reason_code in RECORDER_REASONS:
        return "interrupted", reason_for(row.reason_code, row.reason_message), None
    stream = row.device.stream
    is_running = stream.observed == StreamState.RUNNING and stream.desired == DesiredState.RUNNING
    # The first footage of a stream that has just started may be on its way: then the row is the best that is known.
    # A stream worker whose clock differs by more loses this time, no more.
    is_new = is_running and -_SKEW_SECONDS < (now - stream.since).total_seconds() < SILENT_SECONDS
    if evidence.workers == 0 and (row.observed == "off" or not is_new):
        return "interrupted", reason_for("recorder_away"), _moment_of(evidence.ages.get(row.device_id), now)
    if not is_running:
        return *_describe_stream(row), stream.since
    deaths = evidence.deaths.get(row.device_id, ())
    is_written = evidence.ages.get(row.device_id, math.inf) <= SILENT_SECONDS
    if len(deaths) >= MANY_DEATHS and not ((is_written or is_new) and _has_survived(deaths)):
        return "interrupted", reason_for("recorder_crashing"), _moment_of(deaths[-1], now)
    if is_written:
        return "recording", None, None
    if is_new and row.observed == "recording":
        return "recording", None, None
    if is_new and row.reason_code is not None and row.observed != "off":
        return row.observed, reason_for(row.reason_code, row.reason_message), None
    return *_describe_recorder(row, evidence, is_new=is_new), _moment_of(evidence.ages.get(row.device_id), now)


def _has_survived(deaths: Sequence[float]) -> bool:
    """Whether the time since the last death is longer than the time from the first to the last of MANY_DEATHS.

    Fresh footage alone does not end a crash loop: a recorder that catches up from the bus before it dies writes some.
    """
    newest, oldest = deaths[0], deaths[MANY_DEATHS - 1]
    return newest > max(oldest - newest, _SURVIVAL_SECONDS)


def _describe_stream(row: Recording) -> tuple[str, Reason]:
    """The state while the stream does not run."""
    stream = row.device.stream
    if stream.desired == DesiredState.STOPPED and row.device.start_mode != "on_demand":
        return "waiting", reason_for("stream_stopped")
    if stream.observed in (StreamState.STARTING, StreamState.STOPPED) or stream.desired == DesiredState.STOPPED:
        return "waiting", reason_for("stream_starting")
    return "interrupted", reason_for(stream.reason_code or "stream_starting", stream.reason_message)


def _describe_recorder(row: Recording, evidence: Evidence, *, is_new: bool) -> tuple[str, Reason]:
    """The state while the stream runs and nothing is written."""
    is_owned = row.device_id in evidence.owned
    if not is_owned and evidence.has_free_slot is False:
        return "interrupted", reason_for("recorder_busy")
    if not is_new and (is_owned or evidence.workers is None):
        return "interrupted", reason_for("recorder_stalled")
    return "waiting", reason_for("recorder_starting")


def _moment_of(age: float | None, now: datetime) -> datetime | None:
    return None if age is None else now - timedelta(seconds=age)


class EvidenceReader:
    """Reads the evidence of recordings from Redis, and from the index where Redis has none."""

    def __init__(
        self, client: redis.Redis, *, recorder: Callable[[], str | None], outage: Outage | None = None
    ) -> None:
        """`recorder` gives the name of the output that writes footage. During an `outage` of Redis it is not asked."""
        self._pulse = RecorderPulse(client)
        self._leases = Leases(client)
        self._workers = WorkerSlots(client)
        self._recorder = recorder
        self._outage = outage or Outage()

    def read(self, rows: Sequence[Recording], now: datetime) -> Evidence:
        """The evidence of recordings that are wanted. Raises DatabaseUnavailable, but nothing when Redis is away."""
        ids = [row.device_id for row in rows]
        values: dict[str, Any] = {}
        ages: dict[str, float] = {}
        try:
            if not self._outage.is_active:
                ages = self._pulse.read(ids)
                values["deaths"] = self._pulse.deaths()
                silent = [device_id for device_id in ids if ages.get(device_id, SILENT_SECONDS + 1) > SILENT_SECONDS]
                values |= self._read_workers(silent) if silent else {}
        except redis.RedisError as error:
            log.debug("the pulse of recorders cannot be read: %s", error)
            self._outage.begin()
        marked = {
            row.id: row.device_id
            for row in rows
            if row.observed == "recording" and ages.get(row.device_id, SILENT_SECONDS + 1) > SILENT_SECONDS
        }
        for device_id, age in _read_index(marked, now).items():
            if age <= _INDEX_SECONDS:
                ages[device_id] = min(age, SILENT_SECONDS)
        return Evidence(ages=ages, **values)

    def _read_workers(self, silent: list[str]) -> dict[str, Any]:
        slots = self._workers.read(RECORD)
        name = self._recorder()
        owned = self._leases.holders(output_lease(name), silent) if name is not None else {}
        return {
            "workers": len(slots),
            "has_free_slot": any(used < total for used, total in slots.values()),
            "owned": frozenset(owned),
        }


def _read_index(recordings: Mapping[int, str], now: datetime) -> dict[str, float]:
    """Seconds between the end of the newest segment and now, by device id, for recordings by their ids."""
    if not recordings:
        return {}
    newest = (
        EVERY_RECORDING.select(Segment, Segment.start_ms + Segment.duration_ms)
        .where(Segment.recording_id == Recording.id, PLAYABLE)
        .order_by(Segment.start_ms.desc())
        .limit(1)
    )
    now_ms = now.timestamp() * 1000
    with database.session():
        rows = EVERY_TENANT.select(Recording, Recording.id, newest).where(Recording.id.in_(list(recordings)))
        return {recordings[key]: abs(now_ms - end_ms) / 1000 for key, end_ms in rows.tuples() if end_ms is not None}
