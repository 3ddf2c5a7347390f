"""The low-latency HLS playlist of a device's parts on the media bus (RFC 8216bis). Pure.

The bus numbers its parts: `segment` is the media sequence number, `discontinuity` the discontinuity sequence number.
Only segments whose parts are all on the bus are listed, and no more of them than a player may need.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.clock import format_time
from gateway.errors import InvalidValue
from gateway.media import Part, Position

VERSION = 9

#: Minimum target duration: it must not change during playback, and key frames are not exactly timed.
MIN_TARGET_SECONDS = 2
#: The part target is the longest part, rounded up to a multiple of this: frames of cameras are not exactly timed.
_PART_STEP_SECONDS = 0.05
#: Shorter parts are listed joined: a camera may send key frames only, each of which is a part.
_MIN_LISTED_SECONDS = 0.3
#: Minimum duration of a playlist without an end (6.2.2), and minimum distance of players from its end (4.4.3.8), in
#: target durations.
_TARGETS_HELD = 3
_PART_TARGETS_HELD_BACK = 3
#: Modulus of the discontinuity sequence number: hls.js keeps an array of that length and iterates over it, so that a
#: large number blocks the page.
_DISCONTINUITIES = 10_000
#: Maximum number of segments beyond the newest that a blocking reload may name (6.2.5.2).
_MAX_AHEAD = 2


@dataclass(frozen=True, slots=True)
class LivePart:
    """The properties of a part on the bus that a playlist needs. Times in seconds, `start` since 1970."""

    position: Position
    segment: int
    discontinuity: int
    start: float
    duration: float
    is_key: bool
    has_audio: bool

    @classmethod
    def of(cls, part: Part) -> LivePart:
        """The properties of a part without its bytes."""
        return cls(
            part.position,
            part.segment,
            part.discontinuity,
            part.start,
            part.duration,
            part.is_key,
            part.has_audio,
        )

    @property
    def end(self) -> float:
        return self.start + self.duration

    def continues(self, other: LivePart) -> bool:
        """Whether no part is missing between the two."""
        if self.position.run == other.position.run:
            is_next = self.position.sequence == other.position.sequence + 1
        else:
            is_next = self.position.run > other.position.run and self.position.sequence == 1
        return is_next and 0 <= self.segment - other.segment <= 1


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """An HLS segment; an incomplete one is listed only as parts."""

    parts: tuple[LivePart, ...]
    is_complete: bool

    @property
    def number(self) -> int:
        return self.parts[0].segment

    @property
    def run(self) -> int:
        return self.parts[0].position.run

    @property
    def duration(self) -> float:
        return _length(self.parts)

    @property
    def listed_parts(self) -> list[tuple[LivePart, ...]]:
        """The parts as they are listed: short ones joined, without those that may yet be joined with the next."""
        listed, joined = [], []
        for part in self.parts:
            joined.append(part)
            if _length(joined) >= _MIN_LISTED_SECONDS:
                listed.append(tuple(joined))
                joined = []
        if joined and self.is_complete:
            listed.append(tuple(joined))
        return listed


@dataclass(frozen=True, slots=True)
class ReloadTarget:
    """The target of a blocking reload: a part of a segment, counted from 0, or the whole segment with `part=None`."""

    segment: int
    part: int | None = None


class LivePlaylist:
    """The playlist of some parts, which are in order; those before the last missing part are ignored."""

    def __init__(self, parts: Sequence[LivePart]) -> None:
        #: The position of the newest part, listed or not; None without parts.
        self.newest = parts[-1].position if parts else None
        #: Whether any of the parts has sound.
        self.has_audio = any(part.has_audio for part in parts)
        known = cut_segments(parts)
        self.part_seconds, self.target_seconds, first = _measure(known)
        self.segments = [segment for segment in known[first:] if segment.listed_parts]

    @property
    def is_empty(self) -> bool:
        return not self.segments

    def has(self, target: ReloadTarget) -> bool:
        """Whether a blocking reload with this target can be answered (6.2.5.2)."""
        if self.is_empty:
            return False
        last = self.segments[-1]
        if last.number != target.segment:
            return last.number > target.segment
        if target.part is None:
            return last.is_complete
        return last.is_complete or len(last.listed_parts) > target.part

    def check(self, target: ReloadTarget) -> None:
        """Raise InvalidValue for a segment or part that is too far ahead to wait for (6.2.5.2)."""
        if self.is_empty:
            return
        last = self.segments[-1]
        if target.segment > last.number + _MAX_AHEAD:
            raise InvalidValue(
                "_HLS_msn",
                f"'_HLS_msn' must be at most {last.number + _MAX_AHEAD} now, not {target.segment}",
            )
        max_part = math.ceil(3 / min(self.part_seconds, 1)) + len(last.listed_parts)
        if target.part is not None and target.segment >= last.number and target.part > max_part:
            raise InvalidValue("_HLS_part", f"'_HLS_part' must be at most {max_part} now, not {target.part}")

    def format(self, *, folder: str, can_block: bool) -> str:
        """The playlist's text. `folder` is the prefix of each URI; `can_block`: reloads and hinted parts may block."""
        control = [
            *(["CAN-BLOCK-RELOAD=YES"] if can_block else []),
            f"PART-HOLD-BACK={_PART_TARGETS_HELD_BACK * self.part_seconds:.2f}",
            f"HOLD-BACK={_TARGETS_HELD * self.target_seconds}",
        ]
        first = self.segments[0]
        lines = [
            "#EXTM3U",
            f"#EXT-X-VERSION:{VERSION}",
            f"#EXT-X-TARGETDURATION:{self.target_seconds}",
            f"#EXT-X-SERVER-CONTROL:{','.join(control)}",
            f"#EXT-X-PART-INF:PART-TARGET={self.part_seconds:.2f}",
            f"#EXT-X-MEDIA-SEQUENCE:{first.number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.parts[0].discontinuity % _DISCONTINUITIES}",
        ]
        before: LiveSegment | None = None
        for segment in self.segments:
            lines += _format_segment(segment, before, folder)
            before = segment
        if can_block and all(len(group) == 1 for segment in self.segments for group in segment.listed_parts):
            # If the run ends now, the hinted part never comes, and a request for it ends with an error.
            newest = self.segments[-1].parts[-1].position
            uri = part_uri(folder, Position(newest.run, newest.sequence + 1))
            lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{uri}"')
        return "\n".join([*lines, ""])


