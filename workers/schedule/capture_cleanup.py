"""Deletes snapshots, bookmarks and clips that are no longer kept, with their files, and files without a row."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.captures.files import CaptureFiles
from gateway.captures.removal import drop_deleted, drop_expired, orphans_of
from gateway.captures.schedules import schedules_with_limits
from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.jobs.files import ExportSpaceMissing
from gateway.storage.clock_trust import ClockTrust, TrustedTime
from workers.schedule.clip_cleanup import finalize_lost_clips

log = logging.getLogger(__name__)

#: How often expired and deleted rows are searched for.
_EVERY_SECONDS = 20.0
#: Rows per transaction, because other writers wait for it, and batches per turn.
_BATCH = 200
_BATCHES = 20
#: How often files without a row are searched for, and their minimum age: a row may be written a moment later.
ORPHANS_SECONDS = 3600.0
ORPHAN_AGE_SECONDS = 3600.0
#: Delay of the first search: a process that restarts repeatedly must not walk the disk each time.
_FIRST_ORPHANS_SECONDS = 600.0
#: With more files without a row than this, and than half of all files, the database is assumed to be wrong.
_MANY_ORPHANS = 20


class CaptureCleanup:
    """One pass is `turn()`; it is safe to repeat and to run in several processes."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._files = CaptureFiles.from_config(config)
        self._trust = ClockTrust(self._clock)
        self._orphans_at = self._clock.monotonic() + _FIRST_ORPHANS_SECONDS

    def turn(self) -> float:
        """Run one pass; returns the seconds until the next one. Raises the errors of database and disk."""
        finalize_lost_clips()
        time = self._trust.check()
        is_more = self._drop_deleted(time)
        is_more = self._drop_expired(time) or is_more
        # The age of a file is known by the clock only.
        if self._clock.monotonic() >= self._orphans_at and time.is_settled:
            self._orphans_at = self._clock.monotonic() + ORPHANS_SECONDS
            self.remove_orphans()
        return 0.0 if is_more else _EVERY_SECONDS

    def _drop_deleted(self, time: TrustedTime) -> bool:
        """Purge deleted rows; returns whether there are more."""
        before = datetime.fromtimestamp(time.now_ms / 1000, UTC) - timedelta(minutes=self._config.undo_minutes)
        if self._is_full():
            # On a full disk, deleted captures are purged before new pictures are refused.
            before = datetime.fromtimestamp(time.wall_ms / 1000, UTC)
        count = 0
        for _ in range(_BATCHES):
            keys = drop_deleted(before, _BATCH)
            count += self._delete(keys)
            if len(keys) < _BATCH:
                break
        if count:
            log.info("purged %d files of deleted snapshots and bookmarks", count)
        return count >= _BATCH * _BATCHES

    def _drop_expired(self, time: TrustedTime) -> bool:
        count, is_more = 0, False
        for schedule in schedules_with_limits():
            keys = drop_expired(schedule, time.now_ms, _BATCH)
            count += self._delete(keys)
            is_more = is_more or len(keys) == _BATCH
        if count:
            log.info("purged %d expired snapshots of schedules", count)
        return is_more

    def remove_orphans(self) -> int:
        """Delete the files that no row stores; returns how many. Deletes none if most files seem to have no row."""
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
        deleted = self._delete(orphans) + len(drafts)
        if deleted:
            log.info("deleted %d files that belonged to no snapshot or bookmark", deleted)
        return deleted

    def _delete(self, keys: list[str]) -> int:
        for key in keys:
            try:
                self._files.delete(key)
            except ValueError:
                log.warning("'%s' is not the key of a capture: it is not deleted", key)
        return len(keys)

    def _is_full(self) -> bool:
        try:
            self._files.check_space(0, floor_bytes=self._config.free_bytes_floor)
        except ExportSpaceMissing:
            return True
        return False
