"""Distributes a meson source list over a few groups that are compiled as one file each ("unity build").

Most of the compile time is spent parsing the same headers once per source. The files of a group are
parsed together, but also share one scope: two of them must not define the same file-local name, as
several of mediasoup's do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

# A static or constexpr function, variable or constant, or a nameless enum's constant, at file or
# namespace scope (mediasoup indents one tab inside a namespace).
FILE_LOCAL_NAME = re.compile(
    r"""
    ^\t?
    (?: (?:(?:inline|thread_local|const)\s+)* (?:static|constexpr)\s [^;(){}=\[]*? (?=\w+\s*[({=;\[])
      | enum\s\{\s
    )
    (\w+)
    """,
    re.MULTILINE | re.VERBOSE,
)


@dataclass
class Group:
    """Sources compiled together, and the file-local names they define."""

    sources: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    size: int = 0

    def add(self, source: str, text: str) -> None:
        self.sources.append(source)
        self.names |= file_local_names(text)
        self.size += len(text)


def file_local_names(text: str) -> set[str]:
    """Return the file-local names that a C++ source defines."""
    return set(FILE_LOCAL_NAME.findall(text))


def distribute(texts: dict[str, str], count: int) -> tuple[list[Group], list[str]]:
    """Split sources (path to text) into at most `count` groups of equal size, and return those that fit into none."""
    groups = [Group() for _ in range(count)]
    alone = []
    for source in sorted(texts, key=lambda source: len(texts[source]), reverse=True):
        names = file_local_names(texts[source])
        fitting = [group for group in groups if not group.names & names]
        if fitting:
            min(fitting, key=lambda group: group.size).add(source, texts[source])
        else:
            alone.append(source)
    return [group for group in groups if group.sources], alone


def group_sources(meson_build: Path, list_name: str, count: int, without: str | None = None) -> None:
    """Rewrite one source list of a meson.build to `count` group files, leaving out paths that start with `without`."""
    text = meson_build.read_text()
    before, found, rest = text.partition(f"{list_name} = [\n")
    listed, end, after = rest.partition("]")
    if not found or not end:
        raise ValueError(f"{meson_build} has no list {list_name!r}")
    sources = [source for source in re.findall(r"'([^']+)'", listed) if not (without and source.startswith(without))]
    groups, alone = distribute({source: (meson_build.parent / source).read_text() for source in sources}, count)
    for number, group in enumerate(groups):
        name = f"group_{number}.cpp"
        (meson_build.parent / name).write_text(unity_source(group.sources))
        alone.append(name)
    entries = "".join(f"  '{source}',\n" for source in alone)
    meson_build.write_text(f"{before}{found}{entries}{end}{after}")


def unity_source(sources: list[str]) -> str:
    """Return a C++ file that includes all sources; each defines its own MS_CLASS for logging."""
    return "".join(f'#undef MS_CLASS\n#include "{source}"\n' for source in sorted(sources))
