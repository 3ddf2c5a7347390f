"""Reasons for missing footage: holes between segments, explained by recorded gaps or by the recording's state. Pure.

All times are milliseconds since 1970, UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from gateway.schedules.recording_plan import Decision

#: Shorter holes are ignored: wall-clock times of parts are rounded, and a new run begins a moment after the last one.
HOLE_MS = 200
#: Time after the newest indexed part in which the recorder may not have written the next parts to the index yet.
INDEX_LAG_MS = 10_000

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class GapFact:
    """A range without footage. `end_ms` is None while it lasts. `message` replaces the general text of the reason."""

    start_ms: int
    end_ms: int | None
    reason_code: str
    by_name: str | None = None
    is_wanted: bool = True
    message: str | None = None

    def until(self, now_ms: int) -> int:
        """The end of the gap, or the present for one that lasts."""
        return now_ms if self.end_ms is None else self.end_ms


@dataclass(frozen=True, slots=True)
class Knowledge:
    """State of a recording, which explains holes that no gap covers.

    Nothing was recorded before `begins_ms`. Retention deleted what is not covered before `expired_before_ms`.
    `decision` is the desired state now; `observed` and `reason_code` are the recorder's.
    """

    now_ms: int
    begins_ms: int
    expired_before_ms: int
    decision: Decision
    observed: str
    reason_code: str | None


def explain_holes(holes: Iterable[Range], noted: Sequence[GapFact], known: Knowledge) -> list[GapFact]:
    """Cut each hole into gaps with one reason: that of the recorded gaps, otherwise the one inferred from `known`.

    Holes and `noted` are in order of time. A hole that reaches the present gives a gap without an end.
    """
    found: list[GapFact] = []
    first = 0
    for start, end in holes:
        place = start
        while first < len(noted) and noted[first].until(known.now_ms) <= start:
            first += 1
        for gap in islice(noted, first, None):
            if gap.start_ms >= end:
                break
            gap_end = min(gap.until(known.now_ms), end)
            if gap_end <= place:
                continue
            if gap.start_ms - place > HOLE_MS:
                found += infer_gaps(place, gap.start_ms, known)
                place = gap.start_ms
            lasts = gap.end_ms is None and gap_end == known.now_ms
            found.append(replace(gap, start_ms=place, end_ms=None if lasts else gap_end))
            place = gap_end
        if end - place > HOLE_MS:
            found += infer_gaps(place, end, known)
    return join_gaps(found)


def infer_gaps(start_ms: int, end_ms: int, known: Knowledge) -> list[GapFact]:
    """Gaps for a range without footage that no recorded gap covers."""
    found: list[GapFact] = []

    def take_until(limit_ms: int, **facts: object) -> None:
        nonlocal start_ms
        if start_ms < min(limit_ms, end_ms):
            found.append(GapFact(start_ms, min(limit_ms, end_ms), **facts))
            start_ms = min(limit_ms, end_ms)

    take_until(known.begins_ms, reason_code="not_recorded_yet", is_wanted=False)
    take_until(known.expired_before_ms, reason_code="retention", is_wanted=False)
    if end_ms < known.now_ms:
        if not _is_only_behind(start_ms, known):
            take_until(end_ms, reason_code="unknown", message="no reason was noted")
    elif start_ms < end_ms:
        found += _infer_present(start_ms, known)
    return found


def _is_only_behind(start_ms: int, known: Knowledge) -> bool:
    """Whether the footage since `start_ms` is merely not in the index yet."""
    is_recorded = known.decision.is_wanted and known.observed == "recording"
    return is_recorded and known.now_ms - start_ms < INDEX_LAG_MS


def _infer_present(start_ms: int, known: Knowledge) -> list[GapFact]:
    """The gap of a range that reaches the present: footage is not wanted, or the recorder is away."""
    if not known.decision.is_wanted:
        code = known.decision.reason_code or "recording_off"
        return [GapFact(start_ms, None, code, known.decision.by_name, is_wanted=False)]
    if _is_only_behind(start_ms, known):
        return []
    if known.observed in ("waiting", "interrupted") and known.reason_code:
        return [GapFact(start_ms, None, known.reason_code)]
    return [GapFact(start_ms, None, "recorder_away")]


def join_gaps(gaps: Iterable[GapFact]) -> list[GapFact]:
    """The gaps in order of time, with adjacent gaps of the same reason merged."""
    joined: list[GapFact] = []
    for gap in sorted(gaps, key=lambda gap: gap.start_ms):
        if joined:
            last = joined[-1]
            touches = last.end_ms is not None and gap.start_ms - last.end_ms <= HOLE_MS
            if touches and replace(last, start_ms=gap.start_ms, end_ms=gap.end_ms) == gap:
                joined[-1] = replace(last, end_ms=gap.end_ms)
                continue
        joined.append(gap)
    return joined


def merge_ranges(ranges: Iterable[Range], *, within_ms: int = 0) -> list[Range]:
    """The ranges in order, merged where they overlap, touch or are at most `within_ms` apart."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start - merged[-1][1] <= within_ms:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def cut_out(ranges: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """Subtract the ranges `taken` from the other ranges."""
    taken = merge_ranges(taken)
    remaining: list[Range] = []
    first = 0
    for start, end in merge_ranges(ranges):
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        place, index = start, first
        while index < len(taken) and taken[index][0] < end:
            if taken[index][0] > place:
                remaining.append((place, taken[index][0]))
            place = max(place, taken[index][1])
            index += 1
        if place < end:
            remaining.append((place, end))
    return remaining
