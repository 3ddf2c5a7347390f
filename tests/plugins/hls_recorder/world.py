"""A recorder without a bus and without waiting: a clock that is turned by hand, a camera that is a loop, a real
index."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway.clock import FakeClock
from gateway.config import Config
from gateway.devices.model import Device
from gateway.errors import LeaseLost, Unavailable
from gateway.events.model import STATE, record_event
from gateway.footage.recordings import Recording, RecordingEvent
from gateway.footage.segment_scan import scan_segment
from gateway.footage.segments import (
    FifteenMinuteRollup,
    Gap,
    Segment,
    SegmentParts,
    SegmentState,
    StoredSegment,
    read_packed,
    read_segments,
    select_segments,
)
from gateway.media import Part, Position, segment_key, unpack_parts
from gateway.outputs import ConsumerContext, Consumption, DeviceContext
from gateway.streams.model import Stream
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageScope, TenantScope
from plugins.hls_recorder.output import HlsRecorder
from tests.plugins.hls_recorder.media import make_init, make_part

#: 2025-06-15 12:00:00 UTC: the first second of a minute, an hour and a quarter.
NOON = 1_749_988_800.0


class World:
    """One device, one record worker, and all that the runner does between them."""

    def __init__(self, config: Config, scope: TenantScope, device: Device) -> None:
        self.config = config
        self.scope = scope
        self.device = DeviceContext(device.id, device.tenant_id, device.name)
        self.clock = FakeClock(NOON)
        self.told: list = []
        self.bus: list[Part] = []
        self.run = 0
        self.sequence = 0
        self.key_every = 4
        self.size = 100
        self.part_seconds = 0.5
        self.index_every = 1
        self._fed = 0
        self.media_start = NOON
        self.output = self.make_output("worker-1")
        self.recorder: Consumption | None = None
        self.position: Position | None = None
        self.ended: str | None = None
        self.begin_run()
        self.set_stream("running")

    def make_output(self, worker: str) -> HlsRecorder:
        context = ConsumerContext(self.config, worker, self.clock, self._notify)
        return HlsRecorder(context, is_threaded=False)

    # ---- the camera --------------------------------------------------------------------------------------------

    def begin_run(self) -> None:
        """FFmpeg starts anew: what it sends from now on begins at the present moment."""
        self.run += 1
        self.sequence = 0
        self.media_start = self.clock.wall()
        EVERY_TENANT.update(Stream, run=self.run).where(Stream.device_id == self.device.id).execute()

    def send(self, **values: object) -> Part:
        """The next part comes onto the bus; time passes as long as it lasts."""
        self.clock.advance(self.part_seconds)
        self.sequence += 1
        options = {
            "start": self.media_start + (self.sequence - 1) * self.part_seconds,
            "run": self.run,
            "is_key": (self.sequence - 1) % self.key_every == 0,
            "size": self.size,
            "duration": self.part_seconds,
            "device_id": self.device.id,
        }
        part = make_part(self.sequence, **(options | values))
        self.bus.append(part)
        oldest = self.clock.wall() - self.config.bus_window_seconds
        while self.bus and self.bus[0].start < oldest and len(self.bus) > 1:
            self.bus.pop(0)
        return part

    # ---- the runner --------------------------------------------------------------------------------------------

    def attach(self) -> None:
        self.recorder = self.output.attach(self.device)
        self.position = self.recorder.position
        self.ended = None

    def feed(self) -> None:
        """What the runner does in half a second: a tick, then the parts that came; and the index gets its turn."""
        assert self.recorder is not None
        reason = self.recorder.tick()
        if reason is not None:
            self.detach(reason)
            self.ended = reason
            return
        for part in [p for p in self.bus if self.position is None or p.position > self.position]:
            self.recorder.take(part, make_init(b"%d" % part.run))
            self.position = part.position
        self._fed += 1
        if self._fed % self.index_every == 0:
            self.output.index.work()

    def record(self, seconds: float) -> None:
        """The camera sends and the recorder records for so long."""
        for _ in range(round(seconds / self.part_seconds)):
            self.send()
            if self.recorder is not None:
                self.feed()

    def wait(self, seconds: float) -> None:
        """Time passes, nothing is sent."""
        for _ in range(round(seconds / self.part_seconds)):
            self.clock.advance(self.part_seconds)
            if self.recorder is not None:
                self.feed()

    def detach(self, reason: str = "worker_stopped") -> None:
        if self.recorder is not None:
            recorder, self.recorder = self.recorder, None
            recorder.close(reason)

    def fail(self, kind: type[Exception] = Unavailable) -> Exception:
        """Feed, expecting a failure; then detach as the runner does. Gives what was raised."""
        try:
            self.feed()
        except kind as error:
            with suppress(LeaseLost):
                self.detach(getattr(error, "reason", "output_failed"))
            return error
        raise AssertionError(f"no {kind.__name__} was raised")

    def fail_to_attach(self) -> Unavailable:
        """Attach, expecting that it cannot be done now; gives what was raised."""
        try:
            self.attach()
        except Unavailable as error:
            return error
        raise AssertionError("it was attached")

    def kill(self) -> None:
        """The record worker is gone without a word, with all that it held in state."""
        self.recorder = None
        self.output = self.make_output("worker-2")

    # ---- what there is -----------------------------------------------------------------------------------------

    @property
    def recording(self) -> Recording:
        return EVERY_TENANT.select(Recording).where(Recording.device_id == self.device.id).get()

    def change(self, **values: object) -> None:
        """Change the recording's row, as the API does."""
        EVERY_TENANT.update(Recording, **values).where(Recording.device_id == self.device.id).execute()

    def segments(self, *states: SegmentState) -> list[StoredSegment]:
        rows = read_segments(select_segments().order_by(Segment.id))
        return [row for row in rows if not states or row.state in states]

    def gaps(self) -> list[tuple[float, float | None, str, bool]]:
        """Start and end in seconds since noon, reason, and whether footage was wanted."""
        return [
            (
                round(gap.start_ms / 1000 - NOON, 3),
                None if gap.end_ms is None else round(gap.end_ms / 1000 - NOON, 3),
                gap.reason_code,
                bool(gap.is_wanted),
            )
            for gap in EVERY_RECORDING.select(Gap).order_by(Gap.start_ms, Gap.id)
        ]

    def gap_names(self) -> list[str | None]:
        return [gap.by_name for gap in EVERY_RECORDING.select(Gap).order_by(Gap.start_ms)]

    def marks(self) -> list[RecordingEvent]:
        return list(EVERY_TENANT.select(RecordingEvent).order_by(RecordingEvent.at_ms))

    def path(self, row: StoredSegment) -> Path:
        key = segment_key(self.device.tenant_id, self.device.id, row.start_ms, row.run, row.sequence)
        return self.config.recordings_dir / key

    def set_stream(self, observed: str, reason: str | None = None, *, desired: str = "running") -> None:
        """What the stream worker says of the device's stream, with an event of it at the present moment."""
        before = EVERY_TENANT.select(Stream).where(Stream.device_id == self.device.id).get().observed
        EVERY_TENANT.update(Stream, desired=desired, observed=observed, reason_code=reason, run=self.run).where(
            Stream.device_id == self.device.id
        ).execute()
        record_event(
            self.device.tenant_id,
            self.device.id,
            STATE,
            run=self.run,
            at=self.moment(),
            from_state=before,
            to_state=observed,
            reason_code=reason,
        )

    def files(self) -> list[Path]:
        return sorted((self.config.recordings_dir / self.device.tenant_id).rglob("*.mp4"))

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), UTC)

    def clear_rollup(self) -> None:
        EVERY_RECORDING.delete(FifteenMinuteRollup).execute()

    def insert_segment(self, values: dict[str, object], packed: bytes) -> None:
        """Put a segment's row back as it was."""
        footage = FootageScope(values.pop("recording_id"))
        footage.insert(Segment, **values).execute()
        SegmentParts.insert(segment_id=values["id"], packed=packed).execute()

    def recorded(self) -> list[tuple[int, int]]:
        """Run and sequence of every part in the index, in the order of recording."""
        return [
            (row.run, row.sequence + number)
            for row in sorted(self.segments(SegmentState.OPEN, SegmentState.CLOSED), key=lambda r: (r.run, r.sequence))
            for number in range(row.parts)
        ]

    def check(self) -> None:
        """Every row tells the truth of its file, every file has a row, the roll-up is the sum, no part is there
        twice."""
        rows = self.segments(SegmentState.OPEN, SegmentState.CLOSED)
        assert {self.path(row) for row in rows} == set(self.files())
        for row in rows:
            self._check_row(row)
        recorded = self.recorded()
        assert len(recorded) == len(set(recorded)), "a part is there twice"
        sums: dict[int, list[int]] = {}
        for row in rows:
            if row.state == SegmentState.CLOSED:
                entry = sums.setdefault(row.start_ms // 900_000, [0, 0, 0])
                for place, value in enumerate((row.duration_ms, row.size, 1)):
                    entry[place] += value
        quarters = EVERY_RECORDING.select(FifteenMinuteRollup)
        assert {q.quarter: [q.recorded_ms, q.bytes, q.segments] for q in quarters} == sums

    def _check_row(self, row: StoredSegment) -> None:
        data = self.path(row).read_bytes()
        parts = unpack_parts(read_packed(row.id))
        scan = scan_segment(data[: row.size])
        assert scan.problem is None, f"{self.path(row)}: {scan.detail}"
        assert row.state == SegmentState.OPEN or len(data) == row.size
        assert (scan.init_size, len(scan.parts)) == (row.init_size, row.parts)
        assert [(p.size, p.frames, p.is_key) for p in scan.parts] == [(p.size, p.frames, p.is_key) for p in parts]
        assert len(parts) == row.parts
        assert sum(p.frames for p in parts) == row.frames
        assert row.duration_ms == parts[-1].offset_ms + parts[-1].duration_ms
        for number, numbers in enumerate(_numbers(data)):
            assert numbers == (row.run, row.sequence + number), "a part is not where the index says"

    def _notify(self, hook: str, **facts: object) -> None:
        self.told.append((hook, facts))


def _numbers(data: bytes) -> Iterator[tuple[int, int]]:
    """Run and sequence that each part's media carries."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"mdat":
            yield int.from_bytes(data[at + 8 : at + 16], "big"), int.from_bytes(data[at + 16 : at + 24], "big")
        at += size
