"""What plugins may use, as lines of text: each name of gateway/plugin_api with its signature, fields and methods.

`python -m tests.contracts.plugin_api` records it in tests/contracts/plugin_api.txt, each line with the version of the
plugin API that brought it; do so when a change is intended. It refuses a change that API_VERSION does not allow:
what is new needs a version that was not released, what goes or changes a new major version. `--release` notes that the
present version is released, at each release of VAS.
"""

import dataclasses
import enum
import inspect
import re
import sys
import typing
from abc import ABC
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import peewee

from gateway import plugin_api
from gateway.hookspecs import Hooks
from gateway.plugin_api import database, web

RECORD = Path(__file__).with_name("plugin_api.txt")

#: Its fields are the settings, which have a contract of their own.
_OPAQUE = {"Config"}
_MODULES: dict[str, ModuleType] = {"": plugin_api, "database.": database, "web.": web}
_PLACE = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])")
#: Values whose text is the same everywhere; those of the version and of VAS itself change.
_PLAIN = (str, int, float, tuple)
_VERSIONS = {"API_VERSION", "VAS_VERSION"}
_UNHASHABLE = {"REASONS", "BINARY"}
#: Classes whose objects only VAS makes.
_MADE_BY_VAS = {"PluginContext"}
#: Protocols that plugins implement.
_IMPLEMENTED = {"Archive"}


class NotAllowed(Exception):
    """A change that the version of the plugin API does not allow."""


@dataclasses.dataclass(frozen=True)
class Record:
    """The recorded lines with the version that brought each, and the last released version (None before the first)."""

    lines: dict[str, str]
    released: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Record":
        """The reverse of `format`."""
        head, *lines = text.splitlines()
        released = head.removeprefix("released ")
        return cls(
            {line.partition(" ")[2]: line.partition(" ")[0] for line in lines}, released.replace("none", "") or None
        )

    def format(self) -> str:
        """One line for each, sorted by their text."""
        lines = [f"{self.lines[line]} {line}" for line in sorted(self.lines)]
        return "\n".join([f"released {self.released or 'none'}", *lines]) + "\n"

    def update(self, present: Iterable[str], version: str) -> "Record":
        """The record of `present`, whose version is `version`. Raises NotAllowed."""
        present = set(present)
        gone, new = set(self.lines) - present, present - set(self.lines)
        later = {_subject(line): line for line in new}
        relied_on = {_subject(line) for line, since in self.lines.items() if self.is_released(since)}
        broken = [
            line
            for line in gone
            if self.is_released(self.lines[line]) and not extends(line, later.get(_subject(line), ""))
        ]
        # Who implements or makes a class of an earlier version has no new abstract methods, and gives no new fields.
        broken += [line for line in new if _is_demanded(line) and _owner(line) in relied_on]
        if broken and self.released and _number(version)[0] == _number(self.released)[0]:
            raise NotAllowed(f"only a new major version may break what was released: {'; '.join(sorted(broken))}")
        if new and self.is_released(version):
            raise NotAllowed(
                f"version {version} is released: raise API_VERSION for what is new: {'; '.join(sorted(new))}"
            )
        return Record({line: self.lines.get(line, version) for line in present}, self.released)

    def is_released(self, version: str) -> bool:
        """Whether a version is released, so that plugins rely on it."""
        return self.released is not None and _number(version) <= _number(self.released)


def extends(old: str, new: str) -> bool:
    """Whether a changed line only adds parameters: optional ones, or any to a hook, as they are passed by name."""
    if old.startswith("abstract") or "(" not in old or "(" not in new:
        return False
    (before, result), (after, new_result) = _parameters(old), _parameters(new)
    added = [one for one in after if one not in before]
    if old.startswith("hook"):
        return result == new_result and set(before) <= set(after)
    is_prefix = [one for one in after if one in before] == before and after[: len(before)] == before
    is_named = "*" in after and all(after.index(one) > after.index("*") for one in added if one != "*")
    kept = [one for one in after if one in before] == before
    optional = all(" = " in one or one == "*" for one in added)
    return result == new_result and optional and (is_prefix or (kept and is_named))


def _parameters(line: str) -> tuple[list[str], str]:
    """The parameters of a line, and what it returns."""
    inner, _, result = line.partition("(")[2].rpartition(") -> ")
    found, depth = [""], 0
    for letter in inner:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return [one.strip() for one in found if one.strip()], result


def _subject(line: str) -> str:
    """What a line is about: `method Part.end`."""
    return re.match(r"(?:(?:async|abstract) )*\w+ [\w.]+", line)[0].removeprefix("abstract ").removeprefix("async ")


def _is_demanded(line: str) -> bool:
    return line.startswith("abstract") or (line.startswith("field") and " = " not in line)


def _owner(line: str) -> str:
    """The subject of the class that a member's line belongs to."""
    return f"class {_subject(line).partition(' ')[2].rpartition('.')[0]}"


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def describe_api() -> list[str]:
    """Each hook, name, field and method that a plugin may use, one a line."""
    found = [f"hook {name}{_signature(hook)}" for name, hook in vars(Hooks).items() if name[0] != "_"]
    for prefix, module in _MODULES.items():
        for name in module.__all__:
            found += _describe(prefix + name, getattr(module, name))
    return sorted(found)


