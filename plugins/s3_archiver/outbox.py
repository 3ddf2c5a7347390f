"""What waits for its upload: found by the rows themselves, so that nothing is missed whatever was killed when.

A segment waits while it is closed and has no verified copy; a snapshot, clip or export while it has no row of its own
that says it is archived. Only failures are remembered, with the time of the next attempt.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import peewee

from gateway.captures.bookmarks import READY, Bookmark
from gateway.captures.files import CaptureFiles
from gateway.captures.snapshots import Snapshot
from gateway.jobs.files import result_path
from gateway.jobs.model import DONE, FILE_KINDS, Job
from gateway.plugin_api import (
    EVERY_TENANT,
    Config,
    TimeField,
    assign_devices,
    database,
    mark_archived,
    open_storage,
    pending_segments,
    read_backlog,
    remove_object,
)
from gateway.storage.local import LocalStorage
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.keys import capture_key
from plugins.s3_archiver.limits import pause_after
from plugins.s3_archiver.model import ARCHIVED, WAITING, ArchivedObject
from plugins.s3_archiver.settings import CLIPS, EXPORTS, SEGMENTS, SNAPSHOTS
from plugins.s3_archiver.status import Waiting
from plugins.s3_archiver.upload import Uploaded

#: The name of the archive, which rows of copies store.
ARCHIVE = "s3"
#: Failed segments that are remembered; more are tried again with the rest.
_MOST_FAILED = 10_000
_PAGE = 64


@dataclass(frozen=True, slots=True)
class Item:
    """A file to upload. `subject_id` is the id of its row."""

    kind: str
    subject_id: Any
    tenant_id: str
    device_id: str
    path: Path
    key: str
    size: int
    content_type: str
    source: str = ""
    expires_at: datetime | None = None

    @property
    def identity(self) -> tuple[str, Any]:
        return self.kind, self.subject_id


class Outbox:
    """Pending items of the devices of each kind, oldest first, and the record of what became of them."""

    def __init__(self, config: Config, *, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._captures = CaptureFiles.from_config(config)
        self._storage: LocalStorage = open_storage(config)
        self._devices: dict[str, list[str]] = {}
        self._failed: dict[tuple[str, Any], tuple[int, datetime]] = {}

    def assign(self, devices: Mapping[str, Collection[str]]) -> None:
        """Set the ids of the devices whose objects are archived, by kind."""
        mine = assign_devices(ARCHIVE, set(devices.get(SEGMENTS, ())))
        self._devices = {kind: sorted(ids) for kind, ids in devices.items()} | {SEGMENTS: sorted(mine)}

    def pending(self, skip: Collection[tuple[str, Any]], limit: int = _PAGE) -> list[Item]:
        """The next items, at most `limit`: small objects first, so that they do not wait for hours of footage."""
        skipped = set(skip)
        items = [*self._snapshots(limit), *self._clips(limit), *self._exports()]
        items = [item for item in items if item.identity not in skipped][:limit]
        return items or self._segments(skipped, limit)

    def begin(self, item: Item) -> None:
        """Record that an upload begins: if its end is not recorded and its subject is deleted, the object is too."""
        if item.kind != SEGMENTS:
            with database.transaction():
                values = {"object_key": item.key, "size": item.size, "state": WAITING, "attempts": 0}
                self._insert(item, **values).on_conflict_ignore().execute()

    def save(self, item: Item, uploaded: Uploaded) -> None:
        """Record a verified object."""
        now = self._clock()
        if item.kind == SEGMENTS:
            at_ms = int(now.timestamp() * 1000)
            mark_archived(
                item.subject_id,
                ARCHIVE,
                object_key=item.key,
                size=uploaded.size,
                checksum=uploaded.checksum,
                at_ms=at_ms,
                blocks=uploaded.blocks,
            )
            self._failed.pop(item.identity, None)
        else:
            self._write(item, state=ARCHIVED, attempts=0, checksum=uploaded.checksum, archived_at=now)

    def postpone(self, item: Item, failure: StoreFailure) -> None:
        """Record a failure that concerns this item alone; it is tried again after a pause that grows."""
        now = self._clock()
        if item.kind == SEGMENTS:
            attempts = self._failed.get(item.identity, (0, now))[0] + 1
            if len(self._failed) < _MOST_FAILED or item.identity in self._failed:
                self._failed[item.identity] = attempts, now + timedelta(seconds=pause_after(attempts))
            return
        with database.session():
            row = EVERY_TENANT.select(ArchivedObject, ArchivedObject.attempts).where(_same(item)).first()
        attempts = (row.attempts if row else 0) + 1
        self._write(
            item,
            state=WAITING,
            attempts=attempts,
            next_try_at=now + timedelta(seconds=pause_after(attempts)),
            error_code=failure.reason,
            error_detail=failure.detail[:500],
        )

    def retry_now(self) -> None:
        """Try everything that waits for its next attempt at once."""
        self._failed.clear()
        with database.transaction():
            EVERY_TENANT.update(ArchivedObject, next_try_at=None).where(ArchivedObject.state == WAITING).execute()

    def count(self) -> Waiting:
        """The backlog of all devices."""
        segments = read_backlog(self._devices.get(SEGMENTS, ()))
        oldest = [] if segments.oldest_ms is None else [_moment(segments.oldest_ms, self._clock())]
        size, objects = segments.bytes, 0
        for query in self._backlogs():
            with database.session():
                number, total, first = query.tuples().first()
            objects, size = objects + number, size + int(total or 0)
            if first is not None:
                oldest.append(first)
        with database.session():
            has_failed = (ArchivedObject.state == WAITING) & ArchivedObject.error_code.is_null(False)
            failing = EVERY_TENANT.select(ArchivedObject).where(has_failed).count()
        return Waiting(size, objects, min(oldest, default=None), failing + len(self._failed))

    # ---- what waits ----------------------------------------------------------------------------------------------

    def _segments(self, skipped: set[tuple[str, Any]], limit: int) -> list[Item]:
        now = self._clock()
        later = {key for key, (_, at) in self._failed.items() if at > now}
        found: list[Item] = []
        after = None
        while not found:
            page = pending_segments(self._devices.get(SEGMENTS, ()), limit, after=after)
            for segment in page:
                if (SEGMENTS, segment.id) not in skipped and (SEGMENTS, segment.id) not in later:
                    path = self._storage.local_path(segment.key)
                    item = Item(
                        SEGMENTS, segment.id, segment.tenant_id, segment.device_id, path, segment.key, segment.size,
                        "video/mp4",
                    )  # fmt: skip
                    found.append(item)
            if len(page) < limit:
                break
            after = page[-1].cursor
        return found

    def _snapshots(self, limit: int) -> list[Item]:
        columns = (Snapshot.id, Snapshot.tenant_id, Snapshot.device_id, Snapshot.at_ms, Snapshot.file, Snapshot.size)
        query = self._pending_snapshots(*columns).order_by(Snapshot.created_at).limit(limit)
        with database.session():
            rows = list(query.tuples())
        return [self._capture(SNAPSHOTS, "image/jpeg", row) for row in rows]

    def _clips(self, limit: int) -> list[Item]:
        columns = (
            Bookmark.id, Bookmark.tenant_id, Bookmark.device_id, Bookmark.clip_start_ms, Bookmark.clip_file,
            Bookmark.clip_size,
        )  # fmt: skip
        query = self._pending_clips(*columns).order_by(Bookmark.updated_at).limit(limit)
        with database.session():
            rows = list(query.tuples())
        return [self._capture(CLIPS, "video/mp4", row) for row in rows]

    def _exports(self) -> list[Item]:
        with database.session():
            rows = list(self._pending_exports(Job).order_by(Job.finished_at))
        found = []
        for job in rows:
            facts, wanted = json.loads(job.result or "{}"), json.loads(job.parameters)
            at_ms = wanted.get("start_ms") or int(job.created_at.timestamp() * 1000)
            try:
                path = result_path(self._config, str(facts["file"]))
            except (KeyError, ValueError):
                continue
            key = capture_key(job.tenant_id, job.device_id, at_ms, "export", path.name)
            content_type = str(facts.get("content_type") or "application/octet-stream")
            found.append(
                Item(
                    EXPORTS,
                    job.id,
                    job.tenant_id,
                    job.device_id,
                    path,
                    key,
                    int(facts["size"]),
                    content_type,
                    path.name,
                    job.expires_at,
                )
            )
        return found

    def _capture(self, kind: str, content_type: str, row: tuple[Any, ...]) -> Item:
        subject_id, tenant_id, device_id, at_ms, file, size = row
        path = self._captures.path(file)
        key = capture_key(tenant_id, device_id, at_ms, kind.removesuffix("s"), path.name)
        return Item(kind, subject_id, tenant_id, device_id, path, key, size, content_type, file)

    def _pending_snapshots(self, *columns: Any, only_due: bool = True) -> peewee.ModelSelect:
        chosen = (Snapshot.device_id.in_(self._devices.get(SNAPSHOTS, [])), Snapshot.deleted_at.is_null())
        return self._join(
            EVERY_TENANT.select(Snapshot, *columns), SNAPSHOTS, Snapshot.id, Snapshot.file, only_due
        ).where(*chosen)

    def _pending_clips(self, *columns: Any, only_due: bool = True) -> peewee.ModelSelect:
        chosen = (
            Bookmark.device_id.in_(self._devices.get(CLIPS, [])),
            Bookmark.deleted_at.is_null(),
            Bookmark.clip_state == READY,
            Bookmark.clip_file.is_null(False),
        )
        return self._join(
            EVERY_TENANT.select(Bookmark, *columns), CLIPS, Bookmark.id, Bookmark.clip_file, only_due
        ).where(*chosen)

    def _pending_exports(self, *columns: Any, only_due: bool = True) -> peewee.ModelSelect:
        chosen = (Job.device_id.in_(self._devices.get(EXPORTS, [])), Job.kind.in_(FILE_KINDS), Job.state == DONE)
        return self._join(EVERY_TENANT.select(Job, *columns), EXPORTS, Job.id, None, only_due).where(*chosen)

    def _join(
        self, query: peewee.ModelSelect, kind: str, subject: Any, source: Any, only_due: bool
    ) -> peewee.ModelSelect:
        """Those without a row that says they are archived or, with `only_due`, that their next attempt is later."""
        same = (ArchivedObject.kind == kind) & (ArchivedObject.subject_id == subject)
        waits = ArchivedObject.state == WAITING
        if only_due:
            waits &= ArchivedObject.next_try_at.is_null() | (ArchivedObject.next_try_at <= self._clock())
        pending = ArchivedObject.subject_id.is_null() | waits
        if source is not None:
            pending |= ArchivedObject.source != source
        return query.join(ArchivedObject, peewee.JOIN.LEFT_OUTER, on=same).where(pending)

    def _backlogs(self) -> list[peewee.ModelSelect]:
        """Queries of the number, bytes (where a column has them) and earliest time of what waits."""
        number, first = peewee.fn.COUNT(peewee.SQL("*")), peewee.fn.MIN
        return [
            self._pending_snapshots(
                number, peewee.fn.SUM(Snapshot.size), first(Snapshot.created_at).python_value(_aware), only_due=False
            ),
            self._pending_clips(
                number,
                peewee.fn.SUM(Bookmark.clip_size),
                first(Bookmark.updated_at).python_value(_aware),
                only_due=False,
            ),
            self._pending_exports(
                number, peewee.Value(None), first(Job.finished_at).python_value(_aware), only_due=False
            ),
        ]

    def _insert(self, item: Item, **values: Any) -> Any:
        names = {"tenant_id": item.tenant_id, "kind": item.kind, "subject_id": item.subject_id}
        return EVERY_TENANT.insert(
            ArchivedObject,
            **names,
            device_id=item.device_id,
            source=item.source,
            expires_at=item.expires_at,
            **values,
        )

    def _write(self, item: Item, **values: Any) -> None:
        """Write the row. The object of an earlier file, such as of a clip that was made again, is deleted."""
        row = {"checksum": None, "next_try_at": None, "error_code": None, "error_detail": None, "archived_at": None}
        row |= {"object_key": item.key, "size": item.size} | values
        update = row | {"device_id": item.device_id, "source": item.source, "expires_at": item.expires_at}
        with database.transaction():
            earlier = EVERY_TENANT.select(ArchivedObject, ArchivedObject.object_key).where(_same(item)).scalar()
            if earlier not in (None, item.key):
                remove_object(ARCHIVE, earlier, int(self._clock().timestamp() * 1000))
            self._insert(item, **row).on_conflict(
                conflict_target=[ArchivedObject.kind, ArchivedObject.subject_id],
                update={getattr(ArchivedObject, name): value for name, value in update.items()},
            ).execute()


def _same(item: Item) -> Any:
    return (ArchivedObject.kind == item.kind) & (ArchivedObject.subject_id == item.subject_id)


def _aware(value: Any) -> datetime | None:
    return None if value is None else TimeField().python_value(value)


def _moment(at_ms: int, now: datetime) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, now.tzinfo)
