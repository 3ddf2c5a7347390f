"""Writes what happens to devices to the log of the process: their events, and the files of their pictures and clips."""

import logging

from gateway.plugin_api import BookmarkFact, ClipFact, EventFact, SnapshotFact, hookimpl, in_process

log = logging.getLogger(__name__)


@in_process
@hookimpl
def on_event(event: EventFact) -> None:
    """A line for each event of a device, when it begins and when it ends."""
    if event.device_id is not None and event.change != "changed":
        words = [event.kind, event.change, event.label, event.to_state, event.reason_code, event.text]
        log.info("device %s: %s", event.device_id, " ".join(word for word in words if word))


@in_process
@hookimpl
def on_snapshot(device_id: str, snapshot: SnapshotFact) -> None:
    """A line with the file of each snapshot."""
    log.info("device %s: snapshot %s is in %s", device_id, snapshot.id, snapshot.path)


@in_process
@hookimpl
def on_bookmark(device_id: str, bookmark: BookmarkFact) -> None:
    """A line for each change of a bookmark."""
    log.info("device %s: bookmark %s %s", device_id, bookmark.id, bookmark.change)


@in_process
@hookimpl
def on_clip(device_id: str, clip: ClipFact) -> None:
    """A line with the file of each clip, or with the reason why there is none."""
    log.info("device %s: clip of bookmark %s: %s", device_id, clip.bookmark_id, clip.reason or clip.path)
