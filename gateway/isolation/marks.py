"""Marks of the plugin that each thread of a process is in, in a file that outlives the process.

A plugin may end its process: by a segmentation fault, a C library's `exit`, too much memory. The next process on this
machine reads from the file which plugin it was. Marking is a write to mapped memory, without a system call. A plugin
that calls `os._exit` does not end the process: it gets an exception.
"""

import contextlib
import faulthandler
import json
import logging
import mmap
import os
import re
import secrets
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.process_marks import is_dead, mark_process

log = logging.getLogger(__name__)

_HEADER_BYTES = 16_384
_SLOTS = 1024
_SLOT_BYTES = 16
_IDENT_BYTES = 8
_CULPRIT_AT = _HEADER_BYTES
_SLOTS_AT = _HEADER_BYTES + _SLOT_BYTES
_FILE_BYTES = _SLOTS_AT + _SLOTS * _SLOT_BYTES
#: Longest name of a plugin or step in the file, and most of each; further ones are not marked.
_MOST_NAMES, _NAME_LENGTH = 120, 60
_SUFFIX, _FAULT_SUFFIX = ".mark", ".fault"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A plugin in whose code a process died, in a step such as `take`."""

    plugin: str
    step: str


@dataclass(frozen=True, slots=True)
class Death:
    """A process that died while a plugin's code ran.

    `is_certain`: its one suspect was in the thread that ended it, or is a stranger and nobody else was inside.
    """

    kind: str
    suspects: tuple[Suspect, ...]
    is_certain: bool
    #: The last lines of Python of the thread that caused a fatal signal; empty if unknown.
    trace: str = ""


class ExitRefused(SystemExit):
    """A plugin called `os._exit`."""


class ProcessMarks:
    """The marks of this process. Thread-safe."""

    def __init__(self, folder: Path, kind: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{kind}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        self._kind = kind
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._names: list[list[str]] = [[""], [""]]
        self._local = threading.local()
        self._packages: dict[str, str] = {}
        self._free = list(range(_SLOTS - 1, -1, -1))
        # The file gets its name when it is complete.
        draft = self._path.with_suffix(".new")
        with draft.open("w+b") as file:
            file.truncate(_FILE_BYTES)
            self._map = mmap.mmap(file.fileno(), _FILE_BYTES)
        self._write_header()
        draft.rename(self._path)
        self._fault = self._path.with_suffix(_FAULT_SUFFIX).open("w")
        faulthandler.enable(self._fault, all_threads=True)
        self._exit = os._exit
        os._exit = self._refuse_exit

    def know(self, plugin: str, package: str) -> None:
        """The code of a plugin, which is not one of ours, is in this top-level package."""
        with self._lock:
            self._packages[package] = plugin
            self._write_header()

    def number(self, plugin: str, step: str) -> tuple[int, int]:
        """The numbers of a plugin and a step, for `enter`; (0, 0) when there are too many."""
        with self._lock:
            return self._number(0, plugin), self._number(1, step)

    def enter(self, numbers: tuple[int, int]) -> tuple[int, int]:
        """Note that this thread is now in a plugin; returns the numbers to pass to `enter` when it leaves it."""
        place = getattr(self._local, "place", None) or self._take_slot()
        if place is None:
            return (0, 0)
        before = self._map[place + _IDENT_BYTES], self._map[place + _IDENT_BYTES + 1]
        self._map[place + _IDENT_BYTES], self._map[place + _IDENT_BYTES + 1] = numbers
        return before

    @contextlib.contextmanager
    def inside(self, plugin: str, step: str) -> Iterator[None]:
        """Mark this thread while it is in a step of a plugin."""
        before = self.enter(self.number(plugin, step))
        try:
            yield
        finally:
            self.enter(before)

    def leave_thread(self) -> None:
        """This thread ends: its slot is free again."""
        if (place := getattr(self._local, "place", None)) is not None:
            self._local.place = None
            with self._lock:
                self._map[place : place + _SLOT_BYTES] = bytes(_SLOT_BYTES)
                self._free.append((place - _SLOTS_AT) // _SLOT_BYTES)

    def close(self) -> None:
        """The process ends in order. May be called twice."""
        if os.getpid() != self._pid or self._fault.closed:
            return
        os._exit = self._exit
        faulthandler.disable()
        self._fault.close()
        for path in (self._path, self._path.with_suffix(_FAULT_SUFFIX)):
            path.unlink(missing_ok=True)

    def _take_slot(self) -> int | None:
        with self._lock:
            if not self._free:
                return None
            place = self._local.place = _SLOTS_AT + self._free.pop() * _SLOT_BYTES
        self._map[place : place + _IDENT_BYTES] = threading.get_ident().to_bytes(8, "little")
        return place

    def _number(self, table: int, name: str) -> int:
        names, name = self._names[table], name[:_NAME_LENGTH]
        if name not in names:
            if len(names) >= _MOST_NAMES:
                return 0
            names.append(name)
            self._write_header()
        return names.index(name)

    def _write_header(self) -> None:
        values = {
            "process": mark_process(),
            "kind": self._kind,
            "plugins": self._names[0],
            "steps": self._names[1],
            "strangers": sorted(set(self._packages.values()))[:_MOST_NAMES],
        }
        text = json.dumps(values).encode()[:_HEADER_BYTES]
        self._map[:_HEADER_BYTES] = text.ljust(_HEADER_BYTES, b"\0")

    def _refuse_exit(self, status: int) -> None:
        """`os._exit` of this process: raises ExitRefused in a plugin. Children that were forked may end so."""
        if os.getpid() == self._pid:
            if (plugin := self._find_caller()) is not None:
                log.error("plugin '%s' called os._exit(%s), which is refused", plugin, status)
                raise ExitRefused(status)
            # A plugin in another thread is not to be blamed.
            self._map[_CULPRIT_AT : _CULPRIT_AT + _IDENT_BYTES] = threading.get_ident().to_bytes(8, "little")
        self._exit(status)

    def _find_caller(self) -> str | None:
        """The plugin in whose step or code this thread is."""
        place = getattr(self._local, "place", None)
        if place is not None and (number := self._map[place + _IDENT_BYTES]):
            return self._names[0][number]
        frame = sys._getframe()
        while frame is not None:
            if (plugin := self._packages.get(frame.f_globals.get("__name__", "").partition(".")[0])) is not None:
                return plugin
            frame = frame.f_back
        return None


def take_deaths(folder: Path) -> list[Death]:
    """The deaths of processes on this machine inside plugins since the last call; their files are deleted."""
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(AttributeError, IndexError, KeyError, OSError, TypeError, ValueError):
            data = path.read_bytes()
            header = json.loads(data[:_HEADER_BYTES].rstrip(b"\0"))
            if not is_dead(header["process"]):
                continue
            fault = path.with_suffix(_FAULT_SUFFIX)
            text = fault.read_text(errors="replace") if fault.exists() else ""
            path.unlink()
            fault.unlink(missing_ok=True)
            death = _read_death(header, data, text)
            if death.suspects:
                found.append(death)
    return found


def _read_death(header: dict[str, Any], data: bytes, fault: str) -> Death:
    inside: dict[int, Suspect] = {}
    for number in range(_SLOTS):
        place = _SLOTS_AT + number * _SLOT_BYTES
        slot = data[place : place + _SLOT_BYTES]
        if len(slot) == _SLOT_BYTES and slot[_IDENT_BYTES]:
            names = header["plugins"][slot[_IDENT_BYTES]], header["steps"][slot[_IDENT_BYTES + 1]]
            inside[int.from_bytes(slot[:_IDENT_BYTES], "little")] = Suspect(*names)
    culprit = int.from_bytes(data[_CULPRIT_AT : _CULPRIT_AT + _IDENT_BYTES], "little")
    if thread := re.search(r"^Current thread 0x([0-9a-f]+)[^\n]*\n((?:  .*\n)*)", fault, re.MULTILINE):
        culprit = int(thread[1], 16)
    if culprit:
        suspects = (inside[culprit],) if culprit in inside else ()
        return Death(header["kind"], suspects, is_certain=True, trace=thread[2][:1000] if thread else "")
    suspects = tuple(sorted(set(inside.values()), key=str))
    is_stranger = len(suspects) == 1 and suspects[0].plugin in header["strangers"]
    return Death(header["kind"], suspects, is_certain=is_stranger)
