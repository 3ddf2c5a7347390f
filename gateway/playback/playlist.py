"""HLS media playlists of recorded footage (RFC 8216): VOD, or EVENT while the range still grows. Pure.

An HLS segment is a contiguous range of parts in one file that begins at a key part. Footage is continuous where run
and sequence number are, also across files; the wall clock causes a discontinuity only where it was set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.clock import format_time
from gateway.media import PartFact, unpack_parts

#: EXT-X-MAP in a playlist of whole segments needs version 6 (RFC 8216, section 7).
VERSION = 6

#: Approximate duration of an HLS segment, which ends at the first key part after it, and approximate maximum number of
#: segments in a playlist.
SEGMENT_MS = 4000
MAX_SEGMENTS = 5760
#: A key part that comes early by up to this ends the segment too: key frames are not exactly on the second.
_EARLY_MS = 500
#: Where no key part follows, a playlist ends this long after the requested end.
_BEYOND_MS = 10_000

#: Shorter parts without audio do not mean that the audio is gone: a short part may contain none by chance.
_SILENT_MS = 1000
#: EXTINF follows the wall clock. Where the two differ by more than this, the clock was set.
_CLOCK_STEP_MS = 250

#: The target duration of a growing playlist must not change: the first of these that is long enough is used.
_GROWING_TARGETS = (8, 12, 20, 40, 75, 150)


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A file of footage and the packed index of its parts (`gateway.media.pack_parts`). Times in ms since 1970, UTC."""

    id: int
    start_ms: int
    run: int
    sequence: int
    init_size: int
    is_open: bool
    packed: bytes


@dataclass(slots=True)
class PlaylistSegment:
    """An HLS segment: `size` bytes of a file from `offset` on. `follows`: it continues the one before without a gap."""

    file: IndexedFile
    offset: int
    start_ms: int
    end_ms: int
    is_key: bool
    follows: bool
    size: int = 0
    parts_ms: int = 0
    silent_ms: int = 0
    is_complete: bool = True

    @property
    def is_silent(self) -> bool:
        """Whether audio is missing, in all of it or for long enough to be noticed."""
        return self.silent_ms >= min(_SILENT_MS, self.parts_ms)

    @property
    def duration_ms(self) -> int:
        """The time from start to end; where the clock was set in between, the sum of the parts."""
        return _length_ms(self.end_ms - self.start_ms, self.parts_ms)


def build_playlist(
    files: Sequence[IndexedFile], start_ms: int, end_ms: int, *, is_growing: bool = False, has_sound: bool = False
) -> str | None:
    """The playlist of a range, from the key part at or before `start_ms`; None when there is nothing to play.

    `files` are in order of time and begin early enough to contain that key part. In a growing range (EVENT, without an
    end) the newest segment is left out until its end is known, so that no line ever changes. `has_sound`: the device
    is known to send audio; then, or where any part has audio, URIs of segments without it refer to the variant that is
    filled with silence (`gateway.mp4.init_segments` gives the reason). URIs are relative to
    `…/recordings/devices/{id}/`.
    """
    # A growing range is watched near its end, so segments must become available soon.
    length_ms = SEGMENT_MS if is_growing else choose_length_ms(start_ms, end_ms)
    segments = list(cut_playlist_segments(files, start_ms, end_ms, length_ms))
    lengths = measure_segments(segments, is_growing=is_growing)
    if is_growing and segments and not segments[-1].is_complete:
        segments.pop()
        lengths.pop()
    if not segments:
        return None
    has_sound = has_sound or any(segment.silent_ms < segment.parts_ms for segment in segments)
    lines = list(_format_segments(segments, lengths, has_sound))
    head = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        f"#EXT-X-TARGETDURATION:{_target_seconds(max(lengths), is_growing)}",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if is_growing else 'VOD'}",
    ]
    if not is_growing and all(segment.is_key for segment in segments):
        head.append("#EXT-X-INDEPENDENT-SEGMENTS")
    ahead_ms = start_ms - segments[0].start_ms
    if 0 < ahead_ms < segments[-1].end_ms - segments[0].start_ms:
        head.append(f"#EXT-X-START:TIME-OFFSET={ahead_ms / 1000:.3f},PRECISE=YES")
    tail = [] if is_growing else ["#EXT-X-ENDLIST"]
    return "\n".join([*head, *lines, *tail, ""])


