"""Fields for the schemas of options, in addition to marshmallow's and those of `gateway.fields`.

The UI chooses the part of the form by the kind of a field: `x-kind` in its JSON Schema (`json_schema.py`).
"""

import re
from typing import Any

import marshmallow as ma

from gateway.fields import Count, add_check

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_CLOCK_PATTERN = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"


class Duration(Count):
    """A time span in whole seconds; forms show it in the unit that suits."""

    def __init__(self, *, low: int = 0, high: int = 10 * 366 * 86_400, **options: Any) -> None:
        super().__init__(low=low, high=high, **options)
        self.metadata = {"kind": "duration", "unit": "s", **self.metadata}


class TimeWindow(ma.fields.Field):
    """A part of each day: `{"from": "22:00", "to": "06:00"}`, local time; over midnight if it ends before it begins."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metadata = {"kind": "time_window", **self.metadata}

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of a value."""
        moment = {"type": "string", "pattern": _CLOCK_PATTERN, "maxLength": 5}
        return {
            "type": "object",
            "properties": {"from": moment, "to": moment},
            "required": ["from", "to"],
            "additionalProperties": False,
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_options: Any) -> dict[str, str]:
        if not isinstance(value, dict) or value.keys() != {"from", "to"}:
            raise ma.ValidationError(f"'{attr}' must be an object with 'from' and 'to'")
        for name in ("from", "to"):
            if not isinstance(value[name], str) or not _CLOCK.fullmatch(value[name]):
                raise ma.ValidationError(f"'{name}' must be a time of day, such as 22:30")
        if value["from"] == value["to"]:
            raise ma.ValidationError("'from' and 'to' must differ")
        return {"from": value["from"], "to": value["to"]}


class Secret(ma.fields.String):
    """A text that is encrypted at rest and never shown."""

    def __init__(self, *, high: int = 4000, **options: Any) -> None:
        check = ma.validate.Length(max=high, error=f"must have at most {high} characters")
        super().__init__(**add_check(options, check))
        self.metadata = {**self.metadata, "secret": True}
