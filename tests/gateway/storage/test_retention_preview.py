"""What shorter limits would delete."""

import pytest

from gateway import database
from gateway.footage.recordings import Protection
from gateway.storage.limits import Limits
from gateway.storage.retention_preview import Expiring, expiring_footage
from gateway.tenancy.scopes import EVERY_TENANT
from tests.gateway.rows import DAY, HOUR, MINUTE, SIZE, make_rows

pytestmark = pytest.mark.usefixtures("bound_database")

NOW = 20_000 * DAY + 12 * HOUR


@pytest.fixture
def rows(scope, box):
    """Fifteen minutes of footage at noon of each of the last five days."""
    made = make_rows(scope, box)
    for day in range(1, 6):
        made.record(NOW - day * DAY, 15, run=day)
    return made


def protect(rows, start_ms, end_ms):
    with database.transaction():
        values = {"kind": "hold", "reference": "", "note": "", "created_by": "", "created_at": rows.recording().since}
        EVERY_TENANT.insert(
            Protection,
            tenant_id=rows.scope.tenant_id,
            recording_id=rows.id,
            start_ms=start_ms,
            end_ms=end_ms,
            **values,
        ).execute()


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        (Limits(None, None), 0),
        (Limits(10 * DAY, None), 0),
        (Limits(3 * DAY - HOUR, None), 3),
        (Limits(0, None), 5),
        (Limits(None, 100 * 15 * SIZE), 0),
        (Limits(None, 2 * 15 * SIZE), 3),
        (Limits(None, 0), 5),
        (Limits(4 * DAY - HOUR, 4 * 15 * SIZE), 2),
    ],
)
def test_the_oldest_footage_beyond_the_limits_is_counted(rows, limits, days):
    found = expiring_footage(rows.recording(), limits, NOW)
    assert (found.days, found.bytes, found.seconds) == (days, days * 15 * SIZE, days * 15 * 60)
    assert found.oldest_ms == (NOW - 5 * DAY if days else None)


def test_protected_footage_is_not_counted(rows):
    protect(rows, NOW - 5 * DAY, NOW - 5 * DAY + HOUR)
    protect(rows, NOW - 4 * DAY + 5 * MINUTE, NOW - 4 * DAY + 10 * MINUTE)
    found = expiring_footage(rows.recording(), Limits(0, None), NOW)
    assert (found.days, found.bytes) == (4, 55 * SIZE)


def test_without_footage_nothing_is_counted(scope, box):
    assert expiring_footage(make_rows(scope, box).recording(), Limits(0, 0), NOW) == Expiring()
