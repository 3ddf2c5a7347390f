"""Snapshots with their schedules, bookmarks with their clips; device events other than state changes."""


def upgrade(run, types):
    # No references to devices: captures outlive the camera (`device_name` identifies it).
    run(f"""
        CREATE TABLE snapshots (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            device_id {types.id} NOT NULL,
            device_name TEXT NOT NULL,
            at_ms BIGINT NOT NULL,
            kind TEXT NOT NULL,
            schedule_id BIGINT,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            size BIGINT NOT NULL,
            file TEXT NOT NULL,
            note TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL,
            deleted_at {types.time}
        )""")
    run("CREATE INDEX snapshots_time ON snapshots (tenant_id, at_ms)")
    run("CREATE INDEX snapshots_device ON snapshots (device_id, at_ms)")
    run("CREATE INDEX snapshots_schedule ON snapshots (schedule_id, at_ms) WHERE schedule_id IS NOT NULL")
    run("CREATE INDEX snapshots_deleted ON snapshots (deleted_at) WHERE deleted_at IS NOT NULL")
    run(f"""
        CREATE TABLE snapshot_tags (
            snapshot_id {types.id} NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            tag TEXT NOT NULL,
            PRIMARY KEY (snapshot_id, tag)
        )""")
    run("CREATE INDEX snapshot_tags_tag ON snapshot_tags (tenant_id, tag)")
    run(f"""
        CREATE TABLE snapshot_schedules (
            id {types.big_serial},
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            device_id {types.id} NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            enabled SMALLINT NOT NULL,
            every_seconds INTEGER,
            times TEXT NOT NULL,
            weekdays TEXT NOT NULL,
            time_zone TEXT NOT NULL,
            tags TEXT NOT NULL,
            keep_days INTEGER,
            keep_count INTEGER,
            next_at_ms BIGINT,
            last_at_ms BIGINT,
            last_taken_at_ms BIGINT,
            reason_code TEXT,
            reason_message TEXT,
            version INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL
        )""")
    run("CREATE INDEX snapshot_schedules_next ON snapshot_schedules (next_at_ms)")
    run("CREATE INDEX snapshot_schedules_device ON snapshot_schedules (tenant_id, device_id)")
    run(f"""
        CREATE TABLE bookmarks (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            device_id {types.id} NOT NULL,
            device_name TEXT NOT NULL,
            at_ms BIGINT NOT NULL,
            title TEXT NOT NULL,
            note TEXT NOT NULL,
            search_text TEXT NOT NULL,
            before_ms INTEGER NOT NULL,
            after_ms INTEGER NOT NULL,
            clip_state TEXT NOT NULL,
            clip_job_id {types.id},
            clip_reason_code TEXT,
            clip_reason_message TEXT,
            clip_file TEXT,
            clip_size BIGINT,
            clip_start_ms BIGINT,
            clip_end_ms BIGINT,
            clip_seconds DOUBLE PRECISION,
            clip_codec TEXT,
            clip_notes TEXT NOT NULL,
            poster_file TEXT,
            version INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL,
            updated_at {types.time} NOT NULL,
            deleted_at {types.time}
        )""")
    run("CREATE INDEX bookmarks_time ON bookmarks (tenant_id, at_ms)")
    run("CREATE INDEX bookmarks_device ON bookmarks (device_id, at_ms)")
    run("CREATE INDEX bookmarks_deleted ON bookmarks (deleted_at) WHERE deleted_at IS NOT NULL")
    run(f"""
        CREATE TABLE bookmark_tags (
            bookmark_id {types.id} NOT NULL REFERENCES bookmarks (id) ON DELETE CASCADE,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            tag TEXT NOT NULL,
            PRIMARY KEY (bookmark_id, tag)
        )""")
    run("CREATE INDEX bookmark_tags_tag ON bookmark_tags (tenant_id, tag)")
    # `state`: a transition of the stream. Others: `snapshot`, `bookmark`, `clip`, with a reference to their object.
    run("ALTER TABLE device_events ADD COLUMN kind TEXT NOT NULL DEFAULT 'state'")
    run("ALTER TABLE device_events ADD COLUMN reference TEXT")
    run("ALTER TABLE device_events ADD COLUMN text TEXT")
    run("ALTER TABLE device_events ADD COLUMN by_name TEXT")
