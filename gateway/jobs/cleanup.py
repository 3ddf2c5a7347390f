"""Removes jobs together with the files that they made, and recovers those whose worker died.

For the API (`delete_job`) and the clock process (`sweep_jobs`).
"""

import contextlib
import logging
from datetime import datetime

from gateway import database
from gateway.config import Config
from gateway.errors import NotFound
from gateway.jobs.attempts import recover_lost_jobs
from gateway.jobs.files import remove_orphans, remove_results
from gateway.jobs.model import all_jobs, expired_jobs, queued_jobs, remove_job
from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope

log = logging.getLogger(__name__)


def delete_job(scope: EveryTenantScope, config: Config, job_id: str) -> None:
    """Delete a job and its result; the worker that runs it stops within a second. Raises NotFound."""
    remove_job(scope, job_id)
    remove_results(config, job_id)


def sweep_jobs(
    config: Config,
    now: datetime | None = None,
    *,
    expired_before: datetime | None = None,
    with_orphans: bool = False,
) -> list[str]:
    """Requeue or fail the jobs whose worker died, and remove what has expired.

    Returns the ids of all queued jobs, the oldest first: their messages can be sent again, in case they were lost.
    Safe to repeat and to run in several processes. `expired_before` is the time by which results have expired, where
    that is not `now`: the clock may be wrong. `with_orphans` also deletes the files that belong to no job.
    """
    now = now or database.now()
    failed = recover_lost_jobs(now, keep_hours=config.export_keep_hours)
    expired = expired_jobs(expired_before or now)
    queued = queued_jobs()
    try:
        for job_id in failed:
            remove_results(config, job_id)
        for job_id in expired:
            # Files first: the row of a job without its file is found again, a file without its row is not.
            remove_results(config, job_id)
            with contextlib.suppress(NotFound):
                remove_job(EVERY_TENANT, job_id)
        if with_orphans:
            remove_orphans(config, all_jobs())
    except OSError as error:
        log.warning("results of jobs cannot be removed now: %s", error)
    return queued
