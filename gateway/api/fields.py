"""Strict input fields: JSON types without coercion, text without control characters."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import marshmallow as ma

from gateway.clock import format_time, to_ms

_LINE_CHARACTERS = frozenset("\n\t")


def _about(attr: str | None, message: str) -> str:
    """The message with the name of its field; entries of a list have none."""
    return message if attr is None else f"'{attr}' {message}"


class Text(ma.fields.String):
    """Text, stripped, normalized to NFC, without control characters.

    `lines=True` allows line breaks and tabs.
    """

    def __init__(self, *, low: int = 0, high: int = 200, lines: bool = False, **options: Any) -> None:
        limits = f"must have {low} to {high} characters" if low else f"must have at most {high} characters"
        super().__init__(validate=ma.validate.Length(min=low or None, max=high, error=limits), **options)
        self.low, self.high, self.lines = low, high, lines

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if self.lines:
            text = text.replace("\r\n", "\n")
        for character in text:
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
        super().__init__(validate=ma.validate.Range(min=low, max=high), **options)
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
        super().__init__(
            validate=ma.validate.OneOf(self.words, error=f"must be one of {', '.join(self.words)}"), **options
        )


class Id(ma.fields.UUID):
    """A UUID; in Python a string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str):
            raise ma.ValidationError(_about(attr, "must be a UUID"))
        return str(super()._deserialize(value, attr, data, **options))


class DeviceIds(ma.fields.List):
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
