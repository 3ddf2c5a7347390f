"""The private Redis of `make run` is closed to other users, and is never started beside a living one."""

import contextlib
import importlib
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.private_redis import MEDIA, QUEUES, socket_url
from gateway.redis_client import connect_redis
from tests.conftest import wait_until
from tests.contracts.repository import ROOT

pytestmark = pytest.mark.integration


@pytest.fixture
def private_redis(monkeypatch):
    """deploy/local/private_redis.py."""
    monkeypatch.syspath_prepend(ROOT / "deploy/local")
    monkeypatch.delitem(sys.modules, "private_redis", raising=False)
    module = importlib.import_module("private_redis")
    yield module
    sys.modules.pop("private_redis", None)


@pytest.fixture
def start(private_redis):
    """Start a private server; a process of the test's own."""
    running = []

    def start(name: str, var_dir: Path):
        server = private_redis.PrivateRedis(name, var_dir)
        command = shlex.split(server.build_command())
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, env=server.variables | os.environ))
        wait_until(server.answers, "Redis answers", 20)
        return server, running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", [QUEUES, MEDIA])
def test_it_answers_at_its_socket_and_nowhere_else(start, tmp_path, name):
    server, process = start(name, tmp_path / "a folder")
    with contextlib.closing(connect_redis(socket_url(tmp_path / "a folder", name))) as client:
        info = client.info()
    assert info["process_id"] == process.pid
    assert info["tcp_port"] == 0
    assert info["aof_enabled"] == (name == QUEUES)
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700


def test_the_server_of_the_media_bus_gives_memory_back_at_once(start, tmp_path):
    _, process = start(MEDIA, tmp_path)
    statm = Path(f"/proc/{process.pid}/statm")

    def resident() -> int:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    with contextlib.closing(connect_redis(socket_url(tmp_path, MEDIA))) as client:
        before = resident()
        for number in range(64):
            client.set(f"part {number}", b"x" * (1 << 20))
        assert resident() - before > 60 << 20
        client.delete(*(f"part {number}" for number in range(64)))
        # jemalloc's delay is ten seconds.
        wait_until(lambda: resident() - before < 8 << 20, "the memory is given back", 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_cannot_reach_it(start, tmp_path):
    server, _ = start(QUEUES, tmp_path / "var")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    ask = ["/usr/bin/python3", "-c", code, str(server.socket)]
    assert subprocess.run(ask, check=False).returncode == 0
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *ask],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "PermissionError" in done.stderr


def test_a_folder_that_was_open_is_closed_and_its_data_are_kept(start, tmp_path):
    server, process = start(QUEUES, tmp_path)
    with contextlib.closing(connect_redis(socket_url(tmp_path, QUEUES))) as client:
        client.set("queued", "1")
    process.terminate()
    process.wait(20)
    server.socket.parent.chmod(0o755)
    start(QUEUES, tmp_path)
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    with contextlib.closing(connect_redis(socket_url(tmp_path, QUEUES))) as client:
        assert client.get("queued") == b"1"


def test_a_socket_left_by_a_killed_server_is_no_obstacle(start, tmp_path):
    server, process = start(QUEUES, tmp_path)
    process.kill()
    process.wait(20)
    assert server.socket.exists()
    assert not server.is_running()
    start(QUEUES, tmp_path)


def test_a_living_server_of_an_earlier_run_is_waited_for_and_then_named(start, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "deploy/local")
    stack = importlib.import_module("stack")
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(stack, "time", clock)
    supervisor = SimpleNamespace(
        stop_request=SimpleNamespace(check=lambda: None), console=SimpleNamespace(print=lambda _: None)
    )
    server, process = start(QUEUES, tmp_path)
    with pytest.raises(stack.StackError, match=r"redis of an earlier run still listens at .*redis\.sock"):
        stack.check_ports([], [server], supervisor, 15)
    assert 15 <= now[0] < 16
    process.kill()
    process.wait(20)
    stack.check_ports([], [server], supervisor, 15)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(private_redis, tmp_path):
    (tmp_path / "redis").mkdir()
    os.chown(tmp_path / "redis", 65534, 65534)
    with pytest.raises(private_redis.RedisError, match="must be a folder of the user who runs this"):
        private_redis.PrivateRedis(QUEUES, tmp_path).build_command()