def _describe(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, ModuleType):
        return
    if inspect.isclass(value):
        yield from _describe_class(name, value)
    elif inspect.isfunction(value):
        yield f"function {name}{_signature(value)}"
    elif isinstance(value, _PLAIN) and name not in _VERSIONS:
        yield f"constant {name} = {_value(value)}"
    elif typing.get_origin(value) is not None:
        yield f"alias {name} = {_type(value)}"
    else:
        yield f"constant {name}: {type(value).__name__}"


def _describe_class(name: str, kind: type) -> Iterator[str]:
    bases = [base for base in kind.__mro__[1:] if base in _public_classes()]
    yield f"class {name}({', '.join(base.__name__ for base in bases)})"
    if name in _OPAQUE:
        return
    if issubclass(kind, enum.Enum):
        yield from (f"member {name}.{member.name} = {member.value!r}" for member in kind)
        return
    if issubclass(kind, peewee.Model):
        yield from (f"column {name}.{key}: {type(one).__name__}" for key, one in kind._meta.fields.items())
    fields = {one.name: one for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    for one in fields.values():
        is_made = one.default_factory is not dataclasses.MISSING
        default = "" if one.default is dataclasses.MISSING else f" = {_value(one.default)}"
        yield f"field {name}.{one.name}: {_type(one.type)}{' = …' if is_made else default}"
    for key, (value, annotation) in _own_members(kind).items():
        if key not in fields:
            yield from _describe_member(name, key, value, annotation)


def _describe_member(name: str, key: str, value: Any, annotation: Any) -> Iterator[str]:
    function = getattr(value, "__func__", value)
    if isinstance(value, property):
        must = "abstract " if getattr(value, "__isabstractmethod__", False) else ""
        yield f"{must}attribute {name}.{key}: {_type(inspect.signature(value.fget).return_annotation)}"
    elif key == "__init__":
        if name not in _MADE_BY_VAS:
            yield f"init {name}{_signature(value)}"
    elif inspect.isfunction(function):
        word = "async method" if inspect.iscoroutinefunction(function) else "method"
        must = "abstract " if getattr(function, "__isabstractmethod__", False) or name in _IMPLEMENTED else ""
        yield f"{must}{word} {name}.{key}{_signature(function)}"
    elif annotation is not None:
        yield f"attribute {name}.{key}: {_type(annotation)}"
    elif isinstance(value, _PLAIN):
        yield f"attribute {name}.{key} = {_value(value)}"


def _own_members(kind: type) -> dict[str, tuple[Any, Any]]:
    """The public members of a class with their annotations, also of bases of ours that have no name in the API.

    Those of other bases are told there; those of libraries are their own promise.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for one in reversed(kind.__mro__):
        if not one.__module__.startswith("gateway.") or (one is not kind and one in _public_classes()):
            continue
        annotations = inspect.get_annotations(one)
        for key in {**annotations, **vars(one)}:
            value = vars(one).get(key)
            is_init = key == "__init__" and inspect.isfunction(value) and not dataclasses.is_dataclass(one)
            is_refused = getattr(getattr(value, "__func__", None), "__name__", "") == "refuse"
            is_column = isinstance(value, peewee.FieldAccessor)
            if (is_init or not key.startswith("_")) and not is_refused and not is_column:
                found[key] = value, annotations.get(key)
    if getattr(kind, "_is_protocol", False):
        found.pop("__init__", None)
    return found


@cache
def _public_classes() -> frozenset[type]:
    named = {
        getattr(module, name) for module in _MODULES.values() for name in module.__all__ if name not in _UNHASHABLE
    }
    return frozenset({one for one in named if inspect.isclass(one)} | {Exception, Protocol, ABC})


def _signature(function: Any) -> str:
    """The parameters without `self`, with their types and defaults."""
    signature = inspect.signature(function)
    words, has_star = [], False
    for one in signature.parameters.values():
        if one.name in ("self", "cls"):
            continue
        if one.kind is one.KEYWORD_ONLY and not has_star:
            words.append("*")
        has_star |= one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        default = "" if one.default is one.empty else f" = {_value(one.default)}"
        words.append(f"{stars}{one.name}: {_type(one.annotation)}{default}")
    return f"({', '.join(words)}) -> {_type(signature.return_annotation)}"


def _type(annotation: Any) -> str:
    """An annotation without the modules of its names, so that a class may move."""
    if annotation is inspect.Signature.empty:
        return "Any"
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _PLACE.sub("", re.sub("[\"']", "", text))


def _value(value: Any) -> str:
    """A default or constant; those whose text is not the same everywhere are left out."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, tuple) and not all(isinstance(one, _PLAIN) for one in value):
        return "…"
    return repr(value) if value is None or isinstance(value, _PLAIN) else "…"


def main(arguments: list[str]) -> int:
    """Record the present API; returns the exit code."""
    record = Record.parse(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else Record({})
    try:
        record = record.update(describe_api(), plugin_api.API_VERSION)
    except NotAllowed as error:
        print(error, file=sys.stderr)
        return 1
    if "--release" in arguments:
        record = dataclasses.replace(record, released=plugin_api.API_VERSION)
    RECORD.write_text(record.format(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
