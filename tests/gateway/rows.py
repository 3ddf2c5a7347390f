"""Rows of footage, snapshots and bookmarks without files, for tests of code that only reads the database."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from gateway import database
from gateway.captures.bookmarks import READY, Bookmark
from gateway.captures.files import CaptureFiles
from gateway.captures.snapshots import Snapshot, SnapshotTag
from gateway.clock import utc_now
from gateway.devices.model import Device
from gateway.footage.recordings import Recording, find_recording
from gateway.footage.segments import Gap, Segment, SegmentParts, SegmentState, StorageRow, add_to_rollup
from gateway.media import PartFact, pack_parts
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import EVERY_TENANT, FootageScope, TenantScope
from tests.factories import make_device

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SIZE = 1_000_000


@dataclass
class Rows:
    """The rows of one device's footage."""

    scope: TenantScope
    device_id: str
    id: int
    storage_id: int

    def recording(self) -> Recording:
        return find_recording(self.scope, self.device_id)

    def record(
        self,
        start_ms: int,
        minutes: int = 1,
        *,
        run: int = 1,
        sequence: int = 1,
        length_ms: int = MINUTE,
        state: SegmentState = SegmentState.CLOSED,
        parts: int = 120,
        has_parts: bool = False,
    ) -> list[int]:
        """Insert `minutes` consecutive files of one run; returns the ids of their rows."""
        ids = []
        with database.transaction():
            footage = FootageScope(self.id)
            for number in range(minutes):
                start = start_ms + number * length_ms
                ids.append(
                    footage.insert(
                        Segment,
                        start_ms=start,
                        duration_ms=length_ms,
                        run=run,
                        sequence=sequence + number * parts,
                        parts=parts,
                        frames=1500,
                        size=SIZE,
                        init_size=900,
                        state=state,
                        storage_id=self.storage_id,
                        is_archived=0,
                    ).execute()
                )
                if state == SegmentState.CLOSED:
                    add_to_rollup(footage, start, length_ms, SIZE)
                if has_parts:
                    facts = [
                        PartFact(SIZE // parts, part * length_ms // parts, length_ms // parts, 12, part % 4 == 0, True)
                        for part in range(parts)
                    ]
                    SegmentParts.insert(segment_id=ids[-1], packed=pack_parts(facts)).execute()
        return ids

    def note(
        self, start_ms: int, end_ms: int | None, code: str, *, by: str | None = None, is_wanted: bool = True
    ) -> None:
        """Insert the row of a gap."""
        with database.transaction():
            FootageScope(self.id).insert(
                Gap, start_ms=start_ms, end_ms=end_ms, reason_code=code, by_name=by, is_wanted=int(is_wanted)
            ).execute()

    def change(self, **values) -> Recording:
        """Set columns of the recording, and return it."""
        with database.transaction():
            EVERY_TENANT.update(Recording, **values).where(Recording.id == self.id).execute()
        return self.recording()


def make_rows(scope: TenantScope, box: SecretBox, **values) -> Rows:
    """A continuously recorded device without footage; `values` as for `make_device`."""
    device = make_device(scope, box, **values)
    with database.transaction():
        storage = StorageRow.select().first()
        storage_id = (
            storage.id
            if storage
            else StorageRow.insert(
                uuid="6c1f0f1e-0000-4000-8000-000000000001", kind="local", created_at=device.created_at
            ).execute()
        )
        EVERY_TENANT.update(Recording, mode="continuous").where(Recording.device_id == device.id).execute()
    return Rows(scope, device.id, find_recording(scope, device.id).id, storage_id)


def make_snapshot(
    scope: TenantScope, device: Device, at_ms: int, *, tags: tuple[str, ...] = (), **values: Any
) -> Snapshot:
    """The row of a snapshot, without its file."""
    snapshot_id = values.get("id") or str(uuid.uuid4())
    defaults = {
        "id": snapshot_id,
        "device_id": device.id,
        "device_name": device.name,
        "at_ms": at_ms,
        "kind": "live",
        "width": 640,
        "height": 360,
        "size": 1000,
        "note": "",
        "search_text": "",
        "version": 1,
        "created_by": "",
        "created_at": utc_now(),
        "file": CaptureFiles.key("snapshots", scope.tenant_id, f"{snapshot_id}.jpg"),
    }
    with database.transaction():
        scope.insert(Snapshot, **(defaults | values)).execute()
        for tag in tags:
            scope.insert(SnapshotTag, snapshot_id=snapshot_id, tag=tag).execute()
        return scope.select(Snapshot).where(Snapshot.id == snapshot_id).get()


def make_bookmark(scope: TenantScope, device: Device, at_ms: int, **values: Any) -> Bookmark:
    """The row of a bookmark, without its files."""
    now = utc_now()
    defaults = {
        "id": str(uuid.uuid4()),
        "device_id": device.id,
        "device_name": device.name,
        "at_ms": at_ms,
        "title": "x",
        "note": "",
        "search_text": "x",
        "before_ms": 5000,
        "after_ms": 5000,
        "clip_state": READY,
        "clip_notes": json.dumps([]),
        "version": 1,
        "created_by": "",
        "created_at": now,
        "updated_at": now,
    }
    row = defaults | values
    with database.transaction():
        scope.insert(Bookmark, **row).execute()
        return scope.select(Bookmark).where(Bookmark.id == row["id"]).get()
