"""The history of a device: its snapshots, bookmarks and clips, in addition to the state changes of its stream."""

from gateway.captures.clips import format_clip_reason
from gateway.clock import utc_now
from gateway.devices.events import BOOKMARK, CLIP, SNAPSHOT, record_event
from gateway.hookspecs import hookimpl
from gateway.inventory import tenant_of
from gateway.media import BookmarkFact, ClipFact, SnapshotFact

_KINDS = {"live": "Snapshot of the live picture", "historical": "Snapshot of a recording"}


@hookimpl
def on_snapshot(device_id: str, snapshot: SnapshotFact) -> None:
    """Add an event for each snapshot taken by a user; those of schedules would outnumber all others."""
    text = _KINDS.get(snapshot.kind)
    if text is not None:
        _write(device_id, SNAPSHOT, text, snapshot.id, snapshot.by_name)


@hookimpl
def on_bookmark(device_id: str, bookmark: BookmarkFact) -> None:
    """Add an event for each change."""
    _write(device_id, BOOKMARK, f"Bookmark {bookmark.change}: {bookmark.title}", bookmark.id, bookmark.by_name)


@hookimpl
def on_clip(device_id: str, clip: ClipFact) -> None:
    """Add an event for each clip, and for each clip that could not be made."""
    text = (
        f"Clip of {clip.seconds:.1f} s"
        if clip.reason is None
        else f"No clip: {format_clip_reason(clip.reason).message}"
    )
    _write(device_id, CLIP, text, clip.bookmark_id, clip.by_name)


def _write(device_id: str, kind: str, text: str, reference: str, by_name: str) -> None:
    tenant_id = tenant_of(device_id)
    # A device that was deleted meanwhile has no history.
    if tenant_id is not None:
        record_event(tenant_id, device_id, kind, text, reference=reference, by_name=by_name, at=utc_now())
