"""The plugins worker while its database is away: services go on, jobs wait, and nothing is lost."""

import pytest

from gateway.jobs.model import DONE, RUNNING, create_job, find_job
from tests.conftest import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]


def test_jobs_and_services_outlive_an_outage(trial, scope, postgres_server, log_of):
    trial.start()
    job, _ = create_job(scope, "trial.work", {"what": "until_told"})
    wait_until(lambda: find_job(scope, job.id).state == RUNNING, "the job runs", 30)
    runs = len(trial.noted("often"))
    postgres_server.stop()
    try:
        wait_until(lambda: "cannot be read now" in log_of(), "the outage is noticed", 20)
        (trial.folder / "told").touch()
    finally:
        postgres_server.start()
    wait_until(lambda: find_job(scope, job.id).state == DONE, "the end of the job is written", 20)
    wait_until(lambda: len(trial.noted("often")) > runs + 1, "the schedule goes on", 40)
    assert len(trial.noted("steady.started")) == 1
