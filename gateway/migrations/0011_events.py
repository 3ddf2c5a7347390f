"""The events of devices, jobs and the service in one table, with a cursor for those who follow it.

It takes over the rows of `device_events`. A row that changes gets a new cursor: it moves to the end of the feed.
"""

_OLD = "id, tenant_id, device_id, at, kind, from_state, to_state, reason_code, reason_message, run, reference, by_name"


def upgrade(run, types):
    is_sqlite = bool(types.clustered)
    run(f"""
        CREATE TABLE events (
            id {types.big_serial},
            cursor BIGINT NOT NULL,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            device_id {types.id},
            at {types.time} NOT NULL,
            change TEXT NOT NULL,
            kind TEXT NOT NULL,
            plugin TEXT,
            label TEXT,
            zone TEXT,
            score DOUBLE PRECISION,
            start_ms BIGINT NOT NULL,
            end_ms BIGINT,
            from_state TEXT,
            to_state TEXT,
            reason_code TEXT,
            reason_message TEXT,
            run BIGINT,
            reference TEXT,
            snapshot_id {types.id},
            text TEXT,
            by_name TEXT,
            data TEXT
        )""")
    if is_sqlite:
        start_ms = "CAST(strftime('%s', at) AS INTEGER) * 1000 + CAST(substr(at, 21, 3) AS INTEGER)"
    else:
        start_ms = "CAST(FLOOR(EXTRACT(EPOCH FROM at) * 1000) AS BIGINT)"
    run(
        f"INSERT INTO events ({_OLD}, text, cursor, change, start_ms, end_ms)"  # noqa: S608 (constants)
        " SELECT id, tenant_id, device_id, at, kind, NULLIF(from_state, ''), NULLIF(to_state, ''), reason_code,"
        f" reason_message, NULLIF(run, 0), reference, by_name, text, id, 'recorded', {start_ms}, {start_ms}"
        " FROM device_events"
    )
    # Numbers go on where the old table ends, also where its newest rows have been deleted.
    if is_sqlite:
        last = "COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'device_events'), 0)"
        run("CREATE TABLE event_cursor (id SMALLINT PRIMARY KEY, value BIGINT NOT NULL)")
        run(f"INSERT INTO event_cursor (id, value) VALUES (1, {last})")  # noqa: S608 (constants)
        run("DELETE FROM sqlite_sequence WHERE name = 'events'")
        run(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('events', {last})")  # noqa: S608 (constants)
    else:
        last = "nextval(pg_get_serial_sequence('device_events', 'id'))"
        run("CREATE SEQUENCE event_cursor")
        run(f"SELECT setval('event_cursor', {last})")
        run("SELECT setval(pg_get_serial_sequence('events', 'id'), currval('event_cursor'))")
    run("DROP TABLE device_events")
    run("CREATE UNIQUE INDEX events_cursor ON events (cursor)")
    run("CREATE INDEX events_at ON events (at)")
    run("CREATE INDEX events_time ON events (tenant_id, start_ms, id)")
    run("CREATE INDEX events_device ON events (device_id, start_ms, id)")
    run("CREATE INDEX events_kind ON events (tenant_id, kind, start_ms)")
    run("CREATE INDEX events_label ON events (tenant_id, label, start_ms) WHERE label IS NOT NULL")
    run("CREATE INDEX events_zone ON events (tenant_id, zone, start_ms) WHERE zone IS NOT NULL")
    run("CREATE INDEX events_reference ON events (reference) WHERE reference IS NOT NULL")
