"""Tenants with the default one, devices, tags, streams, events, and the demo devices already registered."""

from gateway.tenancy.tenants import DEFAULT_TENANT_ID


def upgrade(run, types):
    run(
        f"CREATE TABLE tenants (id {types.id} PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at {types.time} NOT NULL)"
    )
    run(f"INSERT INTO tenants (id, name, created_at) VALUES ('{DEFAULT_TENANT_ID}', 'default', CURRENT_TIMESTAMP)")  # noqa: S608
    run(f"""
        CREATE TABLE devices (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            name TEXT NOT NULL,
            name_key TEXT NOT NULL,
            search_text TEXT NOT NULL,
            source_url TEXT NOT NULL,
            source_sealed TEXT NOT NULL,
            sub_source_url TEXT,
            sub_source_sealed TEXT,
            has_credentials {types.boolean} NOT NULL,
            transport TEXT NOT NULL,
            description TEXT NOT NULL,
            location TEXT NOT NULL,
            start_mode TEXT NOT NULL,
            idle_seconds INTEGER NOT NULL,
            enabled {types.boolean} NOT NULL,
            version INTEGER NOT NULL,
            source_version INTEGER NOT NULL,
            created_at {types.time} NOT NULL,
            updated_at {types.time} NOT NULL,
            UNIQUE (tenant_id, name_key),
            UNIQUE (tenant_id, id)
        )""")
    run("CREATE INDEX devices_created ON devices (tenant_id, created_at)")
    # The tenant is part of each foreign key: a row cannot hang on another tenant's device.
    run(f"""
        CREATE TABLE device_tags (
            tenant_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            tag TEXT NOT NULL,
            PRIMARY KEY (device_id, tag),
            FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
        )""")
    run("CREATE INDEX device_tags_tag ON device_tags (tenant_id, tag)")
    run(f"""
        CREATE TABLE streams (
            device_id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL,
            desired TEXT NOT NULL,
            desired_reason TEXT NOT NULL,
            observed TEXT NOT NULL,
            reason_code TEXT,
            reason_message TEXT,
            since {types.time} NOT NULL,
            run BIGINT NOT NULL,
            restarts INTEGER NOT NULL,
            source_info TEXT,
            demanded_at {types.time},
            worker TEXT,
            FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
        )""")
    run("CREATE INDEX streams_observed ON streams (tenant_id, observed)")
    run("CREATE INDEX streams_desired ON streams (desired)")
    run(f"""
        CREATE TABLE device_events (
            id {types.big_serial},
            tenant_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            at {types.time} NOT NULL,
            from_state TEXT NOT NULL,
            to_state TEXT NOT NULL,
            reason_code TEXT,
            reason_message TEXT,
            run BIGINT NOT NULL,
            FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
        )""")
    run("CREATE INDEX device_events_device ON device_events (device_id, id)")
    run("CREATE INDEX device_events_at ON device_events (at)")
    run(f"""
        CREATE TABLE demo_devices (
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            name TEXT NOT NULL,
            registered_at {types.time} NOT NULL,
            PRIMARY KEY (tenant_id, name)
        )""")
