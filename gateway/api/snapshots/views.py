"""Snapshots as the API shows them."""

from typing import Any

from flask import url_for

from gateway.captures.snapshots import Snapshot

THUMBNAIL_WIDTH = 320


def snapshot_view(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot (with its tags as `.tags`) as in the schema `Snapshot`."""
    return {
        "id": snapshot.id,
        "device_id": snapshot.device_id,
        "device_name": snapshot.device_name,
        "at": snapshot.at_ms,
        "kind": snapshot.kind,
        "schedule_id": snapshot.schedule_id,
        "width": snapshot.width,
        "height": snapshot.height,
        "size": snapshot.size,
        "tags": snapshot.tags,
        "note": snapshot.note,
        "created_by": snapshot.created_by,
        "created_at": snapshot.created_at,
        "image_url": url_for("snapshots.SnapshotImage", snapshot_id=snapshot.id),
        "thumbnail_url": url_for("snapshots.SnapshotImage", snapshot_id=snapshot.id, width=THUMBNAIL_WIDTH),
    }
