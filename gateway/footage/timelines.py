"""Timelines of a recording: covered spans, and every gap with its reason, over seconds or over years.

All times are milliseconds since 1970, UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway import database
from gateway.clock import DAY_MS
from gateway.footage.amounts import amounts_by_bucket, amounts_by_day
from gateway.footage.coverage import DayCoverage, measure_days
from gateway.footage.gaps import (
    GapFact,
    Knowledge,
    Range,
    cut_out,
    explain_holes,
    infer_gaps,
    join_gaps,
)
from gateway.footage.reading import holes_between, main_gap, missing_files, nearest_footage, noted_gaps, read_knowledge
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS
from gateway.schedules.local_days import LocalDay, offset_steps
from gateway.schedules.recording_plan import find_zone
from gateway.tenancy.scopes import EveryTenantScope

#: Longest range whose timeline is read from segments, exact to the millisecond; longer ones use the roll-up.
EXACT_MS = 3 * DAY_MS
_EXACT_RESOLUTION_MS = 1000
#: Approximate limits of a timeline's spans and gaps.
_MAX_SPANS = 2000
_MAX_GAPS = 5000
#: Resolutions of a long timeline in multiples of 15 minutes, up to 4 weeks.
_STEPS = (1, 2, 4, 8, 12, 24, 48, 96, 192, 384, 672, 1344, 2688)

#: Footage that a full bucket of the roll-up may lack: a segment counts where it begins, and may end in the next bucket.
ROLLUP_SLACK_MS = 3000
#: Limit of ranges that are each read by a query of their own.
MAX_LOOK_UPS = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A range with footage; `coverage` (0 to 1) is below 1 when it has holes shorter than the resolution."""

    start_ms: int
    end_ms: int
    coverage: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The covered spans of a range, and the gaps between them."""

    resolution_ms: int
    spans: list[Span]
    gaps: list[GapFact]


def read_timeline(
    scope: EveryTenantScope,
    recording: Recording,
    start_ms: int,
    end_ms: int,
    *,
    now_ms: int,
    resolution_ms: int | None = None,
) -> Timeline:
    """The timeline of a range, up to the present.

    Up to three days it has every gap; over longer ranges only gaps at least as long as the resolution, which then is a
    multiple of 15 minutes.
    """
    with database.session():
        known = read_knowledge(scope, recording, now_ms)
        if end_ms - start_ms <= EXACT_MS:
            resolution_ms = resolution_ms or _EXACT_RESOLUTION_MS
            return _read_near(recording.id, start_ms, min(end_ms, now_ms), resolution_ms, known)
        needed_ms = max(resolution_ms or 0, -(-(end_ms - start_ms) // _MAX_SPANS))
        step = next((step for step in _STEPS if step * FIFTEEN_MINUTES_MS >= needed_ms), _STEPS[-1])
        return _read_far(recording.id, start_ms, min(end_ms, now_ms), step * FIFTEEN_MINUTES_MS, known)


def read_dates(
    scope: EveryTenantScope, recording: Recording, days: Sequence[LocalDay], zone: str, *, now_ms: int
) -> list[DayCoverage]:
    """The coverage for a calendar, fast over years. Unrecorded gaps count as wanted time, but are not listed."""
    with database.session():
        known = read_knowledge(scope, recording, now_ms)
        start_ms, end_ms = days[0].start_ms, min(days[-1].end_ms, now_ms)
        gaps = noted_gaps(recording.id, start_ms, end_ms)
        unknown = [(start_ms, min(end_ms, max(known.begins_ms, known.expired_before_ms)))]
        for low, high in cut_out([r for r in unknown if r[1] > r[0]], clip_gaps(gaps, start_ms, end_ms, now_ms)):
            gaps += infer_gaps(low, high, known)
        if not known.decision.is_wanted and not any(gap.end_ms is None for gap in gaps):
            newest_ms, _ = nearest_footage(recording.id, now_ms)
            since_ms = max(start_ms, known.begins_ms if newest_ms is None else newest_ms)
            gaps += infer_gaps(since_ms, now_ms, known) if since_ms < end_ms else []
        amounts = amounts_by_day(recording.id, days, offset_steps(find_zone(zone), days))
        return measure_days(days, amounts, join_gaps(gaps), now_ms)


def _read_near(recording_id: int, start_ms: int, end_ms: int, resolution_ms: int, known: Knowledge) -> Timeline:
    holes = holes_between(recording_id, start_ms, end_ms)
    covered = cut_out([(start_ms, end_ms)], holes) if end_ms > start_ms else []
    spans = _merge_spans(covered, resolution_ms)
    gaps = explain_holes(holes, _all_noted(recording_id, start_ms, end_ms), known)
    return Timeline(resolution_ms, spans, _look_up(recording_id, gaps))


def _merge_spans(covered: Iterable[Range], resolution_ms: int) -> list[Span]:
    spans: list[Span] = []
    start = end = inside = 0
    for low, high in covered:
        if inside and low - end > resolution_ms:
            spans.append(Span(start, end, _share(inside, end - start)))
            inside = 0
        if not inside:
            start = low
        end, inside = high, inside + high - low
    if inside:
        spans.append(Span(start, end, _share(inside, end - start)))
    return spans


def _read_far(recording_id: int, start_ms: int, end_ms: int, bucket_ms: int, known: Knowledge) -> Timeline:
    amounts = amounts_by_bucket(recording_id, start_ms, end_ms, bucket_ms)
    # The roll-up has whole quarters of an hour; the current one reaches only up to now.
    first_ms = start_ms - start_ms % FIFTEEN_MINUTES_MS
    last_ms = min(-(-end_ms // FIFTEEN_MINUTES_MS) * FIFTEEN_MINUTES_MS, known.now_ms)
    spans: list[Span] = []
    empty: list[Range] = []
    for bucket in range(first_ms // bucket_ms, -(-last_ms // bucket_ms)):
        low, high = max(bucket * bucket_ms, first_ms), min((bucket + 1) * bucket_ms, last_ms)
        shown = (max(low, start_ms), min(high, end_ms))
        amount = amounts.get(bucket)
        if amount is None or amount.recorded_ms <= 0:
            empty.append(shown)
            continue
        share = 1.0 if amount.recorded_ms >= high - low - ROLLUP_SLACK_MS else _share(amount.recorded_ms, high - low)
        if spans and spans[-1].end_ms == shown[0] and spans[-1].coverage == share:
            spans[-1] = Span(spans[-1].start_ms, shown[1], share)
        else:
            spans.append(Span(*shown, share))
    noted = noted_gaps(recording_id, start_ms, end_ms, at_least_ms=bucket_ms, limit=_MAX_GAPS)
    remaining = cut_out(empty, clip_gaps(noted, start_ms, end_ms, known.now_ms))
    return Timeline(bucket_ms, spans, join_gaps([*noted, *infer_reasons(recording_id, remaining, known)]))


def _all_noted(recording_id: int, start_ms: int, end_ms: int) -> list[GapFact]:
    noted = [*noted_gaps(recording_id, start_ms, end_ms), *missing_files(recording_id, start_ms, end_ms)]
    return sorted(noted, key=lambda gap: gap.start_ms)


def infer_reasons(recording_id: int, holes: Sequence[Range], known: Knowledge) -> list[GapFact]:
    """Gaps for holes that no recorded gap covers."""
    return _look_up(recording_id, explain_holes(holes, (), known))


def _look_up(recording_id: int, gaps: Sequence[GapFact]) -> list[GapFact]:
    """Look up a reason for unexplained gaps: many short recorded gaps, or one from long before, may explain them."""
    found = []
    for number, gap in enumerate(gaps):
        if gap.reason_code == "unknown" and gap.end_ms is not None and number < MAX_LOOK_UPS:
            found.append(main_gap(recording_id, gap.start_ms, gap.end_ms) or gap)
        else:
            found.append(gap)
    return join_gaps(found)


def clip_gaps(gaps: Iterable[GapFact], start_ms: int, end_ms: int, now_ms: int) -> list[Range]:
    """The parts of gaps within a range."""
    ranges = [(max(gap.start_ms, start_ms), min(gap.until(now_ms), end_ms)) for gap in gaps]
    return [(low, high) for low, high in ranges if high > low]


def _share(part_ms: int, whole_ms: int) -> float:
    return min(1.0, round(part_ms / whole_ms, 4)) if whole_ms > 0 else 0.0
