"""A round of reconciliation over a whole store: slowly, the newest days first, gone on with by whoever comes next.

Before anything is changed a sample of the whole store is looked at; see `TooManyMissing`.
"""

import logging
from collections import Counter
from collections.abc import Iterable

from gateway.clock import DAY_MS, Clock
from gateway.storage.folders import Folder, folder_with_footage, list_folders
from gateway.storage.reconciliation import Look, Reconciliation, TooManyMissing
from gateway.storage.report import StorageReports

log = logging.getLogger(__name__)

#: Folders in the sample, half of them the newest, half spread over the rest.
SAMPLE = 200
#: A sample older than this is taken anew before a folder is believed to be mostly gone.
SURVEY_SECONDS = 60.0
#: Files without rows are looked for in so many days before the oldest row.
DAYS_BEFORE = 31


class Round:
    """One pass through all folders. Its place is kept in Redis, so that a restart goes on with it.

    Every method may raise StorageUnavailable (TooManyMissing among it), DatabaseUnavailable and redis.RedisError.
    """

    def __init__(self, reconciliation: Reconciliation, reports: StorageReports, clock: Clock) -> None:
        self._reconciliation = reconciliation
        self._reports = reports
        self._clock = clock
        self._seen = Look()
        self._surveyed_at = float("-inf")
        self._waiting: list[Folder] | None = None
        self._started = 0.0
        self.done: Counter[str] = Counter()

    @property
    def checked(self) -> int:
        """Segments that were compared with their files, the sample included."""
        return self._seen.checked

    def survey(self) -> Look:
        """Look at a sample of the store and change nothing; raises TooManyMissing where most of it would be lost."""
        folders = list(list_folders(self._now_ms()))
        newest, rest = folders[: SAMPLE // 2], folders[SAMPLE // 2 :]
        step = max(1, -(-len(rest) // (SAMPLE // 2)))
        # Most days of a camera that stood still for long have no footage, and would say nothing about the store.
        sample = dict.fromkeys(folder_with_footage(folder) for folder in [*newest, *rest[::step]])
        look = Look()
        for folder in filter(None, sample):
            look.add(self._reconciliation.look(folder))
        self._seen = Look(look.checked, look.lost)
        self._surveyed_at = self._clock.monotonic()
        self._judge(Look())
        return look

    def repair_recent(self) -> None:
        """What a crash leaves behind: what is still open, and the newest two days of every device."""
        today = self._now_ms() // DAY_MS
        recent = [folder for folder in list_folders(self._now_ms(), days_before=1) if folder.day >= today - 1]
        self.mend(dict.fromkeys([*self._reconciliation.folders_left_open(), *recent]))

    def repair_left_open(self) -> None:
        """Close what a recorder that is gone left open."""
        self.mend(self._reconciliation.folders_left_open())

    def mend(self, folders: Iterable[Folder]) -> None:
        """Look at each folder and change what is seen there; raises TooManyMissing before it loses most of the
        store."""
        for folder in folders:
            look = self._reconciliation.look(folder)
            if look.lost * 2 > look.checked and self._clock.monotonic() - self._surveyed_at > SURVEY_SECONDS:
                self.survey()
            self._judge(look)
            if look.findings:
                self.done += self._reconciliation.mend(look)
            self.done += self._reconciliation.settle(folder)
            self._seen.checked += look.checked
            self._seen.lost += look.lost

    def step(self, seconds: float) -> bool:
        """Go on with the round for so long; False when it is at its end."""
        waiting = self._open()
        deadline = self._clock.monotonic() + seconds
        while waiting:
            folder = waiting[-1]
            self.mend([folder])
            waiting.pop()
            if self._clock.monotonic() >= deadline:
                break
        if not waiting:
            self._waiting = None
            self._reports.write_sweep({"started": self._started, "is_over": True})
            return False
        place = {"started": self._started, "day": waiting[-1].day, "recording": waiting[-1].recording_id}
        self._reports.write_sweep(place)
        return True

    def is_due(self, every_seconds: float) -> bool:
        """Whether a round is under way, or the last began longer ago than this."""
        if self._waiting is not None:
            return True
        place = self._reports.read_sweep()
        if place is None or not place.get("is_over"):
            return True
        return abs(self._clock.wall() - float(place.get("started", 0))) >= every_seconds

    def _open(self) -> list[Folder]:
        """The folders that are still to come, the next one last; taken up where the round was left."""
        if self._waiting is None:
            folders = list(list_folders(self._now_ms(), days_before=DAYS_BEFORE))
            place = self._reports.read_sweep() or {}
            self._started = self._clock.wall()
            if "day" in place:
                self._started = float(place["started"])
                here = (-int(place["day"]), int(place["recording"]))
                folders = [folder for folder in folders if (-folder.day, folder.recording_id) >= here]
            self._waiting = folders[::-1]
        return self._waiting

    def _judge(self, look: Look) -> None:
        checked, lost = self._seen.checked + look.checked, self._seen.lost + look.lost
        if lost * 2 > checked and not self._reconciliation.may_lose:
            raise TooManyMissing(
                f"the files of {lost} of {checked} segments are missing: is the right disk mounted, and whole? If "
                "they are "
                "really gone, run 'vas storage repair --accept'"
            )

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)
