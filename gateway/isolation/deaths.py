"""The deaths of processes inside plugins on this machine, and the plugins that are set aside because of them."""

import contextlib
import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.isolation.marks import Death, take_deaths

log = logging.getLogger(__name__)

#: So many deaths within this time set a plugin aside.
MOST_DEATHS, WITHIN_SECONDS = 3, 60.0
#: Processes whose death interrupts every camera: a plugin that certainly ended one is set aside at once.
VITAL_KINDS = frozenset({"stream", "record"})
#: A plugin is set aside for this time, doubled each time up to the maximum; a quiet time starts it over.
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, QUIET_SECONDS = 60.0, 3600.0, 7200.0
#: Steps of a plugin's start. A plugin that died in one is not loaded while it is set aside.
LOADING = "load"
_STATE = "deaths.json"
_READ_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Aside:
    """A plugin that is set aside: until when (seconds since 1970), and why."""

    until: float
    kind: str
    step: str
    deaths: int

    @property
    def is_of_loading(self) -> bool:
        """Whether the plugin must not even be loaded."""
        return self.step == LOADING or self.step.startswith("register_")

    def describe(self) -> str:
        """The reason as text for people."""
        times = f"{self.deaths} processes" if self.deaths > 1 else "a process"
        return f"it ended {times}, the last in '{self.step}' ({self.kind})"


class Deaths:
    """The record of this machine, below VAR_DIR; processes write it under a file lock."""

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._wall = wall
        self._asides: dict[str, Aside] = {}
        self._read_at = float("-inf")
        self._version: int | None = None

    def collect(self) -> None:
        """Count the deaths since the last call. A folder that cannot be used is logged: nothing is set aside then."""
        try:
            found = take_deaths(self.folder)
        except OSError as error:
            log.warning("the marks of processes cannot be read: %s", error)
            return
        for death in found:
            self.count(death)

    def count(self, death: Death) -> None:
        """Count a death against its suspects."""
        try:
            with self._locked() as state:
                self._count(state, death)
        except OSError as error:
            log.warning("the death of a process inside a plugin cannot be counted: %s", error)
        self._read_at = float("-inf")

    def aside(self, plugin: str) -> Aside | None:
        """Why the plugin is set aside now; None if it is not."""
        self._read()
        aside = self._asides.get(plugin)
        left = aside.until - self._wall() if aside is not None else 0.0
        # A clock that was set back must not set a plugin aside for days.
        return aside if 0.0 < left <= MAX_PAUSE_SECONDS else None

    def forget(self, plugin: str) -> None:
        """Let a plugin run again at once."""
        with self._locked() as state:
            state.pop(plugin, None)
        self._read_at = float("-inf")

    def _count(self, state: dict[str, Any], death: Death) -> None:
        now = self._wall()
        for suspect in death.suspects:
            log.error(
                "a %s process %s in '%s' of plugin '%s'%s",
                death.kind,
                "died" if death.is_certain else "died, perhaps",
                suspect.step,
                suspect.plugin,
                f":\n{death.trace}" if death.trace else "",
            )
            entry = state.setdefault(suspect.plugin, {"deaths": [], "times": 0, "until": 0.0})
            if now - entry["until"] > QUIET_SECONDS:
                entry["times"] = 0
            entry["deaths"] = [at for at in entry["deaths"] if 0 <= now - at < WITHIN_SECONDS] + [now]
            if len(entry["deaths"]) >= (1 if death.is_certain and death.kind in VITAL_KINDS else MOST_DEATHS):
                pause = min(FIRST_PAUSE_SECONDS * 2 ** entry["times"], MAX_PAUSE_SECONDS)
                entry |= {
                    "until": now + pause,
                    "times": entry["times"] + 1,
                    "kind": death.kind,
                    "step": suspect.step,
                    "count": len(entry["deaths"]),
                    "deaths": [],
                }
                log.error("plugin '%s' is set aside for %.0f s", suspect.plugin, pause)

    def _read(self) -> None:
        now = time.monotonic()
        if now - self._read_at < _READ_SECONDS:
            return
        self._read_at = now
        try:
            version = (self.folder / _STATE).stat().st_mtime_ns
            if version != self._version:
                self._asides = _parse((self.folder / _STATE).read_text())
                self._version = version
        except (OSError, ValueError):
            self._asides, self._version = {}, None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        """The state, which is written afterwards."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = self.folder / _STATE
            state: dict[str, Any] = {}
            with contextlib.suppress(OSError, ValueError):
                text = path.read_text()
                _parse(text)
                state = json.loads(text)
            yield state
            draft = path.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps(state))
            draft.replace(path)


def _parse(text: str) -> dict[str, Aside]:
    """Raises ValueError for anything but what is written here."""
    try:
        return {
            plugin: Aside(float(entry["until"]), str(entry["kind"]), str(entry["step"]), int(entry["count"]))
            for plugin, entry in json.loads(text).items()
            if entry["times"] >= 0 and isinstance(entry["deaths"], list) and entry["until"]
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("it is not a record of deaths") from error
