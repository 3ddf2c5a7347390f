"""Strict input fields: JSON types without coercion, text without control characters."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import marshmallow as ma

from gateway.bidi import remove_bidi_controls
from gateway.clock import format_time, to_ms

_LINE_CHARACTERS = frozenset("\n\t")
#: NFC shortens a text to a quarter at most (UAX #15).
_MAX_SHORTENING = 4
#: Longest run of combining marks (as in the stream-safe text of UAX #15); sorting longer ones takes quadratic time.
_MAX_MARKS = 30


def _about(attr: str | None, message: str) -> str:
    """The message with the name of its field; entries of a list have none."""
    return message if attr is None else f"'{attr}' {message}"


def add_check(options: dict[str, Any], check: Any) -> dict[str, Any]:
    """The options of a field with a check before those that its author gave as `validate`."""
    given = options.get("validate") or []
    return {**options, "validate": [check, *(given if isinstance(given, list | tuple) else [given])]}


class Text(ma.fields.String):
    """Text, stripped, normalized to NFC, without control characters. Controls of its direction are removed.

    `lines=True` allows line breaks and tabs. A text that is too long in any normal form is refused before anything
    else is done with it.
    """

    def __init__(self, *, low: int = 0, high: int = 200, lines: bool = False, **options: Any) -> None:
        limits = f"must have {low} to {high} characters" if low else f"must have at most {high} characters"
        super().__init__(**add_check(options, ma.validate.Length(min=low or None, max=high, error=limits)))
        self.low, self.high, self.lines, self._limits = low, high, lines, limits

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if self.lines:
            text = text.replace("\r\n", "\n")
        if len(text.strip()) > _MAX_SHORTENING * self.high:
            raise ma.ValidationError(self._limits)
        text = remove_bidi_controls(text)
        marks = 0
        for character in text:
            marks = marks + 1 if unicodedata.combining(character) else 0
            if marks > _MAX_MARKS:
                raise ma.ValidationError(_about(attr, f"must have at most {_MAX_MARKS} combining marks in a row"))
            if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and not (
                self.lines and character in _LINE_CHARACTERS
            ):
                raise ma.ValidationError(
                    _about(attr, f"must not contain control characters, such as U+{ord(character):04X}")
                )
        return unicodedata.normalize("NFC", text).strip()


class Flag(ma.fields.Boolean):
    """A JSON boolean; no other value counts as true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> bool:
        if not isinstance(value, bool):
            raise ma.ValidationError(f"'{attr}' must be true or false")
        return value


class Count(ma.fields.Integer):
    """An integer from `low` to `high`: text in a query, a number in JSON."""

    def __init__(self, *, low: int, high: int, **options: Any) -> None:
        super().__init__(**add_check(options, ma.validate.Range(min=low, max=high)))
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> int:
        message = f"'{attr}' must be a whole number from {self.low} to {self.high}"
        if isinstance(value, str) and not isinstance(data, dict):  # a query, not JSON
            if not (value.isascii() and value.isdigit() and len(value) <= 12):
                raise ma.ValidationError(message)
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ma.ValidationError(message)
        return value


class Choice(ma.fields.String):
    """One of several words."""

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        self.words = tuple(words)
        check = ma.validate.OneOf(self.words, error=f"must be one of {', '.join(self.words)}")
        super().__init__(**add_check(options, check))


class Id(ma.fields.UUID):
    """A UUID; in Python a string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str):
            raise ma.ValidationError(_about(attr, "must be a UUID"))
        return str(super()._deserialize(value, attr, data, **options))


class ShortList(ma.fields.List):
    """A list whose length is checked before its entries are read."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> list[Any]:
        if isinstance(value, list | tuple):
            for check in self.validators:
                check(value)
        return super()._deserialize(value, attr, data, **options)


class Choices(ShortList):
    """Query parameter of a list: each of several words at most once; all of them without any."""

    def __init__(self, words: Iterable[str], description: str, **options: Any) -> None:
        words = tuple(words)
        super().__init__(
            Choice(words),
            load_default=list,
            validate=ma.validate.Length(max=len(words), error=f"must be at most {len(words)}"),
            metadata={"description": description},
            **options,
        )


class DeviceIds(ShortList):
    """Query parameter of a list: the ids of the devices to include; all devices without any."""

    MAX = 200

    def __init__(self, description: str, **options: Any) -> None:
        super().__init__(
            Id(),
            load_default=list,
            validate=ma.validate.Length(max=self.MAX, error=f"must be at most {self.MAX}"),
            metadata={"description": description},
            **options,
        )


class Time(ma.fields.DateTime):
    """A time; sent as RFC 3339 in UTC with milliseconds and Z."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **_options: Any) -> str | None:
        if value is None:
            return None
        return format_time(to_ms(value))
