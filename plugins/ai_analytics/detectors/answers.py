"""Checks what a detector answers: a detector may be wrong in every way."""

import math
from collections.abc import Iterable
from typing import Any

from gateway.plugin_api import Detection

MOST_DETECTIONS = 200
_MOST_LABEL = 60
#: A box may stick out by this much, from rounding.
_EDGE = 0.02


def check_detections(values: Any) -> tuple[list[Detection], str | None]:
    """The valid detections, cut to the picture; and what is wrong with the first that is not.

    `values`: Detections, or sequences or objects (`label`, `score`, `x`, `y`, `width`, `height`).
    """
    if values is None or isinstance(values, str | bytes) or not isinstance(values, Iterable):
        return [], f"its answer is not a list but {type(values).__name__}"
    found: list[Detection] = []
    problem = None
    for index, value in enumerate(values):
        if index >= MOST_DETECTIONS:
            return found, problem or f"it answers more than {MOST_DETECTIONS} boxes"
        try:
            found.append(_check(value))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            problem = problem or str(error)[:200] or type(error).__name__
    return found, problem


def _check(value: Any) -> Detection:
    if isinstance(value, Detection):
        label, numbers = value.label, (value.score, value.x, value.y, value.width, value.height)
    elif isinstance(value, dict):
        label, numbers = value["label"], tuple(value[name] for name in ("score", "x", "y", "width", "height"))
    else:
        label, *numbers = value
    if not isinstance(label, str) or not 0 < len(label) <= _MOST_LABEL or not label.isprintable():
        raise ValueError("a label is not a short text")
    if len(numbers) != 5 or any(isinstance(one, bool | str) for one in numbers):
        raise ValueError("a box is not five numbers: score, x, y, width, height")
    score, x, y, width, height = (float(one) for one in numbers)
    if not all(math.isfinite(one) for one in (score, x, y, width, height)):
        raise ValueError("a box has a number that is not finite")
    if not 0 <= score <= 1:
        raise ValueError(f"a score is not from 0 to 1: {score:.3g}")
    if width <= 0 or height <= 0 or x < -_EDGE or y < -_EDGE or x + width > 1 + _EDGE or y + height > 1 + _EDGE:
        raise ValueError(f"a box is outside the picture: {x:.3g}, {y:.3g}, {width:.3g} × {height:.3g}")
    left, top = max(0.0, x), max(0.0, y)
    right, bottom = min(1.0, x + width), min(1.0, y + height)
    return Detection(label.strip().lower(), score, left, top, right - left, bottom - top)