def choose_length_ms(start_ms: int, end_ms: int) -> int:
    """Duration of the HLS segments of a range: longer for a long range, so that its playlist stays small."""
    return max(SEGMENT_MS, (end_ms - start_ms) // MAX_SEGMENTS)


def cut_playlist_segments(
    files: Sequence[IndexedFile], start_ms: int, end_ms: int, length_ms: int
) -> Iterator[PlaylistSegment]:
    """HLS segments of the parts from the key part at or before `start_ms` to the next key part at or after `end_ms`.

    A range that begins at `end_ms` continues this one without a break. Parts that cannot be decoded, because the key
    part before them is missing, are skipped.
    """
    begin = _find_begin(files, start_ms, end_ms)
    if begin is None:
        return
    # Run and sequence number of the part that would continue the last segment.
    expected: tuple[int, int] | None = None
    for number in range(begin[0], len(files)):
        file = files[number]
        parts = unpack_parts(file.packed)
        follows = expected == (file.run, file.sequence)
        first = begin[1] if number == begin[0] else 0
        if not follows:
            first = next((index for index in range(first, len(parts)) if parts[index].is_key), len(parts))
        last = _find_end(parts, first, end_ms - file.start_ms)
        if first == last:
            continue
        expected = (file.run, file.sequence + last)
        segments = list(_cut_file(file, parts[:last], first, length_ms))
        segments[0].follows = follows
        segments[-1].is_complete = last < len(parts) or not file.is_open or number < len(files) - 1
        yield from segments


def _cut_file(file: IndexedFile, parts: Sequence[PartFact], first: int, length_ms: int) -> Iterator[PlaylistSegment]:
    """Join the parts of a file from the index `first` on. A day has two hundred thousand parts, so keep it fast."""
    offset = file.init_size + sum(part.size for part in parts[:first])
    begin, size, parts_ms, silent_ms = parts[first], 0, 0, 0
    last = begin
    for part in parts[first:]:
        if part.is_key and parts_ms >= length_ms - _EARLY_MS:
            yield _build_segment(file, offset, begin, last, (size, parts_ms, silent_ms))
            offset += size
            begin, size, parts_ms, silent_ms = part, 0, 0, 0
        size += part.size
        parts_ms += part.duration_ms
        if not part.has_audio:
            silent_ms += part.duration_ms
        last = part
    yield _build_segment(file, offset, begin, last, (size, parts_ms, silent_ms))


def _build_segment(
    file: IndexedFile, offset: int, first: PartFact, last: PartFact, sums: tuple[int, int, int]
) -> PlaylistSegment:
    size, parts_ms, silent_ms = sums
    return PlaylistSegment(
        file=file,
        offset=offset,
        start_ms=file.start_ms + first.offset_ms,
        end_ms=file.start_ms + last.offset_ms + last.duration_ms,
        is_key=first.is_key,
        follows=True,
        size=size,
        parts_ms=parts_ms,
        silent_ms=silent_ms,
    )


def _find_end(parts: Sequence[PartFact], first: int, end_ms: int) -> int:
    """Index of the first part, from `first` on, that is beyond an end (ms after the start of the file)."""
    if first >= len(parts) or parts[-1].offset_ms < end_ms:
        return len(parts)
    for index in range(first, len(parts)):
        at_ms = parts[index].offset_ms
        if at_ms >= end_ms and (parts[index].is_key or at_ms >= end_ms + _BEYOND_MS):
            return index
    return len(parts)


def _find_begin(files: Sequence[IndexedFile], start_ms: int, end_ms: int) -> tuple[int, int] | None:
    """File and part that a playlist begins with: the key part at or before `start_ms` where there is footage at that
    time, otherwise the first key part after it."""
    before: tuple[int, int] | None = None
    before_ends = start_ms
    expected: tuple[int, int] | None = None
    for number, file in enumerate(files):
        sequence = file.sequence
        for index, part in enumerate(unpack_parts(file.packed)):
            at = file.start_ms + part.offset_ms
            if expected != (file.run, sequence) and not part.is_key:
                before = None  # cannot be decoded from the parts before it
            if at > start_ms and before is not None and before_ends > start_ms:
                return before
            if at >= end_ms:
                return None
            if part.is_key:
                if at > start_ms:
                    return number, index
                before = (number, index)
            before_ends = at + part.duration_ms
            sequence += 1
            expected = (file.run, sequence)
    return before if before_ends > start_ms else None


def measure_segments(segments: Sequence[PlaylistSegment], *, is_growing: bool = False) -> list[int]:
    """Duration of each segment in ms: up to the start of the next, so that rounding errors do not add up.

    While a playlist grows, the last segment of a file keeps the duration that it had before the next file existed.
    """
    lengths = []
    for segment, following in zip(segments, [*segments[1:], None], strict=True) if segments else ():
        length_ms = segment.duration_ms
        if following is not None and following.follows and not (is_growing and following.file is not segment.file):
            length_ms = _length_ms(following.start_ms - segment.start_ms, length_ms)
        lengths.append(length_ms)
    return lengths


def _length_ms(by_clock_ms: int, by_parts_ms: int) -> int:
    return by_clock_ms if abs(by_clock_ms - by_parts_ms) <= _CLOCK_STEP_MS else by_parts_ms


def _format_segments(segments: Sequence[PlaylistSegment], lengths: Sequence[int], has_sound: bool) -> Iterator[str]:
    last: PlaylistSegment | None = None
    clock_ms = 0
    for segment, length_ms in zip(segments, lengths, strict=True):
        if last is None or not segment.follows or abs(segment.start_ms - clock_ms) > _CLOCK_STEP_MS:
            if last is not None:
                yield "#EXT-X-DISCONTINUITY"
            yield _format_map(segment, has_sound)
            yield f"#EXT-X-PROGRAM-DATE-TIME:{format_time(segment.start_ms)}"
        elif segment.start_ms != clock_ms:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{format_time(segment.start_ms)}"
        yield f"#EXTINF:{length_ms / 1000:.3f},"
        if has_sound and segment.is_silent:
            yield f"segments/{segment.file.id}/sound/{segment.offset}-{segment.size}.m4s"
        else:
            yield f"#EXT-X-BYTERANGE:{segment.size}@{segment.offset}"
            yield f"segments/{segment.file.id}.mp4"
        last, clock_ms = segment, segment.start_ms + length_ms


def _format_map(segment: PlaylistSegment, has_sound: bool) -> str:
    """The file's own init segment, unless it may declare audio that no part has, or lacks the track for silence."""
    if has_sound and not segment.is_silent:
        return f'#EXT-X-MAP:URI="segments/{segment.file.id}.mp4",BYTERANGE="{segment.file.init_size}@0"'
    return f'#EXT-X-MAP:URI="segments/{segment.file.id}/init.mp4?tracks={"sound" if has_sound else "video"}"'


def _target_seconds(longest_ms: int, is_growing: bool) -> int:
    """The target duration: no segment, rounded to whole seconds, may be longer (RFC 8216, 4.3.3.1)."""
    seconds = max(1, (longest_ms + 500) // 1000)
    if is_growing:
        return next((target for target in _GROWING_TARGETS if target >= seconds), seconds)
    return seconds
