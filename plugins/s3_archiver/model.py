"""The table of archived snapshots, clips and exports. Copies of segments are rows of the core (`segment_copies`)."""

import peewee

from gateway.plugin_api import IdField, TenantRow, TimeField
from plugins.s3_archiver.failures import PROBLEMS

WAITING, ARCHIVED = "waiting", "archived"


class ArchivedObject(TenantRow):
    """A snapshot, clip or export in the bucket, or the next attempt to put it there.

    `source` is the name of the file: a clip that was made again has another one, and is archived again.
    """

    kind = peewee.TextField()
    subject_id = IdField()
    device_id = IdField()
    source = peewee.TextField()
    object_key = peewee.TextField()
    size = peewee.BigIntegerField()
    checksum = peewee.TextField(null=True)
    state = peewee.TextField()
    attempts = peewee.IntegerField()
    next_try_at = TimeField(null=True)
    error_code = peewee.TextField(null=True)
    error_detail = peewee.TextField(null=True)
    archived_at = TimeField(null=True)
    #: When an export is deleted by itself: its object stays then.
    expires_at = TimeField(null=True)

    class Meta:
        table_name = "s3_archiver_objects"
        primary_key = peewee.CompositeKey("kind", "subject_id")


def create_tables(run, types):
    """The first migration."""
    run(f"""
        CREATE TABLE s3_archiver_objects (
            tenant_id {types.id} NOT NULL,
            kind TEXT NOT NULL,
            subject_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            source TEXT NOT NULL,
            object_key TEXT NOT NULL,
            size BIGINT NOT NULL,
            checksum TEXT,
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            next_try_at {types.time},
            error_code TEXT,
            error_detail TEXT,
            archived_at {types.time},
            PRIMARY KEY (kind, subject_id)
        )""")
    run("CREATE INDEX s3_archiver_objects_waiting ON s3_archiver_objects (state) WHERE state <> 'archived'")


def add_expiry(run, types):
    """The second migration."""
    run(f"ALTER TABLE s3_archiver_objects ADD COLUMN expires_at {types.time}")


def remedy_of(code: str | None) -> str | None:
    """What to do about an error that a row has."""
    problem = PROBLEMS.get(code or "")
    return problem.remedy if problem else None
