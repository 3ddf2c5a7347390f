"""Bookmarks: moments on a device with title, note, tags and a clip of their own. Milliseconds since 1970, UTC."""

import peewee

from gateway.models.base import IdField, TenantRow, TimeField

#: Where the clip of a bookmark stands.
PENDING, READY, FAILED = CLIP_STATES = ("pending", "ready", "failed")


class Bookmark(TenantRow):
    """A moment; `clip_file` and `poster_file` are keys among the capture files, `clip_notes` a JSON list of texts."""

    id = IdField(primary_key=True)
    device_id = IdField()
    device_name = peewee.TextField()
    at_ms = peewee.BigIntegerField()
    title = peewee.TextField()
    note = peewee.TextField()
    search_text = peewee.TextField()  # case-folded title, note, tags and device name
    before_ms = peewee.IntegerField()
    after_ms = peewee.IntegerField()
    clip_state = peewee.TextField()
    clip_job_id = IdField(null=True)
    clip_reason_code = peewee.TextField(null=True)
    clip_reason_message = peewee.TextField(null=True)
    clip_file = peewee.TextField(null=True)
    clip_size = peewee.BigIntegerField(null=True)
    clip_start_ms = peewee.BigIntegerField(null=True)
    clip_end_ms = peewee.BigIntegerField(null=True)
    clip_seconds = peewee.DoubleField(null=True)
    clip_codec = peewee.TextField(null=True)
    clip_notes = peewee.TextField()
    poster_file = peewee.TextField(null=True)
    version = peewee.IntegerField()
    created_by = peewee.TextField()
    created_at = TimeField()
    updated_at = TimeField()
    deleted_at = TimeField(null=True)

    class Meta:
        table_name = "bookmarks"


class BookmarkTag(TenantRow):
    """One tag of a bookmark."""

    bookmark_id = IdField()
    tag = peewee.TextField()

    class Meta:
        table_name = "bookmark_tags"
        primary_key = peewee.CompositeKey("bookmark_id", "tag")
