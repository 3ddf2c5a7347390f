"""Every message names a real actor and every queue has a process that works on it."""

import json
import os
import subprocess
import sys

import pytest

from gateway.streams.messages import ACTORS
from tests.contracts.repository import ROOT

LIST_ACTORS = """
import json
import workers.actors
from workers.broker import broker
print(json.dumps({name: actor.queue_name for name, actor in broker.actors.items()}))
print(json.dumps({name: [actor.options.get("max_retries"), actor.options.get("notify_shutdown"),
                         str(actor.options.get("time_limit"))] for name, actor in broker.actors.items()}))
"""


@pytest.fixture(scope="module")
def actors(tmp_path_factory) -> tuple[dict, dict]:
    """Queue and options of each actor, from a separate process: importing the actors reads the environment."""
    var = tmp_path_factory.mktemp("var")
    environment = {
        **os.environ,
        "VAR_DIR": str(var),
        "DATABASE_URL": f"sqlite:///{var}/vas.db",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-c", LIST_ACTORS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    queues, options = done.stdout.splitlines()
    return json.loads(queues), json.loads(options)


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines if line.strip())}


def test_every_message_names_an_actor_on_its_queue_and_every_actor_has_its_message(actors):
    assert actors[0] == ACTORS


def test_an_endless_actor_is_notified_of_a_shutdown_and_never_requeued(actors):
    retries, hears_shutdown, limit = actors[1]["run_stream"]
    assert (retries, hears_shutdown, limit) == (0, True, "inf")


@pytest.mark.parametrize("queue", sorted(set(ACTORS.values())))
def test_every_queue_has_a_line_in_the_procfile(queue: str):
    assert procfile()[queue] == f"python -m workers {queue}"


def test_the_procfile_has_a_line_for_each_process_of_the_design():
    lines = {"release", "web", "stream", "record", "outputs", "snapshot", "jobs", "clock", "plugins", "sfu"}
    assert set(procfile()) >= lines


@pytest.mark.parametrize("arguments", [[], ["record-nothing"], ["stream", "jobs"]])
def test_a_worker_of_an_unknown_kind_lists_the_kinds(arguments: list[str]):
    done = subprocess.run(
        [sys.executable, "-m", "workers", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 64
    assert "stream|record|outputs|snapshot|jobs|clock|plugins" in done.stderr


def test_a_worker_with_an_invalid_setting_or_without_ffmpeg_fails_at_its_start(tmp_path):
    good = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/vas.db"}
    for wrong, message in (
        ({"STREAM_SLOTS": "many"}, "'STREAM_SLOTS' must be a number"),
        (
            {"FFMPEG_BIN": "/no/such/ffmpeg"},
            "'/no/such/ffmpeg' is not installed: install ffmpeg or set FFMPEG_BIN",
        ),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "workers", "stream"],
            cwd=ROOT,
            env=good | wrong,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 78
        assert message in done.stderr