def cut_segments(parts: Sequence[LivePart]) -> list[LiveSegment]:
    """Segments with all parts from their first on, oldest first; the newest is incomplete."""
    groups: list[list[LivePart]] = []
    last: LivePart | None = None
    for part in parts:
        if last is None or not part.continues(last):
            # Parts before a missing one are useless, and those after it may begin in the middle of a segment.
            groups = [[part]] if part.position.sequence == 1 else [[]]
        elif part.segment != last.segment:
            groups.append([part])
        elif groups[-1]:
            groups[-1].append(part)
        last = part
    return [
        LiveSegment(tuple(group), is_complete=number < len(groups)) for number, group in enumerate(groups, 1) if group
    ]


def init_uri(folder: str, run: int) -> str:
    return f"{folder}init-{run}.mp4"


def part_uri(folder: str, position: Position) -> str:
    return f"{folder}{position.run}-{position.sequence}.m4s"


def joined_uri(folder: str, parts: Sequence[LivePart]) -> str:
    first, last = parts[0].position, parts[-1].position
    return f"{folder}{first.run}-{first.sequence}-{last.sequence}.m4s"


def _length(parts: Sequence[LivePart]) -> float:
    return sum(part.duration for part in parts)


def _measure(segments: list[LiveSegment]) -> tuple[float, int, int]:
    """The part target, the target duration, and the place of the first segment to list.

    Listed are the fewest newest segments that last as long as a playlist must, one more that may be gone when it is
    requested, and the incomplete one: the fewer segments are listed, the longer those that left the list can still be
    loaded. A target that grows would bring segments back which had left the list before. So the list is followed from
    the oldest segment on, and its first one only moves ahead: every process finds the same.
    """
    part_seconds, target_seconds, longest, longest_part = _PART_STEP_SECONDS, MIN_TARGET_SECONDS, 0.0, 0.0
    first, seconds_after_first = 0, 0.0
    for place, segment in enumerate(segments):
        longest = max(longest, segment.duration)
        longest_part = max([longest_part, *(_length(group) for group in segment.listed_parts)])
        steps = math.ceil(round(longest_part / _PART_STEP_SECONDS, 6))
        part_seconds = max(steps, 1) * _PART_STEP_SECONDS
        target_seconds = max(MIN_TARGET_SECONDS, math.floor(longest + 0.5), math.ceil(part_seconds))
        if not segment.is_complete:
            break
        seconds_after_first += segment.duration if place else 0.0
        while first < place and (rest := seconds_after_first - segments[first + 1].duration) >= (
            _TARGETS_HELD * target_seconds
        ):
            first, seconds_after_first = first + 1, rest
    return part_seconds, target_seconds, first


def _format_segment(segment: LiveSegment, before: LiveSegment | None, folder: str) -> Iterator[str]:
    if before is None or before.run != segment.run:
        if before is not None:
            yield "#EXT-X-DISCONTINUITY"
        yield f'#EXT-X-MAP:URI="{init_uri(folder, segment.run)}"'
    yield f"#EXT-X-PROGRAM-DATE-TIME:{format_time(round(segment.parts[0].start * 1_000_000) // 1000)}"
    for group in segment.listed_parts:
        independent = ",INDEPENDENT=YES" if group[0].is_key else ""
        uri = part_uri(folder, group[0].position) if len(group) == 1 else joined_uri(folder, group)
        yield f'#EXT-X-PART:DURATION={_length(group):.5f},URI="{uri}"{independent}'
    if segment.is_complete:
        yield f"#EXTINF:{segment.duration:.5f},"
        yield joined_uri(folder, segment.parts)
