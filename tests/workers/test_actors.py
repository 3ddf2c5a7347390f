"""The actors load everything they need by an id, and a closing worker takes no new work."""

import importlib
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from dramatiq.middleware import Shutdown

from gateway.devices.probes import ProbeRequest, Probes
from gateway.media import SourceInfo, VideoInfo
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from tests.factories import SECRET_KEY, SFU_SECRET, SOURCE_URL
from tests.workers.world import StubMessages
from workers.ingest.probe import ProbeResult


@pytest.fixture
def actors(redis_url, tmp_path, monkeypatch):
    """The module `workers.actors` over the test's Redis; importing it reads the environment."""
    for name, value in (
        ("REDIS_URL", redis_url),
        ("SECRET_KEY", SECRET_KEY),
        ("SFU_SECRET", SFU_SECRET),
        ("VAR_DIR", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    for name in ("workers.actors", "workers.broker"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("workers.actors")
    for name in ("workers.actors", "workers.broker"):
        sys.modules.pop(name, None)


@pytest.fixture
def supervised(actors, monkeypatch):
    """The ids that were passed to a supervisor."""
    ids = []

    class StubSupervisor:
        ending = None

        def __init__(self, device_id, services) -> None:
            ids.append(device_id)

        def run(self) -> None:
            if StubSupervisor.ending:
                raise StubSupervisor.ending

    monkeypatch.setattr("workers.streams.supervisor.StreamSupervisor", StubSupervisor)
    monkeypatch.setattr(actors.services, "_stream", SimpleNamespace(messages=StubMessages()))
    ids_and_stub = (ids, StubSupervisor)
    return ids_and_stub


def test_a_message_runs_its_device(actors, supervised):
    actors.run_stream.fn("d1")
    assert supervised[0] == ["d1"]


def test_a_closing_worker_takes_no_device(actors, supervised):
    actors.services.before_worker_shutdown(None, None)
    actors.run_stream.fn("d1")
    assert supervised[0] == []


def test_a_message_consumed_by_a_closing_worker_may_be_sent_again_at_once(actors, supervised):
    actors.services.before_worker_shutdown(None, None)
    actors.run_stream.fn("d1")
    assert actors.services.stream.messages.taken == ["d1"]


def test_a_shutdown_does_not_fail_the_message(actors, supervised):
    supervised[1].ending = Shutdown()
    actors.run_stream.fn("d1")


@pytest.fixture
def consumed(actors, monkeypatch):
    """The devices for which an output's supervisor ran; only the output `recorder` is installed."""
    ran = []

    class StubConsumerSupervisor:
        def __init__(self, output, device_id, services) -> None:
            self._what = (output, device_id)

        def run(self) -> None:
            ran.append(self._what)

    taken = []
    messages = SimpleNamespace(consumer_taken=lambda *what: taken.append(what))
    monkeypatch.setattr(actors, "ConsumerSupervisor", StubConsumerSupervisor)
    monkeypatch.setattr(
        actors.services, "_consumers", SimpleNamespace(messages=messages, outputs={"recorder": "the recorder"})
    )
    return ran, taken


def test_a_message_attaches_an_output_to_its_device(actors, consumed):
    actors.run_consumer.fn("recorder", "d1")
    assert consumed == ([("the recorder", "d1")], [("recorder", "d1")])


def test_an_output_that_is_not_installed_is_logged_and_does_not_fail_the_message(actors, consumed, caplog):
    actors.run_consumer.fn("archiver", "d1")
    assert consumed == ([], [("archiver", "d1")])
    assert "'archiver'" in caplog.text


def test_a_closing_worker_attaches_nothing(actors, consumed):
    actors.services.before_worker_shutdown(None, None)
    actors.run_consumer.fn("recorder", "d1")
    assert consumed == ([], [("recorder", "d1")])


def test_a_probe_is_done_once_and_answered(actors, redis_url, monkeypatch):
    looks = []

    async def look(config, open_session):
        looks.append((open_session.args[0], open_session.func.__self__.transport))
        return ProbeResult(SourceInfo(VideoInfo("h264", 640, 360)), None, 5)

    monkeypatch.setattr("workers.ingest.probe.probe", look)
    client = connect_redis(redis_url)
    probes = Probes(client, SecretBox(SECRET_KEY))
    probe_id = probes.store_request(ProbeRequest(SOURCE_URL, "udp"))
    actors.probe_source.fn(probe_id)
    actors.probe_source.fn(probe_id)
    assert looks == [(SOURCE_URL, "udp")]
    assert probes.open_result(probe_id, probes.expect_result(probe_id).result(1))["video"]["codec"] == "h264"
    client.close()


def test_a_message_runs_its_job_and_the_queued_ones_and_may_be_sent_again(actors, redis_url, monkeypatch):
    ran = []

    class StubRunner:
        def __init__(self, config, worker, kinds, slots, is_closing) -> None:
            assert {"export", "snapshot", "clip"} <= set(kinds)
            assert not is_closing()

        def run(self, job_id: str) -> None:
            ran.append(job_id)
            raise Shutdown

    monkeypatch.setattr(actors, "JobRunner", StubRunner)
    client = connect_redis(redis_url)
    client.set("vas:pending:job:j1", 1)
    actors.run_job.fn("j1")
    assert ran == ["j1"]
    assert client.get("vas:pending:job:j1") is None
    client.close()


def test_the_processes_of_streams_and_recordings_load_no_decoder(redis_url, tmp_path):
    settings = {"REDIS_URL": redis_url, "SECRET_KEY": SECRET_KEY, "SFU_SECRET": SFU_SECRET, "VAR_DIR": str(tmp_path)}
    code = "import sys, workers.actors; print(sorted({'av', 'PIL', 'flask'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
