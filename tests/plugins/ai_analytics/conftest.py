"""The plugin's own tables, and the device of tests."""

import pytest

from gateway.outputs import DeviceContext
from gateway.plugin_work.migrating import drop_tables, migrate_plugins
from gateway.plugin_work.registrations import read_registered
from plugins import ai_analytics
from tests.factories import make_device, no_plugins


@pytest.fixture
def tables(bound_database):
    """The tables of the plugin, as `vas release` creates them."""
    manager = no_plugins()
    manager.register(ai_analytics, name="ai_analytics")
    (report,) = migrate_plugins(read_registered(manager))
    assert report.failed is None
    yield
    drop_tables("ai_analytics")


@pytest.fixture
def device(tables, scope, box) -> DeviceContext:
    found = make_device(scope, box)
    return DeviceContext(found.id, found.tenant_id, found.name)
