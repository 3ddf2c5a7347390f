"""The health of the store of footage: an archive that is behind is named, with the remedy."""

import time

import pytest

from gateway.redis_client import connect_redis
from gateway.storage.health import check_storage
from gateway.storage.local import ensure_storage
from gateway.storage.report import StorageReport, StorageReports

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({}, "ok", None),
        ({"waiting": 3}, "degraded", "3 devices"),
        ({"unarchived_at": 60.0}, "degraded", "before it had a copy"),
        ({"unarchived_at": 7200.0}, "ok", None),
    ],
)
def test_footage_without_a_copy_is_reported(config, bound_database, values, status, words):
    ensure_storage(config)
    client = connect_redis(config.redis_url)
    ago = values.get("unarchived_at")
    values = values | ({"unarchived_at": time.time() - ago} if ago else {})
    StorageReports(client).write(StorageReport(at=time.time(), **values))
    found = check_storage(config, client)
    client.close()
    assert found.status == status, found
    assert words is None or words in found.reason
