"""Takes over a device after a recorder that was killed: repairs its newest files, and finds where its footage ends."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.footage.recorder_state import newest_segments
from gateway.footage.recordings import RecorderSettings
from gateway.footage.segments import Fence, Gap, Segment, StoredSegment, open_segments
from gateway.media import parse_segment_key
from gateway.plugin_api import Position, SegmentFact, Storage
from gateway.storage.file_repair import FileRepair, Repair, RepairAction
from gateway.tenancy.scopes import FootageScope

log = logging.getLogger(__name__)

_HOUR_MS = 3_600_000
#: Limit of the hours, from the last row to the present, whose folders are searched for files without rows.
_MAX_HOURS = 48
#: Ids to search back for the newest segment of a device; the latest by start is found by an index.
_IDS_BACK = 20_000


@dataclass(slots=True)
class Recovered:
    """The end of a device's footage: last part, its end, and the open gap. `closed`: files that were just closed."""

    position: Position | None = None
    end_ms: int | None = None
    gap: Gap | None = None
    closed: list[SegmentFact] = field(default_factory=list)


def recover(storage: Storage, settings: RecorderSettings, now_ms: int) -> Recovered:
    """Repair the device's newest files and rows, and find where to resume.

    Raises LeaseLost, DatabaseUnavailable and StorageUnavailable.
    """
    return _Recovery(storage, settings, now_ms).run()


class _Recovery:
    def __init__(self, storage: Storage, settings: RecorderSettings, now_ms: int) -> None:
        self._storage = storage
        self._settings = settings
        self._fence = Fence(settings.recording_id, settings.fencing_token)
        self._repair = FileRepair(storage, self._fence, resumes=True)
        self._now_ms = now_ms
        self._recovered = Recovered()

    def run(self) -> Recovered:
        for segment in open_segments(self._settings.recording_id):
            self._close(segment)
        for segment in newest_segments(self._fence, _IDS_BACK):
            self._advance(Position(segment.run, segment.last_sequence), segment.end_ms)
        self._adopt_files()
        self._recovered.gap = self._open_gap()
        return self._recovered

    def _advance(self, position: Position, end_ms: int) -> None:
        if self._recovered.position is None or position > self._recovered.position:
            self._recovered.position, self._recovered.end_ms = position, end_ms

    # ---- segments that were left open --------------------------------------------------------------------------

    def _close(self, segment: StoredSegment) -> None:
        key = segment.key(self._settings.tenant_id, self._settings.device_id)
        size = self._storage.size(key)
        if size is None:
            log.warning("device %s: the file '%s' is missing", self._settings.device_id, key)
            self._repair.repair_missing(segment)
            return
        repair = self._repair.repair_segment(key, segment, size)
        if repair is not None and repair.action is RepairAction.CLOSED:
            self._report_closed(key, segment.start_ms, repair)

    # ---- files without rows ------------------------------------------------------------------------------------

    def _adopt_files(self) -> None:
        """A recorder killed in its first second, or while the database was away, leaves files without rows."""
        for key, size in self._unknown_files():
            repair = self._repair.adopt(key, size)
            if repair is None or repair.action is not RepairAction.ADOPTED:
                continue
            log.info("device %s: the file '%s' had no row and is adopted", self._settings.device_id, key)
            start_ms, run, sequence = parse_segment_key(key)
            self._report_closed(key, start_ms, repair)
            last_sequence = sequence + len(repair.content.parts) - 1
            self._advance(Position(run, last_sequence), start_ms + repair.content.duration_ms)

    def _unknown_files(self) -> list[tuple[str, int]]:
        files = {}
        for prefix in self._recent_folders():
            for key, size, _ in self._storage.list(prefix):
                name = parse_segment_key(key)
                if name is not None and (
                    self._recovered.position is None or Position(*name[1:]) > self._recovered.position
                ):
                    files[name] = (key, size)
        if not files:
            return []
        with self._fence.transaction() as footage:
            rows = footage.select(Segment, Segment.start_ms, Segment.run, Segment.sequence).where(
                Segment.start_ms.between(min(files)[0], max(files)[0])
            )
            known = set(rows.tuples())
        return [files[name] for name in sorted(files.keys() - known, key=lambda name: name[1:])]

    def _recent_folders(self) -> Iterator[str]:
        last_ms = self._now_ms if self._recovered.end_ms is None else self._recovered.end_ms
        first, last = sorted((last_ms // _HOUR_MS, self._now_ms // _HOUR_MS))
        for hour in range(max(first - 1, last - _MAX_HOURS), last + 1):
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
            yield f"{self._settings.tenant_id}/{self._settings.device_id}/{at:%Y-%m-%d}/{at:%H}"

    # ---- the result --------------------------------------------------------------------------------------------

    def _open_gap(self) -> Gap | None:
        """The open gap. When it starts before the footage ends, its start is moved there."""
        end_ms = self._recovered.end_ms
        with self._fence.transaction() as footage:
            gap = _newest_open_gap(footage)
            if gap is not None and end_ms is not None and gap.start_ms < end_ms <= self._now_ms:
                footage.update(Gap, start_ms=end_ms).where(Gap.id == gap.id).execute()
                gap.start_ms = end_ms
        return gap

    def _report_closed(self, key: str, start_ms: int, repair: Repair) -> None:
        content, device_id = repair.content, self._settings.device_id
        self._recovered.closed.append(
            SegmentFact(repair.segment_id, device_id, start_ms, content.duration_ms, content.size, key)
        )


def read_open_gap(fence: Fence) -> Gap | None:
    """The gap that has not ended; None without one. Raises LeaseLost."""
    with fence.transaction() as footage:
        return _newest_open_gap(footage)


def _newest_open_gap(footage: FootageScope) -> Gap | None:
    return footage.select(Gap).where(Gap.end_ms.is_null()).order_by(Gap.start_ms.desc()).first()
