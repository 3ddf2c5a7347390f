"""A worker of a queue is one process; it takes what it has threads for, and stops in order."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from gateway.leases import WorkerSlots
from gateway.redis_client import connect_redis
from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.factories import SECRET_KEY, SFU_SECRET, make_config
from tests.stack import procfs
from workers.queue_worker import WorkQueue, build_worker, count_threads, warn_of_processes


@pytest.fixture
def start(redis_url, sqlite_url, tmp_path: Path) -> Iterator:
    """Start `python -m workers KIND`; its log is `tmp_path / "log"`."""
    running = []

    def start(kind: str, **settings: str) -> subprocess.Popen:
        env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": redis_url, "DATABASE_URL": sqlite_url,
            "SECRET_KEY": SECRET_KEY, "SFU_SECRET": SFU_SECRET, "VAR_DIR": str(tmp_path / "var"),
            "MEDIASOUP_WS_URL": "ws://127.0.0.1:1",
        }  # fmt: skip
        with (tmp_path / "log").open("ab") as log:
            command = [sys.executable, "-m", "workers", kind]
            running.append(subprocess.Popen(command, cwd=ROOT, env=env | settings, stdout=log, stderr=log))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def wait_for_slots(redis_url: str, kind: str, process: subprocess.Popen) -> None:
    client = connect_redis(redis_url)
    name = f":{process.pid}"
    wait_until(lambda: any(worker.endswith(name) for worker in WorkerSlots(client).read(kind)), f"{kind} starts", 30)
    client.close()


@pytest.mark.parametrize("kind", ["stream", "record"])
def test_a_worker_is_one_process_and_repeated_signals_do_not_cut_its_stop_short(start, redis_url, tmp_path, kind):
    process = start(kind)
    wait_for_slots(redis_url, kind, process)
    assert procfs.descendants(process.pid) == []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
    assert process.wait(20) == 0
    assert "Worker has been shut down" in (tmp_path / "log").read_text()
    client = connect_redis(redis_url)
    assert WorkerSlots(client).read(kind) == {}
    client.close()


def test_a_worker_that_is_stopped_while_redis_is_away_ends(start, redis_server, redis_url):
    process = start("record")
    wait_for_slots(redis_url, "record", process)
    redis_server.stop()
    try:
        process.terminate()
        assert process.wait(20) == 0
    finally:
        redis_server.start()


def test_a_worker_holds_no_message_for_which_it_has_no_thread(redis_url):
    """Another process may have a free slot for it."""
    broker = RedisBroker(client=connect_redis(redis_url), middleware=[])
    proceed, taken = threading.Event(), []

    def work(number: int) -> None:
        taken.append(number)
        proceed.wait(30)

    actor = dramatiq.actor(work, broker=broker, queue_name="endless")
    worker = build_worker(broker, "endless", 2)
    worker.start()
    try:
        for number in range(5):
            actor.send(number)
        wait_until(lambda: len(taken) == 2, "both threads work")
        # The consumer asks again several times a second: what it could take, it would have taken by then.
        consumer = worker.consumers["endless"].consumer
        before = consumer.misses
        wait_until(lambda: consumer.misses > before + 2, "the queue is polled again")
        assert broker.client.llen("dramatiq:endless") == 3
    finally:
        proceed.set()
        worker.stop(timeout=5000)
        broker.close()


def test_the_pause_before_a_lost_redis_is_asked_again_is_a_second():
    """An environment variable that Dramatiq reads when it is imported, which it must not be before."""
    code = "import workers.__main__, workers.queue_worker, dramatiq.worker as w; print(w.CONSUMER_RESTART_DELAY)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1000"


@pytest.mark.parametrize(("kind", "threads"), [("stream", 3), ("record", 5), ("jobs", 7)])
def test_a_process_has_a_thread_for_each_slot(kind, threads):
    assert count_threads(kind, make_config(stream_slots=3, record_slots=5, job_threads=7)) == threads


@pytest.mark.parametrize(("kind", "warned"), [("stream", True), ("record", False), ("jobs", False)])
def test_a_number_of_processes_that_nobody_starts_is_logged(kind, warned, caplog):
    warn_of_processes(kind, make_config(stream_processes=4, record_processes=1))
    assert ("'STREAM_PROCESSES' is 4" in caplog.text) == warned


def test_threads_without_a_message_sleep_until_there_is_one_or_the_end():
    waiting, found = WorkQueue(), []

    def take() -> None:
        try:
            found.append(waiting.get(timeout=0.001))
        except queue.Empty:
            found.append(None)

    threads = [threading.Thread(target=take, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    waiting.put(7)
    wait_until(lambda: found == [7], "one of them has the message")
    assert sum(thread.is_alive() for thread in threads) == 2, "the time-out of a poll does not wake the others"
    with pytest.raises(queue.Empty):
        waiting.get(block=False)
    waiting.close()
    for thread in threads:
        thread.join(5)
    assert found == [7, None, None]
