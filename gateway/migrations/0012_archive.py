"""The archive tier: verified copies of segments, whether the local file still exists, and limits of archived footage.

`segments.is_local`: 1 the file is in the store, 2 it is about to be removed, 0 only the copies exist.
"""


def upgrade(run, types):
    run(f"""
        CREATE TABLE archives (
            id {types.big_serial},
            name TEXT NOT NULL UNIQUE,
            created_at {types.time} NOT NULL
        )""")
    run(f"""
        CREATE TABLE segment_copies (
            segment_id BIGINT NOT NULL REFERENCES segments (id),
            archive_id BIGINT NOT NULL REFERENCES archives (id),
            object_key TEXT NOT NULL,
            size BIGINT NOT NULL,
            checksum TEXT NOT NULL,
            blocks {types.bytes} NOT NULL,
            verified_at_ms BIGINT NOT NULL,
            PRIMARY KEY (segment_id, archive_id)
        ){types.clustered}""")
    # Objects of deleted footage: a row is written with the deletion, and removed once the object is gone.
    run(f"""
        CREATE TABLE archive_deletions (
            id {types.big_serial},
            archive_id BIGINT NOT NULL REFERENCES archives (id),
            object_key TEXT NOT NULL,
            since_ms BIGINT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_try_ms BIGINT NOT NULL DEFAULT 0,
            error TEXT NOT NULL DEFAULT ''
        )""")
    run("CREATE INDEX archive_deletions_due ON archive_deletions (archive_id, next_try_ms)")
    run("CREATE INDEX archive_deletions_key ON archive_deletions (object_key)")
    run("ALTER TABLE segments ADD COLUMN is_local SMALLINT NOT NULL DEFAULT 1")
    # Retention and archives look for the oldest local files among years of footage that is in an archive only.
    run("CREATE INDEX segments_local ON segments (recording_id, is_archived, start_ms) WHERE is_local = 1")
    run("CREATE INDEX segments_leaving ON segments (id) WHERE is_local = 2")
    # Bytes that have a verified copy, and those of them whose local file is gone.
    run("ALTER TABLE recording_quarters ADD COLUMN archived_bytes BIGINT NOT NULL DEFAULT 0")
    run("ALTER TABLE recording_quarters ADD COLUMN away_bytes BIGINT NOT NULL DEFAULT 0")
    run("ALTER TABLE recordings ADD COLUMN archived_by TEXT")
    run("ALTER TABLE recordings ADD COLUMN archive_keep_days INTEGER")
    run(f"ALTER TABLE recordings ADD COLUMN waits_for_copy {types.boolean} NOT NULL DEFAULT TRUE")
