"""Jobs of plugins: their kinds have a dot, `NAME.word`, and only plugins workers run them."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway import database
from gateway.devices.model import Device
from gateway.errors import InvalidValue, NotFound, PluginError
from gateway.jobs.model import FAILED, QUEUED, Job, create_job
from gateway.plugin_context import PluginContext
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

#: A queued job of an unknown kind fails after this time: while versions change, a worker that knows it may yet start.
UNKNOWN_SECONDS = 60.0
_MAX_PARAMETERS = 100_000


class PluginJobs:
    """Creates the jobs of one plugin."""

    def __init__(self, context: PluginContext) -> None:
        self._plugin = context.name

    def create(
        self, kind: str, parameters: Mapping[str, Any], *, device_id: str | None = None, tenant_id: str | None = None
    ) -> str:
        """Create a queued job of the device's tenant, or of `tenant_id` (default: the first tenant); returns its id.

        Raises NotFound, InvalidValue, PluginError for another plugin's kind, and DatabaseUnavailable.
        """
        if not kind.startswith(f"{self._plugin}."):
            raise PluginError(f"plugin '{self._plugin}' cannot create jobs of kind '{kind}': its kinds are its own")
        values = dict(parameters)
        try:
            is_too_long = len(json.dumps(values)) > _MAX_PARAMETERS
        except (TypeError, ValueError) as error:
            raise InvalidValue("parameters", f"'parameters' must be JSON: {error}") from None
        if is_too_long:
            raise InvalidValue("parameters", f"'parameters' must have at most {_MAX_PARAMETERS} characters as JSON")
        if device_id is not None:
            tenant_id = _tenant_of(device_id, tenant_id)
        job, _ = create_job(TenantScope(tenant_id or DEFAULT_TENANT_ID), kind, values, device_id=device_id)
        return job.id


def fail_unknown_jobs(
    *,
    installed: Collection[str] | None = None,
    kinds: Mapping[str, Collection[str]] | None = None,
    keep_hours: float,
    at: datetime | None = None,
) -> list[str]:
    """Fail queued jobs that no worker will run: of plugins that are not `installed`, and of other `kinds` than the
    plugins that are named there have. Returns their ids."""
    now = at or database.now()
    with database.session():
        query = EVERY_TENANT.select(Job, Job.id, Job.kind).where(
            Job.state == QUEUED, Job.kind.contains("."), Job.created_at < now - timedelta(seconds=UNKNOWN_SECONDS)
        )
        queued = [(row.id, row.kind) for row in query.limit(1000)]
    failed = []
    for job_id, kind in queued:
        plugin = kind.partition(".")[0]
        if installed is not None and plugin not in installed:
            message = f"plugin '{plugin}' is not installed, or is switched off"
        elif kinds is not None and kind not in kinds.get(plugin, (kind,)):
            message = f"the installed version of plugin '{plugin}' has no jobs of kind '{kind}'"
        else:
            continue
        with database.transaction():
            ended = EVERY_TENANT.update(
                Job,
                state=FAILED,
                stage="",
                error_code="plugin_missing",
                error_message=message,
                finished_at=now,
                expires_at=now + timedelta(hours=keep_hours),
            )
            if ended.where(Job.id == job_id, Job.state == QUEUED).execute():
                failed.append(job_id)
    return failed


def _tenant_of(device_id: str, tenant_id: str | None) -> str:
    with database.session():
        row = EVERY_TENANT.select(Device, Device.tenant_id).where(Device.id == device_id).tuples().first()
    if row is None or tenant_id not in (None, row[0]):
        raise NotFound(f"there is no device with id '{device_id}'")
    return row[0]
