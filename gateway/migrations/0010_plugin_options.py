"""The options of plugins: of an installation and of tags, of devices, and how often they were changed."""


def upgrade(run, types):
    run(f"""
        CREATE TABLE plugin_options (
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            plugin TEXT NOT NULL,
            tag TEXT NOT NULL,
            content TEXT NOT NULL,
            sealed TEXT NOT NULL,
            version BIGINT NOT NULL,
            changed_at {types.time} NOT NULL,
            changed_by TEXT NOT NULL,
            PRIMARY KEY (tenant_id, plugin, tag)
        )""")
    run(f"""
        CREATE TABLE device_plugin_options (
            tenant_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            plugin TEXT NOT NULL,
            content TEXT NOT NULL,
            sealed TEXT NOT NULL,
            version BIGINT NOT NULL,
            changed_at {types.time} NOT NULL,
            changed_by TEXT NOT NULL,
            PRIMARY KEY (device_id, plugin),
            FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
        )""")
    run(f"""
        CREATE TABLE option_changes (
            tenant_id {types.id} PRIMARY KEY REFERENCES tenants (id),
            number BIGINT NOT NULL
        )""")
