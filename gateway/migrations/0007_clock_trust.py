"""The time by which ages are computed for deletion; see gateway.storage.clock_trust."""


def upgrade(run, types):
    run("""
        CREATE TABLE clock_trust (
            id SMALLINT PRIMARY KEY,
            trusted_ms BIGINT NOT NULL,
            seen_ms BIGINT NOT NULL,
            doubted_ms BIGINT,
            confirmed_ms BIGINT NOT NULL,
            is_reported SMALLINT NOT NULL
        )""")
