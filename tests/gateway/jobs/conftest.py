"""A device, the settings and a factory of queued jobs."""

import pytest

from gateway.jobs.model import create_job
from tests.factories import make_config, make_device


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


@pytest.fixture
def config(tmp_path):
    return make_config(exports_dir=tmp_path / "exports")


@pytest.fixture
def make_job(device, scope):
    """`make_job(**values)` returns the id of a new job."""

    def make_job(**values):
        return create_job(scope, "export", {"bytes": 1000}, device_id=device.id, **values)[0].id

    return make_job
