"""There is no query without a tenant, and no access to another tenant's rows."""

import importlib
import inspect
import pkgutil
import re
import uuid
from pathlib import Path

import pytest

import gateway
from gateway import database
from gateway.clock import utc_now
from gateway.devices.model import Device, DeviceTag
from gateway.errors import NotFound
from gateway.inventory import (
    DeviceValues,
    NameTaken,
    create_device,
    delete_device,
    find_device,
    list_devices,
    replace_device,
)
from gateway.streams.model import Stream, request_start, request_stop
from gateway.tenancy.scopes import EVERY_TENANT, FootageRow, TenantRow, TenantScope, UnscopedQuery
from gateway.tenancy.tenants import Tenant
from tests.factories import SOURCE_URL, make_device

ROOT = Path(__file__).parents[3]
#: Base classes; rows of stores, archives, the clock and the installed plugins, which belong to no tenant; and rows that
#: are read with their segment only.
UNSCOPED = {
    "Row", "ScopedRow", "FootageRow", "Tenant", "StorageRow", "ClockTrustRow", "SegmentParts", "SegmentCopy",
    "ArchiveRow", "ArchiveDeletion", "EventCursor", "PluginMigrationRow", "PluginTableRow", "PluginScheduleRow",
}  # fmt: skip


@pytest.fixture
def other_scope(bound_database):
    """A second tenant."""
    tenant_id = str(uuid.uuid4())
    with database.transaction():
        Tenant.insert(id=tenant_id, name="other", created_at=utc_now()).execute()
    return TenantScope(tenant_id)


def test_another_tenants_device_does_not_exist(scope, other_scope, box):
    device = make_device(scope, box, tags=("gate",))
    for attempt in (
        lambda: find_device(other_scope, device.id),
        lambda: delete_device(other_scope, device.id),
        lambda: request_start(other_scope, device.id),
        lambda: request_stop(other_scope, device.id),
        lambda: replace_device(other_scope, device.id, DeviceValues("x", SOURCE_URL), box),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert list_devices(other_scope) == ([], 0)
    assert list_devices(other_scope, tags=["gate"]) == ([], 0)
    assert find_device(scope, device.id).stream.desired == "stopped"


def test_names_are_unique_within_a_tenant_only(scope, other_scope, box):
    create_device(scope, DeviceValues("Gate", SOURCE_URL), box)
    create_device(other_scope, DeviceValues("gate", SOURCE_URL), box)
    with pytest.raises(NameTaken):
        create_device(scope, DeviceValues("GATE", SOURCE_URL), box)


def test_a_row_cannot_refer_to_another_tenants_device(scope, other_scope, box):
    device = make_device(scope, box)
    import peewee

    with pytest.raises(peewee.IntegrityError), database.transaction():
        other_scope.insert(DeviceTag, device_id=device.id, tag="mine").execute()


def test_a_scope_inserts_no_rows_of_another_tenant(scope, other_scope):
    with pytest.raises(UnscopedQuery):
        scope.insert(DeviceTag, tenant_id=other_scope.tenant_id, device_id=str(uuid.uuid4()), tag="x")
    with pytest.raises(UnscopedQuery):
        EVERY_TENANT.insert(DeviceTag, device_id=str(uuid.uuid4()), tag="x")


@pytest.mark.parametrize("model", [Device, Stream, DeviceTag])
@pytest.mark.parametrize(
    "query",
    [
        "select",
        "insert",
        "insert_many",
        "update",
        "delete",
        "get",
        "get_or_none",
        "get_by_id",
        "create",
        "raw",
        "replace",
        "bulk_create",
        "delete_by_id",
        "set_by_id",
        "get_or_create",
    ],
)
def test_a_model_has_no_unscoped_query(model, query):
    with pytest.raises(UnscopedQuery, match="scope"):
        getattr(model, query)()


def test_save_and_delete_of_a_row_are_refused_too(scope, bound_database, box):
    device = find_device(scope, make_device(scope, box).id)
    with pytest.raises(UnscopedQuery):
        device.save()
    with pytest.raises(UnscopedQuery):
        device.delete_instance()


def test_every_model_but_the_tenant_itself_is_scoped():
    import peewee

    for item in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if item.name.startswith(("gateway.api", "gateway.migrations.")):
            continue
        module = importlib.import_module(item.name)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            is_ours = issubclass(kind, peewee.Model) and kind.__module__ == module.__name__
            if is_ours and name not in UNSCOPED:
                assert issubclass(kind, TenantRow | FootageRow), name


def test_code_that_answers_requests_does_not_read_all_tenants():
    """The web side and the routes of plugins never use the scope of all tenants."""
    for path in [*sorted((ROOT / "gateway/api").rglob("*.py")), *sorted((ROOT / "plugins").rglob("routes.py"))]:
        assert not re.search(r"EVERY_TENANT|EveryTenantScope\(", path.read_text()), path


def test_no_code_bypasses_the_scope():
    """peewee's own queries and raw SQL appear only in the models, the migrations and the database module."""
    allowed = (
        "gateway/tenancy/scopes.py", "gateway/migrations/", "gateway/database.py", "gateway/plugin_work/migrating.py",
    )  # fmt: skip
    pattern = re.compile(r"super\(\w*Row\b|execute_sql|peewee\.Model\b(?!\w)|\.raw\(")
    for folder in ("gateway", "plugins", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(allowed):
                assert not pattern.search(path.read_text()), name
