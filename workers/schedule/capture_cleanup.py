"""Looks after the files of snapshots and clips: what is kept no longer goes, and so does what belongs to nobody."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.captures.files import CaptureFiles
from gateway.captures.removal import drop_deleted, drop_expired, orphans_of
from gateway.captures.schedules import schedules_with_limits
from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.jobs.files import ExportSpaceMissing
from workers.schedule.clip_cleanup import finalize_lost_clips

log = logging.getLogger(__name__)

#: How often what is too old, and what was deleted, is looked for; rows that go at once: other work waits behind them.
_EVERY_SECONDS = 20.0
_BATCH = 200
_BATCHES = 20
#: How often files without a row are looked for, and how old they must be: a row may be a moment away.
ORPHANS_SECONDS = 3600.0
ORPHAN_AGE_SECONDS = 3600.0
#: The first time only after a while: a process that restarts again and again does not walk the disk each time.
_FIRST_ORPHANS_SECONDS = 600.0
#: With more files without a row than this and than half of all, it is the database that is wrong.
_MANY_ORPHANS = 20


class CaptureCleanup:
    """One turn is `turn()`; several processes may take turns, and repeat no harm."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._files = CaptureFiles.from_config(config)
        self._orphans_at = self._clock.monotonic() + _FIRST_ORPHANS_SECONDS

    def turn(self) -> float:
        """Remove what is to go; gives the seconds until the next turn. Raises what database and disk raise."""
        finalize_lost_clips()
        is_more = self._drop_deleted()
        is_more = self._drop_expired() or is_more
        if self._clock.monotonic() >= self._orphans_at:
            self._orphans_at = self._clock.monotonic() + ORPHANS_SECONDS
            self.remove_orphans()
        return 0.0 if is_more else _EVERY_SECONDS

    def _drop_deleted(self) -> bool:
        """Whether there is more."""
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        before = now - timedelta(minutes=self._config.undo_minutes)
        if self._is_full():
            # What somebody has deleted goes before anybody is refused a picture.
            before = now
        count = 0
        for _ in range(_BATCHES):
            keys = drop_deleted(before, _BATCH)
            count += self._delete(keys)
            if len(keys) < _BATCH:
                break
        if count:
            log.info("%d files of deleted snapshots and bookmarks are gone", count)
        return count >= _BATCH * _BATCHES

    def _drop_expired(self) -> bool:
        now_ms, count, is_more = int(self._clock.wall() * 1000), 0, False
        for schedule in schedules_with_limits():
            keys = drop_expired(schedule, now_ms, _BATCH)
            count += self._delete(keys)
            is_more = is_more or len(keys) == _BATCH
        if count:
            log.info("%d snapshots of schedules were kept long enough and are gone", count)
        return is_more

    def remove_orphans(self) -> int:
        """Delete the files that no row names; gives how many went. None goes when most of them seem to be so."""
        drafts: list[Path] = []
        orphans: list[str] = []
        batch: list[str] = []
        total = 0
        for key, path in self._files.old_files(ORPHAN_AGE_SECONDS):
            if not key:
                if path.name.endswith(".part"):
                    drafts.append(path)
                continue
            total += 1
            batch.append(key)
            if len(batch) >= _BATCH:
                orphans += orphans_of(batch)
                batch = []
        orphans += orphans_of(batch)
        for path in drafts:
            path.unlink(missing_ok=True)
        if len(orphans) > max(_MANY_ORPHANS, total // 2):
            log.error(
                "%d of %d files in '%s' belong to no snapshot or bookmark of this database: nothing is deleted. Is "
                "CAPTURES_DIR the folder of another server?",
                len(orphans),
                total,
                self._files.root,
            )
            return len(drafts)
        gone = self._delete(orphans) + len(drafts)
        if gone:
            log.info("%d files that belonged to no snapshot or bookmark are gone", gone)
        return gone

    def _delete(self, keys: list[str]) -> int:
        for key in keys:
            try:
                self._files.delete(key)
            except ValueError:
                log.warning("'%s' is no key of a capture: it is left alone", key)
        return len(keys)

    def _is_full(self) -> bool:
        try:
            self._files.check_space(0, floor_bytes=self._config.free_bytes_floor)
        except ExportSpaceMissing:
            return True
        return False
