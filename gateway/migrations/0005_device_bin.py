"""The bin of deleted devices; device events no longer depend on the row of their device, so that the bin keeps them."""

_EVENT_COLUMNS = (
    "id, tenant_id, device_id, at, from_state, to_state, reason_code, reason_message, run, kind, reference, text, "
    "by_name"
)


def upgrade(run, types):
    run(f"""
        CREATE TABLE deleted_devices (
            device_id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            name TEXT NOT NULL,
            content TEXT NOT NULL,
            deleted_by TEXT NOT NULL,
            deleted_at {types.time} NOT NULL
        )""")
    run("CREATE INDEX deleted_devices_time ON deleted_devices (deleted_at)")
    if types.clustered:  # SQLite cannot drop a constraint: the table is written anew
        run("ALTER TABLE device_events RENAME TO device_events_before")
        run(f"""
            CREATE TABLE device_events (
                id {types.big_serial},
                tenant_id {types.id} NOT NULL REFERENCES tenants (id),
                device_id {types.id} NOT NULL,
                at {types.time} NOT NULL,
                from_state TEXT NOT NULL,
                to_state TEXT NOT NULL,
                reason_code TEXT,
                reason_message TEXT,
                run BIGINT NOT NULL,
                kind TEXT NOT NULL DEFAULT 'state',
                reference TEXT,
                text TEXT,
                by_name TEXT
            )""")
        run(f"INSERT INTO device_events ({_EVENT_COLUMNS}) SELECT {_EVENT_COLUMNS} FROM device_events_before")  # noqa: S608
        run("DROP TABLE device_events_before")
        run("CREATE INDEX device_events_device ON device_events (device_id, id)")
        run("CREATE INDEX device_events_at ON device_events (at)")
    else:
        run("ALTER TABLE device_events DROP CONSTRAINT device_events_tenant_id_device_id_fkey")
        run("ALTER TABLE device_events ADD FOREIGN KEY (tenant_id) REFERENCES tenants (id)")
