"""Fields of time: moments of footage, ranges, dates, time zones and weekly plans."""

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import marshmallow as ma

from gateway.clock import DAY_MS, format_time
from gateway.schedules.recording_plan import WEEKDAYS, parse_minute

#: In a query, a `+` that is not encoded as %2B arrives as a space.
_LOST_PLUS = re.compile(r"(T[0-9:.]+) ([0-9]{2}:?[0-9]{2})$")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
MAX_SPANS = 24
MAX_MOMENT = 64
_CLOCK_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
MAX_ZONE_NAME = 64
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-/]+")
#: Files of the zone database that other machines and browsers do not know; those of `right/` count leap seconds.
_NO_ZONES = re.compile(r"(posix|right)/.*|posixrules|localtime|Factory")


class Moment(ma.fields.DateTime):
    """A moment of footage: RFC 3339 with an offset; in Python milliseconds since 1970 (UTC)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"maxLength": MAX_MOMENT} | self.metadata

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> int:
        try:
            if len(value) > MAX_MOMENT:
                raise ValueError(value)
            # fromisoformat ignores everything after a NUL.
            moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", value.replace("\0", "?")))
        except (ValueError, TypeError, AttributeError):
            raise ma.ValidationError(f"'{attr}' must be a time such as 2026-11-22T10:00:00Z") from None
        if "T" not in value.upper() or moment.tzinfo is None:
            raise ma.ValidationError(
                f"'{attr}' must be a time with an offset, such as 2026-11-22T10:00:00Z or 2026-11-22T11:00:00+01:00"
            )
        if not _FIRST_YEAR < moment.year < _LAST_YEAR:
            raise ma.ValidationError(f"'{attr}' must be after {_FIRST_YEAR} and before {_LAST_YEAR}")
        return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **_options: Any) -> str | None:
        return None if value is None else format_time(value)


class DateText(ma.fields.Date):
    """A date as YYYY-MM-DD; in Python a date."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"maxLength": 10} | self.metadata

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> date:
        return parse_date(value, attr or "date")


class ZoneName(ma.fields.String):
    """The IANA name of a time zone that this machine has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"example": "Europe/Berlin", "maxLength": MAX_ZONE_NAME} | self.metadata

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        try:
            if len(text) > MAX_ZONE_NAME or not _ZONE_NAME.fullmatch(text) or _NO_ZONES.fullmatch(text):
                raise ValueError(text)
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ma.ValidationError(
                f"'{attr}' must be the IANA name of a time zone such as Europe/Berlin, not {text[:64]!r}"
            ) from None
        return text


class Seconds(ma.fields.Float):
    """A number of seconds from `low` to `high`, to the millisecond."""

    def __init__(self, *, low: float, high: float, **options: Any) -> None:
        super().__init__(validate=ma.validate.Range(min=low, max=high), **options)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not self.low <= value <= self.high:
            raise ma.ValidationError(f"'{attr}' must be a number of seconds from {self.low:g} to {self.high:g}")
        return round(float(value), 3)


class WeeklyPlan(ma.fields.Field):
    """Spans of local time by weekday, such as {"monday": [["08:00", "18:00"]]}."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        clock = {"type": "string", "pattern": _CLOCK_PATTERN, "minLength": 5, "maxLength": 5}
        span = {"type": "array", "items": clock, "minItems": 2, "maxItems": 2}
        days = {day: {"type": "array", "items": span, "maxItems": MAX_SPANS} for day in WEEKDAYS}
        self.metadata |= {"type": "object", "properties": days, "additionalProperties": False}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_options: Any) -> Any:
        return {day: [list(span) for span in value[day]] for day in WEEKDAYS if value.get(day)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> dict[str, list[list[str]]]:
        if not isinstance(value, dict):
            raise ma.ValidationError(f"'{attr}' must be an object with lists of spans by weekday")
        unknown = next((day for day in value if day not in WEEKDAYS), None)
        if unknown is not None:
            raise ma.ValidationError(f"'{attr}.{str(unknown)[:40]}' is not a weekday: use {', '.join(WEEKDAYS)}")
        plan = {day: _parse_spans(value[day], f"{attr}.{day}") for day in WEEKDAYS if day in value}
        return {day: spans for day, spans in plan.items() if spans}


def _parse_spans(value: Any, name: str) -> list[list[str]]:
    if not isinstance(value, list):
        raise ma.ValidationError(f'\'{name}\' must be a list of spans such as [["08:00", "18:00"]]')
    if len(value) > MAX_SPANS:
        raise ma.ValidationError(f"'{name}' must have at most {MAX_SPANS} spans, not {len(value)}")
    spans = sorted(_parse_span(span, f"{name}[{number}]") for number, span in enumerate(value))
    last_end, last = 0, ""
    for start, end, text in spans:
        if start < last_end:
            raise ma.ValidationError(f"'{name}' has overlapping spans: {last} and {text}")
        last_end, last = (end if end > start else 24 * 60), text
    return [text.split("–") for _, _, text in spans]


def _parse_span(value: Any, name: str) -> tuple[int, int, str]:
    """Start and end in minutes, and both as text."""
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(text, str) for text in value):
        raise ma.ValidationError(f'\'{name}\' must be a start and an end such as ["08:00", "18:00"]')
    try:
        start, end = (parse_minute(text[:20]) for text in value)
    except ValueError as error:
        raise ma.ValidationError(f"'{name}': {error}") from None
    if start == 24 * 60:
        raise ma.ValidationError(f"'{name}' must not begin at 24:00: begin at 00:00 of the next day")
    if start == end:
        raise ma.ValidationError(f'\'{name}\' must not end at its start: a whole day is ["00:00", "24:00"]')
    return start, end, "–".join(value)


def now_ms() -> int:
    """The current time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def parse_date(value: Any, name: str) -> date:
    """A date of footage from YYYY-MM-DD; raises marshmallow's ValidationError."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None:
        raise ma.ValidationError(f"'{name}' must be a date such as 2026-11-22")
    if not _FIRST_YEAR < found.year < _LAST_YEAR:
        raise ma.ValidationError(f"'{name}' must be after {_FIRST_YEAR} and before {_LAST_YEAR}")
    return found


def format_days(days: float) -> str:
    """A length of time as an error message names it: in hours below two days."""
    return f"{days * 24:g} hours" if days < 2 else f"{days:g} days"


class OrderedRange:
    """Mixin of schemas with `start` and `end`: the end is after the start, and at most `max_days` after it."""

    max_days: float | None = None

    @ma.validates_schema
    def check_order(self, data: dict[str, Any], **_options: Any) -> None:
        start, end = data.get("start"), data.get("end")
        if start is None or end is None:
            return
        if end <= start:
            raise ma.ValidationError({"end": ["'end' must be after 'start'"]})
        if self.max_days is not None and end - start > self.max_days * DAY_MS:
            raise ma.ValidationError({"end": [f"'end' must be at most {format_days(self.max_days)} after 'start'"]})
