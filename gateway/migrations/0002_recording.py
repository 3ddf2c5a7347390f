"""Recording: desired and observed state of each device, segments with parts, roll-ups, gaps, events, protections; jobs.

Times of footage are integers, milliseconds since 1970 in UTC: a hundred cameras make fifty million rows a year.
"""


def upgrade(run, types):
    run(f"""
        CREATE TABLE storages (
            id {types.big_serial},
            uuid {types.id} NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            created_at {types.time} NOT NULL
        )""")
    # No reference to the device: footage outlives the device's row until its files are deleted (`deleted_at`).
    run(f"""
        CREATE TABLE recordings (
            id {types.big_serial},
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            device_id {types.id} NOT NULL UNIQUE,
            mode TEXT NOT NULL,
            time_zone TEXT NOT NULL,
            plan TEXT NOT NULL,
            pre_roll_seconds DOUBLE PRECISION NOT NULL,
            post_roll_seconds DOUBLE PRECISION NOT NULL,
            keep_days INTEGER,
            keep_bytes BIGINT,
            override TEXT,
            override_by TEXT,
            override_at_ms BIGINT,
            override_until_ms BIGINT,
            event_until_ms BIGINT,
            version INTEGER NOT NULL,
            observed TEXT NOT NULL,
            reason_code TEXT,
            reason_message TEXT,
            since {types.time} NOT NULL,
            epoch BIGINT NOT NULL,
            worker TEXT,
            expired_before_ms BIGINT NOT NULL,
            deleted_at {types.time}
        )""")
    run("CREATE INDEX recordings_tenant ON recordings (tenant_id)")
    run(f"""
        CREATE TABLE segments (
            id {types.big_serial},
            recording_id BIGINT NOT NULL REFERENCES recordings (id),
            start_ms BIGINT NOT NULL,
            duration_ms INTEGER NOT NULL,
            run BIGINT NOT NULL,
            sequence BIGINT NOT NULL,
            parts INTEGER NOT NULL,
            frames INTEGER NOT NULL,
            size BIGINT NOT NULL,
            init_size INTEGER NOT NULL,
            state SMALLINT NOT NULL,
            storage_id BIGINT NOT NULL REFERENCES storages (id),
            is_archived SMALLINT NOT NULL
        )""")
    run("CREATE UNIQUE INDEX segments_time ON segments (recording_id, start_ms, run, sequence)")
    run("CREATE INDEX segments_unsettled ON segments (state) WHERE state <> 1")
    run(f"""
        CREATE TABLE segment_parts (
            segment_id BIGINT PRIMARY KEY REFERENCES segments (id) ON DELETE CASCADE,
            packed {types.bytes} NOT NULL
        )""")
    run(f"""
        CREATE TABLE recording_quarters (
            recording_id BIGINT NOT NULL REFERENCES recordings (id),
            quarter BIGINT NOT NULL,
            recorded_ms BIGINT NOT NULL,
            bytes BIGINT NOT NULL,
            segments INTEGER NOT NULL,
            PRIMARY KEY (recording_id, quarter)
        ){types.clustered}""")
    run(f"""
        CREATE TABLE recording_gaps (
            id {types.big_serial},
            recording_id BIGINT NOT NULL REFERENCES recordings (id),
            start_ms BIGINT NOT NULL,
            end_ms BIGINT,
            reason_code TEXT NOT NULL,
            by_name TEXT,
            is_wanted SMALLINT NOT NULL
        )""")
    run("CREATE INDEX recording_gaps_time ON recording_gaps (recording_id, start_ms)")
    run("CREATE INDEX recording_gaps_open ON recording_gaps (recording_id) WHERE end_ms IS NULL")
    run(f"""
        CREATE TABLE recording_events (
            id {types.big_serial},
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            recording_id BIGINT NOT NULL REFERENCES recordings (id),
            at_ms BIGINT NOT NULL,
            end_ms BIGINT,
            label TEXT NOT NULL,
            note TEXT NOT NULL,
            source TEXT NOT NULL
        )""")
    run("CREATE INDEX recording_events_time ON recording_events (recording_id, at_ms)")
    run(f"""
        CREATE TABLE protections (
            id {types.big_serial},
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            recording_id BIGINT NOT NULL REFERENCES recordings (id),
            start_ms BIGINT NOT NULL,
            end_ms BIGINT NOT NULL,
            kind TEXT NOT NULL,
            reference TEXT NOT NULL,
            note TEXT NOT NULL,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL
        )""")
    run("CREATE INDEX protections_time ON protections (recording_id, start_ms)")
    run(f"""
        CREATE TABLE jobs (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            device_id {types.id},
            kind TEXT NOT NULL,
            parameters TEXT NOT NULL,
            request_key TEXT,
            state TEXT NOT NULL,
            progress DOUBLE PRECISION NOT NULL,
            stage TEXT NOT NULL,
            result TEXT,
            error_code TEXT,
            error_message TEXT,
            attempts INTEGER NOT NULL,
            cancel_requested SMALLINT NOT NULL,
            worker TEXT,
            heartbeat_at {types.time},
            created_at {types.time} NOT NULL,
            started_at {types.time},
            finished_at {types.time},
            expires_at {types.time}
        )""")
    run("CREATE INDEX jobs_tenant ON jobs (tenant_id, created_at)")
    run("CREATE INDEX jobs_state ON jobs (state)")
    run("CREATE UNIQUE INDEX jobs_request ON jobs (tenant_id, request_key) WHERE request_key IS NOT NULL")
    # An upgrade must not start to fill a disk: existing devices are not recorded until somebody switches it on.
    run(
        "INSERT INTO recordings (tenant_id, device_id, mode, time_zone, plan, pre_roll_seconds, post_roll_seconds,"
        " version, observed, since, epoch, expired_before_ms)"
        " SELECT tenant_id, id, 'off', 'UTC', '{}', 5, 10, 1, 'off', created_at, 0, 0 FROM devices"
    )
