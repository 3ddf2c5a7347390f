"""Limits of JSON values that are stored as options, whatever a plugin's schema accepts."""

import json
import math
from typing import Any

from gateway.plugin_options.json_schema import MAX_NUMBER

#: Longest JSON of the options at one place, in characters.
MAX_JSON = 65_536
_MAX_DEPTH = 16


def find_excess(values: Any) -> str | None:
    """What is too deep, too long or not JSON about a value, as the rest of a sentence; None if nothing is."""
    waiting = [(values, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            return f"must not be nested deeper than {_MAX_DEPTH} levels"
        if isinstance(value, dict):
            waiting += [(part, depth + 1) for part in value.values()]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]
        elif isinstance(value, float) and not math.isfinite(value):
            return "must not contain NaN or infinite numbers"
        elif isinstance(value, int | float) and abs(value) > MAX_NUMBER:
            return f"must not contain numbers beyond {MAX_NUMBER}"
    if len(json.dumps(values)) > MAX_JSON:
        return f"must have at most {MAX_JSON} characters as JSON"
    return None
