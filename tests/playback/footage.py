"""FootageFactory: writes clips as segment files and rows, with the functions of the recorder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.config import Config
from gateway.footage.gap_rows import add_gap
from gateway.footage.recordings import claim_recording
from gateway.footage.segments import Fence, SegmentValues, save_segment
from gateway.media import PartFact, pack_parts, segment_key
from gateway.storage.local import ensure_storage
from gateway.tenancy.scopes import TenantScope
from workers.ffmpeg.fmp4 import Fragment

from .clips import Clip

_MINUTE_MS = 60_000


@dataclass(frozen=True)
class RecordedFile:
    """A segment: its row's id and values, its parts, and the path of its file."""

    id: int
    values: SegmentValues
    parts: tuple[PartFact, ...]
    path: Path

    @property
    def end_ms(self) -> int:
        return self.values.start_ms + self.values.duration_ms


class FootageFactory:
    """Footage of one device, which must exist. The database must be bound (fixture `bound_database` or an app)."""

    def __init__(self, config: Config, scope: TenantScope, device_id: str) -> None:
        self._storage = ensure_storage(config)
        claimed = claim_recording(device_id, "test")
        assert claimed is not None, f"there is no device {device_id}"
        self.device_id = device_id
        self.tenant_id = claimed.tenant_id
        self.fence = Fence(claimed.recording_id, claimed.fencing_token)
        self._next_run = 1

    @property
    def recording_id(self) -> int:
        return self.fence.recording_id

    def record(
        self,
        clip: Clip,
        start_ms: int,
        *,
        run: int | None = None,
        without: range = range(0),
        is_open: bool = False,
    ) -> list[RecordedFile]:
        """Record a clip as one run that begins at `start_ms`; return its files in order.

        `run` defaults to one more than the last. Parts whose index in the clip is in `without` are lost, which starts a
        new file. With `is_open` the last file is still being written.
        """
        run = self._next_run if run is None else run
        self._next_run = run + 1
        placed = [
            (sequence, part, start_ms + round((part.start - clip.parts[0].start) * 1000))
            for sequence, part in enumerate(clip.parts, 1)
            if sequence - 1 not in without
        ]
        groups: list[list[tuple[int, Fragment, int]]] = []
        for item in placed:
            if not groups or _begins_a_file(groups[-1], item):
                groups.append([])
            groups[-1].append(item)
        return [self._write(clip, run, group, is_closed=not (is_open and group is groups[-1])) for group in groups]

    def add_gap(self, start_ms: int, end_ms: int, reason_code: str = "timed_out", *, is_wanted: bool = True) -> None:
        """Add the row of a gap, which `record` does not do."""
        add_gap(self.fence, start_ms, end_ms, reason_code, is_wanted=is_wanted)

    def truncate(self, file: RecordedFile, size: int) -> None:
        """Truncate the file but not its row, like a power failure or manual damage."""
        with open(file.path, "r+b") as opened:
            opened.truncate(size)

    def _write(self, clip: Clip, run: int, group: list[tuple[int, Fragment, int]], *, is_closed: bool) -> RecordedFile:
        first_sequence, _, start_ms = group[0]
        facts = tuple(
            PartFact(
                size=len(part.data),
                offset_ms=at_ms - start_ms,
                duration_ms=round(part.duration * 1000),
                frames=part.frames,
                is_key=part.is_key,
                has_audio=part.has_audio,
            )
            for _, part, at_ms in group
        )
        values = SegmentValues(
            start_ms=start_ms,
            duration_ms=facts[-1].offset_ms + facts[-1].duration_ms,
            run=run,
            sequence=first_sequence,
            parts=len(facts),
            frames=sum(fact.frames for fact in facts),
            size=len(clip.init) + sum(fact.size for fact in facts),
            init_size=len(clip.init),
            storage_id=self._storage.id,
        )
        key = segment_key(self.tenant_id, self.device_id, start_ms, run, first_sequence)
        writer = self._storage.create(key)
        for data in (clip.init, *(part.data for _, part, _ in group)):
            writer.append(data)
        writer.close()
        segment_id = save_segment(self.fence, None, values, pack_parts(facts), is_closed=False)
        if is_closed:
            save_segment(self.fence, segment_id, values, pack_parts(facts), is_closed=True)
        path = self._storage.local_path(key)
        assert path is not None
        return RecordedFile(segment_id, values, facts, path)


def start_of_one_file(latest_ms: int, clip: Clip) -> int:
    """The latest start, not after `latest_ms`, of a run of this clip that lies within one UTC minute."""
    end_ms = latest_ms + clip.duration_ms
    minute_ms = end_ms - end_ms % _MINUTE_MS
    return latest_ms if latest_ms >= minute_ms else minute_ms - clip.duration_ms


def _begins_a_file(group: list[tuple[int, Fragment, int]], item: tuple[int, Fragment, int]) -> bool:
    """The recorder's rule: after a lost part, and at the first key part of each UTC minute."""
    sequence, part, at_ms = item
    last_sequence, _, first_ms = group[-1][0], group[-1][1], group[0][2]
    if sequence != last_sequence + 1:
        return True
    return part.is_key and at_ms // _MINUTE_MS != first_ms // _MINUTE_MS
