"""The keys under which requests may be repeated (Idempotency-Key), with the replies of the first ones."""


def upgrade(run, types):
    run(
        f"""
        CREATE TABLE request_keys (
            tenant_id {types.id} NOT NULL REFERENCES tenants (id),
            name TEXT NOT NULL,
            mark TEXT NOT NULL,
            status INTEGER NOT NULL,
            location TEXT,
            etag TEXT,
            body TEXT NOT NULL,
            created_at {types.time} NOT NULL,
            PRIMARY KEY (tenant_id, name)
        )
        """
    )
    run("CREATE INDEX request_keys_by_age ON request_keys (tenant_id, created_at)")
