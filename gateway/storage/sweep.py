"""A sweep: reconciliation of a whole store, slowly, the newest days first, resumed by the next process after a restart.

Before anything is changed a sample of the store is compared; see `TooManyMissing`.
"""

from collections import Counter
from collections.abc import Iterable

from gateway.clock import DAY_MS, Clock
from gateway.storage.folders import Folder, folder_with_footage, list_folders
from gateway.storage.reconciliation import Reconciliation, Scan, TooManyMissing
from gateway.storage.report import StorageReports

#: Folders in the sample, half of them the newest, half spread over the others.
SAMPLE = 200
#: Before a folder counts as mostly lost, a sample older than this is repeated.
SURVEY_SECONDS = 60.0
#: Days before the oldest row that are searched for files without rows.
DAYS_BEFORE = 31


class Sweep:
    """One pass through all folders. Its position is kept in Redis, so that a restart resumes it.

    `done` counts the repairs by action. Every method may raise StorageUnavailable (including TooManyMissing),
    DatabaseUnavailable and redis.RedisError.
    """

    def __init__(self, reconciliation: Reconciliation, reports: StorageReports, clock: Clock) -> None:
        self._reconciliation = reconciliation
        self._reports = reports
        self._clock = clock
        self._compared = Scan()
        self._surveyed_at = float("-inf")
        self._waiting: list[Folder] | None = None
        self._started = 0.0
        self.done: Counter[str] = Counter()

    @property
    def checked(self) -> int:
        """The number of compared segments, including the sample."""
        return self._compared.checked

    def survey(self) -> Scan:
        """Compare a sample of the store and change nothing. Raises TooManyMissing when most of it would be lost."""
        folders = list(list_folders(self._now_ms()))
        newest, others = folders[: SAMPLE // 2], folders[SAMPLE // 2 :]
        step = max(1, -(-len(others) // (SAMPLE // 2)))
        # Folders without footage are replaced: most days of a camera that was off for long would prove nothing.
        sample = dict.fromkeys(folder_with_footage(folder) for folder in [*newest, *others[::step]])
        scan = Scan()
        for folder in filter(None, sample):
            scan.add(self._reconciliation.scan(folder))
        self._compared = Scan(scan.checked, scan.lost)
        self._surveyed_at = self._clock.monotonic()
        self._check_loss(Scan())
        return scan

    def repair_recent(self) -> None:
        """Repair what a crash leaves behind: open segments, and the newest two days of every device."""
        today = self._now_ms() // DAY_MS
        recent = [folder for folder in list_folders(self._now_ms(), days_before=1) if folder.day >= today - 1]
        self.repair(dict.fromkeys([*self._reconciliation.folders_left_open(), *recent]))

    def repair_left_open(self) -> None:
        """Close the segments of recorders that are gone."""
        self.repair(self._reconciliation.folders_left_open())

    def repair(self, folders: Iterable[Folder]) -> None:
        """Compare and repair folders. Raises TooManyMissing before a change would lose most of the store."""
        for folder in folders:
            scan = self._reconciliation.scan(folder)
            if scan.lost * 2 > scan.checked and self._clock.monotonic() - self._surveyed_at > SURVEY_SECONDS:
                self.survey()
            self._check_loss(scan)
            if scan.mismatches:
                self.done += self._reconciliation.repair(scan)
            self.done += self._reconciliation.correct_rollup(folder)
            self._compared.checked += scan.checked
            self._compared.lost += scan.lost

    def step(self, seconds: float) -> bool:
        """Continue the sweep for some seconds; returns False when it has ended."""
        waiting = self._open()
        deadline = self._clock.monotonic() + seconds
        while waiting:
            folder = waiting[-1]
            self.repair([folder])
            waiting.pop()
            if self._clock.monotonic() >= deadline:
                break
        if not waiting:
            self._waiting = None
            self._reports.write_sweep({"started": self._started, "is_over": True})
            return False
        position = {"started": self._started, "day": waiting[-1].day, "recording": waiting[-1].recording_id}
        self._reports.write_sweep(position)
        return True

    def is_due(self, every_seconds: float) -> bool:
        """Whether a sweep is under way, or the last one started longer ago than this."""
        if self._waiting is not None:
            return True
        position = self._reports.read_sweep()
        if position is None or not position.get("is_over"):
            return True
        return abs(self._clock.wall() - float(position.get("started", 0))) >= every_seconds

    def _open(self) -> list[Folder]:
        """The remaining folders, the next one last, from the stored position on."""
        if self._waiting is None:
            folders = list(list_folders(self._now_ms(), days_before=DAYS_BEFORE))
            position = self._reports.read_sweep() or {}
            self._started = self._clock.wall()
            if "day" in position:
                self._started = float(position["started"])
                next_folder = (-int(position["day"]), int(position["recording"]))
                folders = [folder for folder in folders if (-folder.day, folder.recording_id) >= next_folder]
            self._waiting = folders[::-1]
        return self._waiting

    def _check_loss(self, scan: Scan) -> None:
        checked, lost = self._compared.checked + scan.checked, self._compared.lost + scan.lost
        if lost * 2 > checked and not self._reconciliation.may_lose:
            raise TooManyMissing(
                f"the files of {lost} of {checked} segments are missing: is the right disk mounted, and complete? If "
                "they are really gone, run 'vas storage repair --accept'"
            )

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)
