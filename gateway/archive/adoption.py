"""Adopts an object of an archive: inserts the row of its segment, from the file's own index."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway import database
from gateway.archive.checksums import FileChecksums
from gateway.archive.index import archive_id_of, mark_archived
from gateway.archives import Archive
from gateway.clock import to_ms, utc_now
from gateway.footage.copies import Place, bury_object, set_place
from gateway.footage.recordings import Recording
from gateway.footage.segments import Fence, Segment, SegmentState, StoredSegment, read_segments, select_segments
from gateway.media import parse_segment_key
from gateway.storage.content import Content, scan_content
from gateway.storage.repairs import adopt_segment, close_segment, holds_parts

#: Actions of a scan, in the words of reports.
ADOPTED, BACK, DAMAGED, DUPLICATE, EXPIRED = (
    "adopted",
    "missing footage found again",
    "damaged, left alone",
    "another segment holds its parts, left alone",
    "too old, to be deleted",
)


@dataclass(frozen=True, slots=True)
class Adoption:
    """Adopts objects of one recording. Methods raise LeaseLost, NotFound and ArchiveUnavailable."""

    archive: Archive
    recording: Recording
    storage_id: int

    def adopt(self, fence: Fence, key: str, size: int) -> str | None:
        """Adopt an object of `size` bytes; returns what was done, None if its segment is being taken care of.

        The whole object is read: its parts are found by the boxes of the file, and its checksums are computed.
        """
        start_ms, run, sequence = name = parse_segment_key(key)
        segment = self._find(start_ms, run, sequence)
        if segment is not None and segment.state != SegmentState.MISSING:
            return None  # it waits for its copy, which the archive's plugin verifies, or is being deleted
        checksums = FileChecksums()
        content = scan_content(_tee(self.archive.read(key), checksums))
        if not content.parts or content.problem is not None or content.size != size or checksums.size != size:
            return DAMAGED
        with fence.transaction() as footage:
            if segment is None:
                segment_id, action = self._insert(fence, name, content), ADOPTED
            else:
                is_back = close_segment(fence, segment, content, self.storage_id)
                segment_id, action = (segment.id if is_back else None), BACK
            if segment_id is None:
                return DUPLICATE if segment is None else None
            values = {"size": size, "checksum": checksums.checksum, "blocks": checksums.blocks}
            mark_archived(segment_id, self.archive.name, object_key=key, at_ms=to_ms(utc_now()), **values)
            set_place(footage, self._read(segment_id), Place.GONE)
        return action

    def drop_expired(self, key: str, now_ms: int) -> str:
        """Have an object deleted that is older than footage is kept in the archive."""
        with database.transaction():
            bury_object(archive_id_of(self.archive.name), key, now_ms)
        return EXPIRED

    def _insert(self, fence: Fence, name: tuple[int, int, int], content: Content) -> int | None:
        if holds_parts(fence, name, len(content.parts), content.duration_ms):
            return None
        return adopt_segment(fence, name, content, self.storage_id)

    def _find(self, start_ms: int, run: int, sequence: int) -> StoredSegment | None:
        with database.session():
            query = select_segments(self.recording.id).where(
                Segment.start_ms == start_ms, Segment.run == run, Segment.sequence == sequence
            )
            return next(iter(read_segments(query)), None)

    def _read(self, segment_id: int) -> list[StoredSegment]:
        return read_segments(select_segments(self.recording.id).where(Segment.id == segment_id))


def _tee(chunks: Iterator[bytes], checksums: FileChecksums) -> Iterator[bytes]:
    for chunk in chunks:
        checksums.update(chunk)
        yield chunk
