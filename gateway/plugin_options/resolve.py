"""Effective options: for each field the value of the highest level that has one which fits the schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma

from gateway.plugin_options.forms import Form

DEVICE, TAG, INSTALLATION, DEFAULT = "device", "tag", "installation", "default"
_MAX_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Problem:
    """A stored value that is not used, and why. `name` is None for a fault of all values together."""

    name: str | None
    level: str
    tag: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Layer:
    """The values that were set at one level, with opened secrets, and those that cannot be opened."""

    level: str
    values: Mapping[str, Any]
    tag: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The level that an effective value comes from. `other_tags` are tags that set another value and lost."""

    level: str
    tag: str | None = None
    other_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Effective:
    """Effective options: Python values for the plugin, JSON values without those of defaults, and their origins."""

    values: Mapping[str, Any]
    chosen: Mapping[str, Any]
    origins: Mapping[str, Origin]
    problems: tuple[Problem, ...] = field(default=())


def resolve(form: Form, layers: Sequence[Layer]) -> Effective:
    """Merge layers, the highest first: a device's own, those of its tags in alphabetical order, the installation's.

    A value that does not fit is left out, and the next level counts. Never raises.
    """
    problems = [problem for layer in layers for problem in layer.problems if problem.name in form.fields]
    candidates = {name: [layer for layer in layers if name in layer.values] for name in form.fields}
    while True:
        chosen = {name: found[0].values[name] for name, found in candidates.items() if found}
        try:
            values = form.load(chosen)
            break
        except ma.ValidationError as error:
            messages = error.normalized_messages()
        if not chosen:
            values = form.initial
            break
        bad = {name: text for name, text in messages.items() if candidates.get(name)}
        if not bad:
            # All values together do not fit: the highest level gives way.
            bad = dict.fromkeys(_of_highest_level(candidates, layers), first_text(messages))
            names: list[str | None] = [None]
        else:
            names = list(bad)
        levels = {name: candidates[name].pop(0) for name in bad}
        for name in names:
            layer = levels[name] if name else next(iter(levels.values()))
            problems.append(Problem(name, layer.level, layer.tag, first_text(messages.get(name, messages))))
    origins = {name: _origin_of(name, found) for name, found in candidates.items()}
    return Effective(values, chosen, origins, tuple(problems))


def unknown_names(layer: Layer, *forms: Form) -> list[Problem]:
    """A problem for each value of a layer that no form has a field for."""
    known = {name for form in forms for name in form.fields}
    return [
        Problem(name, layer.level, layer.tag, f"'{name}' is not an option of this version of the plugin")
        for name in layer.values
        if name not in known
    ]


def first_text(messages: Any) -> str:
    """The first text in nested validation messages."""
    while isinstance(messages, dict | list) and messages:
        messages = next(iter(messages.values())) if isinstance(messages, dict) else messages[0]
    return str(messages)[:_MAX_MESSAGE]


def _of_highest_level(candidates: Mapping[str, list[Layer]], layers: Sequence[Layer]) -> list[str]:
    for layer in layers:
        names = [name for name, found in candidates.items() if found and found[0] is layer]
        if names:
            return names
    raise AssertionError("a form accepts its defaults")


def _origin_of(name: str, found: Sequence[Layer]) -> Origin:
    if not found:
        return Origin(DEFAULT)
    best = found[0]
    if best.level != TAG:
        return Origin(best.level)
    others = [layer for layer in found[1:] if layer.level == TAG and layer.values[name] != best.values[name]]
    return Origin(TAG, best.tag, tuple(layer.tag or "" for layer in others))
