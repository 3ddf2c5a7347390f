"""`python -m workers.plugins.archive_process PIPE PARENT`: takes care of the archives of all plugins.

It deletes the objects of deleted footage, and slowly compares copies with their objects. Started by the plugins worker
alone, once over all machines: the code of archives runs neither in the clock nor beside recording.
"""

import logging
import sys
import threading
from collections.abc import Iterator, Sequence

from gateway.archive.reconciliation import ArchiveCheck, TooManyObjectsMissing
from gateway.archive.removal import ObjectRemoval
from gateway.archives import Archive
from gateway.clock import Clock, SystemClock
from gateway.errors import Unavailable
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import collect
from gateway.storage.folders import Folder, list_folders
from workers.plugins.child_side import end_child, start_child
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_REMOVE_SECONDS = 5.0
#: Pauses between the folders of a comparison (a device's day, one request to list), and between two comparisons; the
#: first one begins some time after the start, so that restarts do not repeat it.
_FOLDER_SECONDS = 2.0
_CHECK_SECONDS = 7 * 86_400.0
_FIRST_CHECK_SECONDS = 600.0
_STOP_SECONDS = 5.0


class ArchiveCare:
    """The care of some archives; `turn` does what is due."""

    def __init__(self, archives: Sequence[Archive], clock: Clock) -> None:
        self._archives = archives
        self._clock = clock
        self._removal = ObjectRemoval(archives, clock)
        self._folders: Iterator[tuple[ArchiveCheck, Folder]] | None = None
        self._set_aside: set[str] = set()
        self._next_removal_at = 0.0
        self._next_folder_at = clock.monotonic() + _FIRST_CHECK_SECONDS

    def turn(self) -> None:
        """Delete objects, or compare a folder, if it is time. Raises DatabaseUnavailable."""
        now = self._clock.monotonic()
        if now >= self._next_removal_at:
            # While there is more to delete, the next batch follows at once.
            self._next_removal_at = now + (0.0 if self._removal.turn() else _REMOVE_SECONDS)
        if now >= self._next_folder_at:
            self._next_folder_at = now + (_FOLDER_SECONDS if self._compare() else _CHECK_SECONDS)

    def _compare(self) -> bool:
        """Compare the next folder; False when the comparison has ended."""
        if self._folders is None:
            self._folders, self._set_aside = self._list(), set()
        check, folder = next(self._folders, (None, None))
        if check is None:
            self._folders = None
            return False
        name = check.archive.name
        if name not in self._set_aside:
            try:
                check.check(folder)
            except TooManyObjectsMissing as error:
                log.warning("the archive '%s' is suspicious, nothing is changed: %s", name, error)
                self._set_aside.add(name)
            except Unavailable as error:
                log.warning("the archive '%s' cannot be compared now: %s", name, error)
                self._set_aside.add(name)
        return True

    def _list(self) -> Iterator[tuple[ArchiveCheck, Folder]]:
        checks = [ArchiveCheck(archive) for archive in self._archives]
        for folder in list_folders(int(self._clock.wall() * 1000)):
            for check in checks:
                yield check, folder


def main(descriptor: str, parent: str) -> None:
    """Take care of the archives until a signal arrives. Archives are called in a thread, which may hang."""
    stop = StopSignal()
    config, told = start_child("archives", descriptor, parent)
    told.beat()
    care = ArchiveCare(collect(load_plugins(config), "register_archives"), SystemClock())
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(_LOOK_SECONDS):
            try:
                care.turn()
            except Unavailable as error:
                log.warning("the archives cannot be taken care of now: %s", error)
                ended.wait(_REMOVE_SECONDS)
            except Exception:
                log.exception("a pass of the care of the archives failed")
                ended.wait(_REMOVE_SECONDS)

    thread = threading.Thread(target=run, name="archives", daemon=True)
    thread.start()
    told.tell(running=1)
    while not stop.wait(_LOOK_SECONDS):
        told.beat()
    ended.set()
    thread.join(_STOP_SECONDS)
    end_child(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
