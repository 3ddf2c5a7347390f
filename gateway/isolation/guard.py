"""The guard of a process against its plugins: marks, deaths and problems. One object a process, `GUARD`."""

import atexit
import contextlib
import logging
from contextlib import AbstractContextManager
from pathlib import Path

from gateway.isolation.deaths import Aside, Deaths
from gateway.isolation.marks import Death, ProcessMarks, Suspect
from gateway.isolation.problems import Problems

log = logging.getLogger(__name__)

#: The folder below VAR_DIR with the marks of processes and their deaths.
FOLDER = "plugin-marks"


class Guard:
    """Does nothing before `start`: tests and commands run plugins without marks."""

    def __init__(self) -> None:
        self.problems = Problems()
        self._marks: ProcessMarks | None = None
        self._deaths: Deaths | None = None

    def start(self, var_dir: Path, kind: str) -> None:
        """Count the deaths of earlier processes, and mark from now on what this process, of this kind, does."""
        self.watch(var_dir)
        self._deaths.collect()
        try:
            self._marks = ProcessMarks(self._deaths.folder, kind)
        except OSError as error:
            log.warning("a plugin that ends this process cannot be found: %s", error)
        else:
            atexit.register(self._marks.close)

    def watch(self, var_dir: Path) -> None:
        """Only read which plugins are set aside."""
        self._deaths = Deaths(Path(var_dir) / FOLDER)

    def stop(self) -> None:
        """End the marks. May be called twice."""
        if self._marks is not None:
            self._marks.close()
        self._marks = self._deaths = None

    def know(self, plugin: str, package: str) -> None:
        """The code of a plugin is in this top-level package, which may start threads of its own."""
        if self._marks is not None:
            self._marks.know(plugin, package)

    def aside(self, plugin: str) -> Aside | None:
        """Why the plugin is set aside now; None if it is not. Cheap."""
        return self._deaths.aside(plugin) if self._deaths is not None else None

    def inside(self, plugin: str, step: str) -> AbstractContextManager[None]:
        """Mark this thread while it is in a step of a plugin."""
        return self._marks.inside(plugin, step) if self._marks is not None else contextlib.nullcontext()

    def number(self, plugin: str, step: str) -> tuple[int, int]:
        """Numbers for `enter`."""
        return self._marks.number(plugin, step) if self._marks is not None else (0, 0)

    def enter(self, numbers: tuple[int, int]) -> tuple[int, int]:
        """As `inside`, for calls that are made very often; pass the result to `enter` afterwards."""
        return self._marks.enter(numbers) if self._marks is not None else (0, 0)

    def leave_thread(self) -> None:
        """This thread ends."""
        if self._marks is not None:
            self._marks.leave_thread()

    def count_death(self, kind: str, plugin: str, step: str) -> None:
        """This process is about to end in order, because of a plugin."""
        if self._deaths is not None:
            self._deaths.count(Death(kind, (Suspect(plugin, step),), is_certain=True))


GUARD = Guard()
