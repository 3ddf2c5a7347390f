"""Fixtures of the plugin: its tables, its secrets, receivers."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.migrations import POSTGRESQL_TYPES, SQLITE_TYPES
from gateway.plugin_context import PluginContext
from gateway.plugin_loading import PluginSecrets
from gateway.tenancy.scopes import TenantScope
from plugins.notifications.channels.model import Channel, create_channel
from plugins.notifications.channels.values import split
from plugins.notifications.migrations import create_tables
from plugins.notifications.network import AddressPolicy
from tests.factories import make_config
from tests.plugins.notifications.receivers import certificate, receiver

__all__ = ["certificate", "receiver"]

TABLES = ("channels", "rules", "matches", "deliveries", "subscriptions", "feeds", "announced")
#: What tests send goes to this machine.
LOCAL = AddressPolicy(["127.0.0.0/8"])


@pytest.fixture
def tables(bound_database: str) -> Iterator[str]:
    """The database with the tables of the plugin."""
    with database.transaction() as db:
        create_tables(db.execute_sql, POSTGRESQL_TYPES if database.is_postgresql() else SQLITE_TYPES)
    yield bound_database
    with database.transaction() as db:
        for table in TABLES:
            db.execute_sql(f"DROP TABLE notifications_{table}")


@pytest.fixture
def secrets() -> PluginSecrets:
    return PluginSecrets(PluginContext("notifications", make_config(), lambda _: None, lambda *_: []))


PARTS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "http://127.0.0.1:9/ok"},
    "mail": {
        "host": "127.0.0.1",
        "port": 9,
        "encryption": "starttls",
        "username": "vas",
        "password": "right",
        "sender": "vas@example.org",
        "recipients": ["guard@example.org"],
    },
    "mqtt": {
        "host": "127.0.0.1",
        "port": 9,
        "tls": False,
        "ca_certificate": None,
        "username": "vas",
        "password": "right",
        "prefix": "vas",
        "discovery": True,
        "discovery_prefix": "homeassistant",
        "pictures": True,
        "commands": True,
    },
    "push": {},
}


@pytest.fixture
def make_channel(tables: str, scope: TenantScope, secrets: PluginSecrets):
    """`make_channel("webhook", url=…)`: a channel in the database."""

    def make(kind: str = "webhook", name: str = "", **part: Any) -> Channel:
        now = utc_now()
        settings, secret_values = split(kind, PARTS[kind] | part, LOCAL, None, now)
        return create_channel(
            scope,
            secrets,
            name=name or f"My {kind}",
            kind=kind,
            enabled=True,
            settings=settings,
            secret_values=secret_values,
            by="test",
            at=now,
        )

    return make
