"""The plugins worker with real processes: the work of the trial plugin, and what can befall it."""

import os
import signal
from pathlib import Path

import pytest

from gateway import database
from gateway.jobs.model import CANCELLED, DONE, FAILED, RUNNING, create_job, find_job, request_cancel, retry_job
from gateway.plugin_work.schedules import PluginScheduleRow, read_schedules
from gateway.plugin_work.services import PluginWorkers, ServiceStates
from gateway.redis_client import connect_redis
from tests.conftest import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

STEADY, FAULTY = ("trial", "steady"), ("trial", "faulty")
KEEP = 1.0
#: For what takes starts of processes: seconds, or far longer on a busy machine.
LIMIT = 90


@pytest.fixture
def states(trial):
    client = connect_redis(trial.config.redis_url)
    yield lambda: ServiceStates(client).read([STEADY, FAULTY])
    client.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def started(trial, name: str, count: int = 1) -> list[int]:
    wait_until(lambda: len(trial.noted(f"{name}.started")) >= count, f"{name} has started {count} times", LIMIT)
    return trial.noted(f"{name}.started")


def test_services_jobs_and_schedules_run_and_end_with_the_worker(trial, states, scope, log_of):
    """One worker, because each start costs seconds: all that goes well."""
    worker = trial.start()
    (steady,) = started(trial, "steady")
    wait_until(lambda: (found := states().get(STEADY)) and found.memory_bytes, "the service is measured", LIMIT)
    wait_until(lambda: states()[STEADY].state == "running", "it runs", LIMIT)
    assert states()[STEADY].pid == steady != worker.pid

    job, _ = create_job(scope, "trial.work", {"what": "quick"})
    wait_until(lambda: find_job(scope, job.id).state == DONE, "the job is done", LIMIT)
    assert find_job(scope, job.id).result == '{"answer": 42}'
    runs = {name: create_job(scope, "trial.work", {"what": name})[0].id for name in ("fail", "nonsense", "raise")}
    reasons = {"fail": "no_footage", "nonsense": "plugin_failed", "raise": "plugin_failed"}
    for name, job_id in runs.items():
        wait_until(lambda job_id=job_id: find_job(scope, job_id).state == FAILED, f"the job that does '{name}' failed")
        assert find_job(scope, job_id).error_code == reasons[name]
    assert "hunter2" not in find_job(scope, runs["raise"]).error_message
    retry_job(scope, runs["raise"])
    wait_until(lambda: find_job(scope, runs["raise"]).state == FAILED, "it has failed again")

    waiting, _ = create_job(scope, "trial.work", {"what": "wait"})
    wait_until(lambda: find_job(scope, waiting.id).progress == 0.5, "the job reports its progress")
    request_cancel(scope, waiting.id, keep_hours=KEEP)
    wait_until(lambda: find_job(scope, waiting.id).state == CANCELLED, "the job is cancelled")

    wait_until(lambda: len(trial.noted("often")) >= 2, "the schedule runs again and again", LIMIT)
    assert set(trial.noted("often")) == set(trial.noted("job")), "one process for jobs and schedules"

    released, _ = create_job(scope, "trial.work", {"what": "wait"})
    wait_until(lambda: find_job(scope, released.id).state == RUNNING, "the job runs")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert find_job(scope, released.id).state == "queued", "handed back"
    assert not is_alive(steady)
    assert states() == {}
    assert "trial/steady: stopped" in log_of()


def test_whatever_a_service_does_costs_it_alone(trial, states):
    """Ways to die, one after the other, beside a service that goes on."""
    trial.does("faulty", "os_exit")
    trial.start()
    (steady,) = started(trial, "steady")
    for words, following in (("exit code 7", "segfault"), ("SIGSEGV", "fork")):
        wait_until(lambda words=words: words in (((found := states().get(FAULTY)) and found.error) or ""), words, LIMIT)
        trial.does("faulty", following)
    (left,) = wait_until(lambda: trial.noted("left"), "it has left a process in a session of its own", LIMIT)
    restarts = len(trial.noted("faulty.started"))
    trial.does("faulty", "leak")
    os.kill(trial.noted("faulty.started")[-1], signal.SIGKILL)
    started(trial, "faulty", restarts + 1)
    assert not is_alive(left), "what a dead service has started is killed"
    wait_until(
        lambda: (found := states().get(FAULTY)) and (found.memory_bytes or 0) > 200 << 20, "the leak is seen", LIMIT
    )
    assert trial.noted("steady.started") == [steady]
    assert is_alive(steady)


