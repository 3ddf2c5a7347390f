"""Jobs of plugins (`register_jobs`) are created for the device's tenant, and fail if nothing can run them."""

from datetime import timedelta

import pytest

from gateway import database
from gateway.clock import utc_now
from gateway.errors import InvalidValue, NotFound, PluginError
from gateway.jobs.cleanup import sweep_jobs
from gateway.jobs.model import FAILED, QUEUED, create_job, find_job, format_job_error, queued_jobs
from gateway.plugin_context import PluginContext
from gateway.plugin_work.jobs import UNKNOWN_SECONDS, PluginJobs, fail_unknown_jobs
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import make_config, make_device, no_plugins

pytestmark = pytest.mark.usefixtures("bound_database")

OTHER_TENANT = "00000000-0000-4000-8000-0000000000b2"


def later():
    return utc_now() + timedelta(seconds=UNKNOWN_SECONDS + 60)


@pytest.fixture
def jobs():
    return PluginJobs(PluginContext("notes", make_config(), lambda _: None, no_plugins))


def test_a_job_belongs_to_the_tenant_of_its_device(jobs, box, scope):
    with database.transaction():
        Tenant.insert(id=OTHER_TENANT, name="Other", created_at=utc_now()).execute()
    device = make_device(TenantScope(OTHER_TENANT), box)
    job = find_job(EVERY_TENANT, jobs.create("notes.copy", {"a": 1}, device_id=device.id))
    assert (job.tenant_id, job.device_id, job.state) == (OTHER_TENANT, device.id, QUEUED)
    with pytest.raises(NotFound):
        find_job(scope, job.id)
    assert find_job(EVERY_TENANT, jobs.create("notes.copy", {}, tenant_id=OTHER_TENANT)).tenant_id == OTHER_TENANT
    assert find_job(EVERY_TENANT, jobs.create("notes.copy", {})).tenant_id == scope.tenant_id
    with pytest.raises(NotFound):
        jobs.create("notes.copy", {}, device_id=device.id, tenant_id=scope.tenant_id)


@pytest.mark.parametrize(
    ("kind", "parameters", "device_id", "error"),
    [
        ("export", {}, None, PluginError),
        ("other.copy", {}, None, PluginError),
        ("notes.copy", {"a": object()}, None, InvalidValue),
        ("notes.copy", {"a": "x" * 100_001}, None, InvalidValue),
        ("notes.copy", {}, "00000000-0000-4000-8000-00000000dead", NotFound),
    ],
)
def test_a_wrong_job_is_refused(jobs, kind, parameters, device_id, error):
    with pytest.raises(error):
        jobs.create(kind, parameters, device_id=device_id)


def test_the_jobs_worker_is_not_asked_to_run_jobs_of_plugins(jobs, scope, tmp_path):
    jobs.create("notes.copy", {})
    export, _ = create_job(scope, "export", {})
    assert queued_jobs() == [export.id]
    assert sweep_jobs(make_config(exports_dir=tmp_path)) == [export.id]


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"installed": {"other"}}, "plugin 'notes' is not installed"),
        ({"kinds": {"notes": ["notes.send"], "other": []}}, "has no jobs of kind 'notes.copy'"),
    ],
)
def test_a_job_that_nothing_can_run_fails_with_a_reason_after_a_minute(jobs, known, message):
    job_id = jobs.create("notes.copy", {})
    assert fail_unknown_jobs(**known, keep_hours=1) == []
    at = later()
    assert fail_unknown_jobs(**known, keep_hours=1, at=at) == [job_id]
    job = find_job(EVERY_TENANT, job_id)
    assert (job.state, job.error_code) == (FAILED, "plugin_missing")
    assert message in format_job_error(job.error_code, job.error_message).message
    assert job.expires_at == at + timedelta(hours=1)


def test_jobs_of_installed_plugins_and_of_the_product_wait(jobs, scope):
    jobs.create("notes.copy", {})
    create_job(scope, "export", {})
    assert fail_unknown_jobs(installed={"notes"}, kinds={"other": []}, keep_hours=1, at=later()) == []
    assert fail_unknown_jobs(kinds={"notes": ["notes.copy"]}, keep_hours=1, at=later()) == []
