"""Makes footage for tests: rows, part indexes, roll-ups and real files, as a recorder leaves them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway import database
from gateway.archive.index import archive_id_of
from gateway.clock import utc_now
from gateway.footage.copies import SegmentCopy
from gateway.footage.recordings import Protection, Recording
from gateway.footage.segment_scan import SegmentScan, scan_segment
from gateway.footage.segments import (
    FifteenMinuteRollup,
    Gap,
    Segment,
    SegmentParts,
    SegmentState,
    StoredSegment,
    add_to_rollup,
    read_segments,
    select_segments,
)
from gateway.media import pack_parts, segment_key
from gateway.secrets import SecretBox
from gateway.storage.interface import Storage
from gateway.tenancy.scopes import EVERY_RECORDING, EVERY_TENANT, FootageScope, TenantScope
from tests.factories import make_config, make_device
from tests.fragmented_media import H264, make_media

MINUTE_MS = 60_000
#: A Monday at noon, UTC.
NOON_MS = 1_750_075_200_000


@cache
def segment_bytes() -> bytes:
    """A real file of footage: an init segment and four parts in two seconds, with sound."""
    return make_media(
        "-f", "lavfi", "-i", "sine=sample_rate=8000", *H264, "-bf", "0", "-c:a", "aac", "-b:a", "8k", size="32x32"
    )


@cache
def segment_scan() -> SegmentScan:
    """What is in `segment_bytes`."""
    return scan_segment(segment_bytes())


@dataclass(frozen=True)
class Footage:
    """One device's footage under test."""

    recording_id: int
    tenant_id: str
    device_id: str
    storage: Storage

    def add(
        self,
        start_ms: int,
        *,
        run: int = 1,
        sequence: int = 1,
        data: bytes | None = b"",
        is_archived: bool = False,
        state: SegmentState = SegmentState.CLOSED,
        duration_ms: int | None = None,
        size: int | None = None,
        has_row: bool = True,
    ) -> int | None:
        """A segment with row and file; gives the row's id.

        `data`: the file's bytes, by default a real one's; None makes no file. Row and roll-up tell of the real one
        unless `duration_ms` or `size` say otherwise.
        """
        content = segment_bytes() if data == b"" else data
        if content is not None:
            writer = self.storage.create(self.key(start_ms, run, sequence))
            writer.append(content)
            writer.sync()
            writer.close()
        if not has_row:
            return None
        scan = segment_scan()
        duration_ms = scan.duration_ms if duration_ms is None else duration_ms
        size = len(segment_bytes()) if size is None else size
        with database.transaction():
            footage = FootageScope(self.recording_id)
            segment_id = footage.insert(
                Segment,
                start_ms=start_ms,
                duration_ms=duration_ms,
                run=run,
                sequence=sequence,
                parts=len(scan.parts),
                frames=scan.frames,
                size=size,
                init_size=scan.init_size,
                state=state,
                storage_id=self.storage.id,
                is_archived=int(is_archived),
            ).execute()
            SegmentParts.insert(segment_id=segment_id, packed=pack_parts(scan.parts)).execute()
            if state == SegmentState.CLOSED:
                add_to_rollup(footage, start_ms, duration_ms, size)
                if is_archived:
                    SegmentCopy.insert(
                        segment_id=segment_id,
                        archive_id=archive_id_of("folder"),
                        object_key=self.key(start_ms, run, sequence),
                        size=size,
                        checksum="",
                        blocks=b"",
                        verified_at_ms=start_ms,
                    ).execute()
                    footage.update(FifteenMinuteRollup, archived_bytes=FifteenMinuteRollup.archived_bytes + size).where(
                        FifteenMinuteRollup.quarter == start_ms // 900_000
                    ).execute()
        return segment_id

    def key(self, start_ms: int, run: int = 1, sequence: int = 1) -> str:
        return segment_key(self.tenant_id, self.device_id, start_ms, run, sequence)

    def files(self) -> list[str]:
        """The keys of the device's files."""
        return [key for key, _, _ in self.storage.list(f"{self.tenant_id}/{self.device_id}")]

    def segments(self) -> list[StoredSegment]:
        with database.session():
            return read_segments(select_segments(self.recording_id).order_by(Segment.start_ms, Segment.id))

    def starts(self) -> list[int]:
        return [segment.start_ms for segment in self.segments()]

    def gaps(self) -> list[tuple[int, int | None, str]]:
        with database.session():
            query = EVERY_RECORDING.select(Gap).where(Gap.recording_id == self.recording_id).order_by(Gap.start_ms)
            return [(gap.start_ms, gap.end_ms, gap.reason_code) for gap in query]

    def recording(self) -> Recording | None:
        with database.session():
            return EVERY_TENANT.select(Recording).where(Recording.id == self.recording_id).first()

    def change(self, **values) -> None:
        """Set columns of the recording."""
        with database.transaction():
            EVERY_TENANT.update(Recording, **values).where(Recording.id == self.recording_id).execute()

    def check_roll_up(self) -> None:
        """That the roll-up is what the closed segments add up to."""
        expected: dict[int, list[int]] = {}
        for segment in self.segments():
            if segment.state == SegmentState.CLOSED:
                total = expected.setdefault(segment.start_ms // 900_000, [0, 0, 0, 0, 0])
                total[0] += segment.duration_ms
                total[1] += segment.size
                total[2] += 1
                total[3] += segment.size if segment.is_archived else 0
                total[4] += 0 if segment.is_local == 1 else segment.size
        with database.session():
            query = EVERY_RECORDING.select(FifteenMinuteRollup).where(
                FifteenMinuteRollup.recording_id == self.recording_id
            )
            found = {
                row.quarter: [row.recorded_ms, row.bytes, row.segments, row.archived_bytes, row.away_bytes]
                for row in query
            }
        assert found == expected

    def check_consistent(self) -> None:
        """That every playable row has its file, with the bytes that it tells, and every file its row."""
        files = {key: size for key, size, _ in self.storage.list(f"{self.tenant_id}/{self.device_id}")}
        rows = {
            self.key(s.start_ms, s.run, s.sequence): s.size
            for s in self.segments()
            if s.state == SegmentState.CLOSED and s.is_local
        }
        assert files == rows
        assert not [s for s in self.segments() if s.state in (SegmentState.OPEN, SegmentState.GARBAGE)]
        self.check_roll_up()


def make_footage(scope: TenantScope, storage: Storage) -> Footage:
    """A device with a recording and no footage yet."""
    device = make_device(scope, SecretBox.from_config(make_config()))
    with database.session():
        recording = EVERY_TENANT.select(Recording).where(Recording.device_id == device.id).first()
    return Footage(recording.id, recording.tenant_id, recording.device_id, storage)


def fill(footage: Footage, count: int, *, before_ms: int = NOON_MS, sequence: int = 1, **values: Any) -> list[int]:
    """Add so many segments of one minute each that end at a moment; returns their starts."""
    starts = [before_ms - (count - number) * MINUTE_MS for number in range(count)]
    for number, start_ms in enumerate(starts):
        footage.add(start_ms, sequence=sequence + number, **values)
    return starts


def protect(footage: Footage, start_ms: int, end_ms: int) -> None:
    """Protect a range, as a person does."""
    with database.transaction():
        EVERY_TENANT.insert(
            Protection,
            tenant_id=footage.tenant_id,
            recording_id=footage.recording_id,
            start_ms=start_ms,
            end_ms=end_ms,
            kind="hold",
            reference="",
            note="",
            created_by="a person",
            created_at=utc_now(),
        ).execute()
