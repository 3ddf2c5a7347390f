"""A product under test with an archiver: rows and files as the product makes them, and a bucket in memory."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from obstore.store import MemoryStore

from gateway import database
from gateway.captures.bookmarks import Bookmark
from gateway.captures.files import CaptureFiles
from gateway.captures.snapshots import Snapshot
from gateway.clock import utc_now
from gateway.config import Config
from gateway.devices.model import Device
from gateway.jobs.model import DONE, Job
from gateway.migrations import POSTGRESQL_TYPES, SQLITE_TYPES
from gateway.storage.local import ensure_storage
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from plugins.s3_archiver.bucket import Bucket, Leftover
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.model import ArchivedObject, add_expiry, create_tables
from plugins.s3_archiver.outbox import Outbox
from plugins.s3_archiver.settings import KINDS, BucketSettings, Settings, UploadSettings
from tests.footage import Footage, make_footage
from tests.gateway.rows import make_bookmark, make_snapshot

FOOTAGE = BucketSettings("footage")


class MemoryBucket(Bucket):
    """A bucket in memory. `failures` are raised by the next uploads, one each; None lets one pass."""

    def __init__(self, settings: BucketSettings | None = None) -> None:
        super().__init__(settings or FOOTAGE, store=MemoryStore())
        self.failures: list[StoreFailure | None] = []
        self.left: list[Leftover] = []
        self.aborted: list[str] = []
        self.puts: list[str] = []
        self.difference: float | None = None

    def put(self, key, data, *, part_size, content_type):
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.puts.append(key)
        return super().put(key, data, part_size=part_size, content_type=content_type)

    def leftovers(self):
        return self.left

    def abort(self, upload):
        self.aborted.append(upload.key)

    def clock_difference(self):
        return self.difference

    def content(self) -> dict[str, bytes]:
        """All objects."""
        return {key: b"".join(self.read(key)) for key, _ in self.keys()}


@dataclass
class Clock:
    """A wall clock and a monotonic clock that move together."""

    seconds: float = 1000.0
    start: datetime = field(default_factory=utc_now)

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds - 1000.0)


@dataclass
class StubOptions:
    """Options that tests change."""

    bucket: BucketSettings | None = FOOTAGE
    uploads: UploadSettings = field(default_factory=UploadSettings)
    chosen: dict[str, set[str]] = field(default_factory=dict)

    def settings(self) -> Settings:
        return Settings(self.bucket, self.uploads)

    def devices(self) -> dict[str, set[str]]:
        return {kind: set(self.chosen.get(kind, ())) for kind in KINDS}


@dataclass
class World:
    """One device with all kinds of objects."""

    config: Config
    scope: TenantScope
    footage: Footage
    clock: Clock = field(default_factory=Clock)

    @property
    def device_id(self) -> str:
        return self.footage.device_id

    @property
    def device(self) -> Device:
        with database.session():
            return self.scope.select(Device).where(Device.id == self.device_id).get()

    def outbox(self, *kinds: str) -> Outbox:
        """An outbox to which the device's objects of these kinds (all by default) are assigned."""
        outbox = Outbox(self.config, clock=self.clock.now)
        outbox.assign({kind: {self.device_id} if kind in (kinds or KINDS) else set() for kind in KINDS})
        return outbox

    def all_kinds(self) -> StubOptions:
        return StubOptions(chosen={kind: {self.device_id} for kind in KINDS})

    def add_snapshot(self, data: bytes = b"jpeg", **values) -> Snapshot:
        """A snapshot with its file."""
        row = make_snapshot(self.scope, self.device, 1_750_000_000_123, size=len(data), **values)
        CaptureFiles.from_config(self.config).write(row.file, data)
        return row

    def add_clip(self, data: bytes = b"clip") -> Bookmark:
        """A bookmark with a clip."""
        bookmark_id = str(uuid.uuid4())
        row = make_bookmark(self.scope, self.device, 1_750_000_000_000, id=bookmark_id, clip_start_ms=1_750_000_000_000)
        self.write_clip(row, f"{bookmark_id}-1.mp4", data)
        return row

    def write_clip(self, row: Bookmark, name: str, data: bytes) -> None:
        """Make the clip (again) under a new name."""
        key = CaptureFiles.key("clips", self.scope.tenant_id, name)
        CaptureFiles.from_config(self.config).write(key, data)
        with database.transaction():
            EVERY_TENANT.update(Bookmark, clip_file=key, clip_size=len(data)).where(Bookmark.id == row.id).execute()

    def add_export(self, data: bytes = b"export", kind: str = "export") -> Job:
        """A finished export with its file."""
        job_id = str(uuid.uuid4())
        name = f"{job_id}-1.mp4"
        self.config.exports_dir.mkdir(parents=True, exist_ok=True)
        Path(self.config.exports_dir, name).write_bytes(data)
        now = datetime.now(UTC)
        result = {"file": name, "size": len(data), "content_type": "video/mp4", "name": "x.mp4"}
        with database.transaction():
            self.scope.insert(
                Job,
                id=job_id,
                device_id=self.device_id,
                kind=kind,
                parameters=json.dumps({"start_ms": 1_750_000_000_000}),
                state=DONE,
                progress=1,
                stage="",
                result=json.dumps(result),
                attempts=1,
                cancel_requested=0,
                created_at=now,
                finished_at=now,
                expires_at=now + timedelta(hours=72),
            ).execute()
            return self.scope.select(Job).where(Job.id == job_id).get()

    def rows(self) -> list[ArchivedObject]:
        with database.session():
            return list(EVERY_TENANT.select(ArchivedObject))

    def archived_segments(self) -> list[int]:
        return [segment.id for segment in self.footage.segments() if segment.is_archived]


def make_world(config: Config, scope: TenantScope) -> World:
    """A device, with the tables of the plugin."""
    make_tables()
    return World(config, scope, make_footage(scope, ensure_storage(config)))


def make_tables() -> None:
    """The tables of the plugin, as `vas release` makes them."""
    types = POSTGRESQL_TYPES if database.is_postgresql() else SQLITE_TYPES
    with database.transaction() as connection:
        connection.execute_sql("DROP TABLE IF EXISTS s3_archiver_objects")
        for migrate in (create_tables, add_expiry):
            migrate(connection.execute_sql, types)
