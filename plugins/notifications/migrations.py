"""The tables of the plugin."""

from typing import Any


def create_tables(run: Any, types: Any) -> None:
    """Channels, rules, what they matched, deliveries, push subscriptions, and the place in the feed of events."""
    run(f"""
        CREATE TABLE notifications_channels (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL,
            name TEXT NOT NULL,
            name_key TEXT NOT NULL,
            kind TEXT NOT NULL,
            enabled {types.boolean} NOT NULL,
            settings TEXT NOT NULL,
            sealed TEXT NOT NULL,
            version INTEGER NOT NULL,
            failing_since {types.time},
            disabled_reason TEXT,
            last_ok_at {types.time},
            last_error TEXT,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL,
            updated_at {types.time} NOT NULL
        )""")
    run("CREATE UNIQUE INDEX notifications_channels_name ON notifications_channels (tenant_id, name_key)")
    run(f"""
        CREATE TABLE notifications_rules (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL,
            name TEXT NOT NULL,
            name_key TEXT NOT NULL,
            enabled {types.boolean} NOT NULL,
            settings TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL,
            updated_at {types.time} NOT NULL
        )""")
    run("CREATE UNIQUE INDEX notifications_rules_name ON notifications_rules (tenant_id, name_key)")
    run(f"""
        CREATE TABLE notifications_matches (
            rule_id {types.id} NOT NULL,
            event_id BIGINT NOT NULL,
            moment TEXT NOT NULL,
            tenant_id {types.id} NOT NULL,
            device_id {types.id},
            at_ms BIGINT NOT NULL,
            outcome TEXT NOT NULL,
            PRIMARY KEY (rule_id, event_id, moment)
        )""")
    run("CREATE INDEX notifications_matches_time ON notifications_matches (at_ms)")
    run("CREATE INDEX notifications_matches_device ON notifications_matches (rule_id, device_id, at_ms)")
    run(f"""
        CREATE TABLE notifications_deliveries (
            id {types.big_serial},
            message_id TEXT NOT NULL UNIQUE,
            tenant_id {types.id} NOT NULL,
            channel_id {types.id} NOT NULL,
            channel_name TEXT NOT NULL,
            kind TEXT NOT NULL,
            rule_id {types.id},
            rule_name TEXT NOT NULL,
            event_id BIGINT,
            device_id {types.id},
            device_name TEXT NOT NULL,
            state TEXT NOT NULL,
            type TEXT NOT NULL,
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            data TEXT NOT NULL,
            has_picture {types.boolean} NOT NULL,
            attempts INTEGER NOT NULL,
            created_at {types.time} NOT NULL,
            next_try_at {types.time},
            taken_until {types.time},
            taken_by TEXT,
            finished_at {types.time},
            status INTEGER,
            answer TEXT,
            reason TEXT,
            error TEXT,
            progress TEXT
        )""")
    run("CREATE INDEX notifications_deliveries_due ON notifications_deliveries (state, channel_id, next_try_at)")
    run("CREATE INDEX notifications_deliveries_list ON notifications_deliveries (tenant_id, state, id)")
    run("CREATE INDEX notifications_deliveries_finished ON notifications_deliveries (finished_at)")
    run(f"""
        CREATE TABLE notifications_subscriptions (
            id {types.id} PRIMARY KEY,
            tenant_id {types.id} NOT NULL,
            channel_id {types.id} NOT NULL,
            digest TEXT NOT NULL,
            sealed TEXT NOT NULL,
            browser TEXT NOT NULL,
            created_by TEXT NOT NULL,
            created_at {types.time} NOT NULL
        )""")
    run("CREATE UNIQUE INDEX notifications_subscriptions_digest ON notifications_subscriptions (channel_id, digest)")
    run(f"""
        CREATE TABLE notifications_feeds (
            name TEXT PRIMARY KEY,
            tenant_id {types.id} NOT NULL,
            cursor BIGINT NOT NULL
        )""")
    run(f"""
        CREATE TABLE notifications_announced (
            channel_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            tenant_id {types.id} NOT NULL,
            PRIMARY KEY (channel_id, device_id)
        )""")
