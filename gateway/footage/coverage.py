"""Coverage: recorded and wanted time of each day, and every gap with its reason; also as CSV. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from gateway.clock import format_time
from gateway.footage.gaps import GapFact, merge_ranges
from gateway.schedules.local_days import LocalDay, as_local
from gateway.states import reason_for

#: Columns of the CSV: one row for each day, followed by one for each of its gaps.
CSV_HEAD = (
    "device_id",
    "device_name",
    "date",
    "time_zone",
    "kind",
    "recorded_seconds",
    "wanted_seconds",
    "coverage",
    "gap_start",
    "gap_end",
    "gap_start_utc",
    "gap_end_utc",
    "gap_seconds",
    "is_wanted",
    "reason_code",
    "reason",
    "by",
)
#: A cell that begins with one of these is a formula to a spreadsheet, also behind spaces and quotes.
_FORMULA_SIGNS = frozenset("=+-@\t\r＝＋－＠")
#: What ends a cell, depending on the settings of the spreadsheet and of the system, whatever the quotes say.
_SEPARATORS = frozenset(",;|\t\r\n\v\f")


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """A day. `gaps` are cut at its ends, and an open gap has no end. `wanted_ms` is 0 when footage was not wanted."""

    day: LocalDay
    recorded_ms: int = 0
    bytes: int = 0
    segments: int = 0
    wanted_ms: int = 0
    archived_bytes: int = 0
    away_bytes: int = 0
    gaps: list[GapFact] = field(default_factory=list)

    @property
    def coverage(self) -> float | None:
        """The recorded share (0 to 1) of the wanted time; None when footage was not wanted."""
        return min(1.0, round(self.recorded_ms / self.wanted_ms, 4)) if self.wanted_ms > 0 else None


@dataclass(frozen=True, slots=True)
class DeviceCoverage:
    """The coverage of a device, by day."""

    device_id: str
    device_name: str
    days: list[DayCoverage]


def measure_days(
    days: Sequence[LocalDay], amounts: Mapping[int, Sequence[int]], gaps: Sequence[GapFact], now_ms: int
) -> list[DayCoverage]:
    """The coverage of the days up to the present one. `amounts` has `Amount`s by day number.

    Wanted is the time of a day that has passed, without gaps in which footage was not wanted. `gaps` are in order of
    time.
    """
    found: list[DayCoverage] = []
    first = 0
    for day in days:
        passed_ms = min(day.end_ms, now_ms) - day.start_ms
        if passed_ms < 0 or (passed_ms == 0 and day.end_ms > day.start_ms):
            break
        while first < len(gaps) and gaps[first].until(now_ms) <= day.start_ms:
            first += 1
        inside = []
        for gap in gaps[first:]:
            if gap.start_ms >= day.end_ms:
                break
            if day.overlap_ms(gap.start_ms, gap.until(now_ms)):
                inside.append(_cut(gap, day, now_ms))
        unwanted = merge_ranges((gap.start_ms, gap.until(now_ms)) for gap in inside if not gap.is_wanted)
        wanted_ms = max(0, passed_ms - sum(end - start for start, end in unwanted))
        recorded_ms, size, segments, *tiers = amounts.get(day.number, (0, 0, 0))
        archived, away = tiers or (0, 0)
        found.append(DayCoverage(day, recorded_ms, size, segments, wanted_ms, archived, away, inside))
    return found


def _cut(gap: GapFact, day: LocalDay, now_ms: int) -> GapFact:
    start_ms = max(gap.start_ms, day.start_ms)
    if gap.end_ms is None and now_ms < day.end_ms:
        return replace(gap, start_ms=start_ms)
    return replace(gap, start_ms=start_ms, end_ms=min(gap.until(now_ms), day.end_ms))


def write_csv(devices: Iterable[DeviceCoverage], zone: ZoneInfo, now_ms: int) -> Iterator[str]:
    """The coverage as CSV (RFC 4180, with a header), some rows at a time. Times are local with offset, and UTC."""
    yield _format_row(CSV_HEAD)
    for device in devices:
        yield "".join(_format_row(row) for row in _rows(device, zone, now_ms))


def _rows(device: DeviceCoverage, zone: ZoneInfo, now_ms: int) -> Iterator[Sequence[object]]:
    for day in device.days:
        head = (device.device_id, device.device_name, day.day.date.isoformat(), zone.key)
        share = "" if day.coverage is None else f"{day.coverage:.4f}"
        yield (*head, "day", _seconds(day.recorded_ms), _seconds(day.wanted_ms), share, *[""] * 9)
        for gap in day.gaps:
            reason = reason_for(gap.reason_code, gap.message)
            lasts = gap.end_ms is None
            yield (
                *head,
                "gap",
                "",
                "",
                "",
                _local(zone, gap.start_ms),
                "" if lasts else _local(zone, gap.end_ms),
                format_time(gap.start_ms),
                "" if lasts else format_time(gap.end_ms),
                _seconds(gap.until(now_ms) - gap.start_ms),
                "yes" if gap.is_wanted else "no",
                reason.code,
                reason.message,
                gap.by_name or "",
            )


def _format_row(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_safe(str(cell)) for cell in cells])
    return text.getvalue()


def _safe(text: str) -> str:
    """A cell no part of which a spreadsheet runs as a formula, because people choose the names in it.

    A `'` is put before each part that would be one, where a part also begins behind every separator: of `a;=1+1`, a
    spreadsheet whose separator is `;` makes two cells.
    """
    pieces, beginning = [""], 0
    for character in text:
        if beginning is not None and character in _FORMULA_SIGNS:
            pieces[beginning] = "'"
            beginning = None
        pieces.append(character)
        if character in _SEPARATORS:
            beginning = len(pieces)
            pieces.append("")
        elif not (character.isspace() or character in "\"'“”„"):
            beginning = None
    return "".join(pieces)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


def _local(zone: ZoneInfo, at_ms: int) -> str:
    return as_local(zone, at_ms).isoformat(timespec="milliseconds")