def test_a_killed_worker_takes_its_processes_along_and_another_goes_on(trial, states, scope):
    first = trial.start()
    (steady,) = started(trial, "steady")
    trial.does("faulty", "fork")
    second = trial.start()
    wait_until(lambda: PluginWorkers(connect_redis(trial.config.redis_url)).has_general(), "a worker reports", LIMIT)
    job, _ = create_job(scope, "trial.work", {"what": "wait"})
    wait_until(lambda: find_job(scope, job.id).state == RUNNING, "one of them runs the job", LIMIT)
    assert len(trial.noted("steady.started")) == 1, "started twice, a service runs once"
    first.kill()
    wait_until(lambda: not is_alive(steady), "the service dies with its worker", 5)
    assert len(started(trial, "steady", 2)) == 2
    wait_until(lambda: (found := states().get(STEADY)) and found.worker.endswith(f":{second.pid}"), "taken over", LIMIT)
    assert second.poll() is None


def test_a_process_that_dies_while_it_works_is_started_again(trial, scope):
    trial.start()
    wait_until(lambda: trial.noted("often"), "the schedule runs", LIMIT)
    (worker,) = set(trial.noted("often"))
    trial.does("often", "os_exit")
    wait_until(lambda: not is_alive(worker), "the process of jobs and schedules has died", LIMIT)
    trial.does("often", "return")
    job, _ = create_job(scope, "trial.work", {"what": "quick"})
    wait_until(lambda: find_job(scope, job.id).state == DONE, "another one runs jobs", LIMIT)
    with database.transaction():
        # As after LOST_SECONDS without a heartbeat.
        PluginScheduleRow.update(beat_at=None).where(PluginScheduleRow.run.is_null(False)).execute()
    wait_until(
        lambda: read_schedules(["trial"])["trial", "often"].error == "the worker ended during the run",
        "the run that killed it is told", LIMIT,
    )  # fmt: skip


def test_work_that_does_not_end_is_ended(trial, scope):
    """A run past its deadline, and a cancelled job that does not look: both are busy in Python."""
    trial.does("often", "deaf")
    trial.start()
    deaf, _ = create_job(scope, "trial.work", {"what": "deaf"})
    wait_until(lambda: find_job(scope, deaf.id).state == RUNNING, "the job runs", LIMIT)
    request_cancel(scope, deaf.id, keep_hours=KEEP)

    def last_error() -> str:
        found = read_schedules(["trial"]).get(("trial", "often"))
        return (found and found.error) or ""

    wait_until(lambda: "longer than its deadline of 2 s" in last_error(), "the run is ended", LIMIT)
    wait_until(lambda: find_job(scope, deaf.id).state == CANCELLED, "the job is ended", LIMIT)


def test_a_worker_of_one_plugin_has_its_work_to_itself_while_it_lives(trial, states):
    trial.start()
    started(trial, "steady")
    own = trial.start("trial")
    wait_until(
        lambda: (found := states().get(STEADY)) and found.worker.endswith(f":{own.pid}"), "it has the service", LIMIT
    )
    started(trial, "steady", 2)
    own.terminate()
    assert own.wait(30) == 0
    started(trial, "steady", 3)
    wait_until(lambda: states().get(STEADY), "the other one has it again", LIMIT)


def test_a_plugin_that_is_not_installed_has_no_worker(trial):
    worker = trial.start("nothing")
    assert worker.wait(LIMIT) == 78
    assert "no plugin 'nothing' is installed" in trial.log.read_text()


def test_while_the_worker_is_suspended_its_service_gives_way_to_another(trial, states):
    first = trial.start()
    (steady,) = started(trial, "steady")
    first.send_signal(signal.SIGSTOP)
    second = trial.start()
    started(trial, "steady", 2)
    wait_until(lambda: not is_alive(steady), "the first process of the service has ended", LIMIT)
    first.send_signal(signal.SIGCONT)
    wait_until(lambda: (found := states().get(STEADY)) and found.worker.endswith(f":{second.pid}"), "it has it", LIMIT)
    assert len(trial.noted("steady.started")) == 2
