"""`make run`: the whole service on this machine, from the Procfile, with a private Redis and the demo cameras.

Runs in .venv, after the set-up. Settings come from the environment and .env, as everywhere; DEMO and DEMO_RTSP_PORT are
settings of this program only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import honcho.environ
import redis
from console import Console, open_standard_descriptors
from dotenv import dotenv_values
from ports import Port, describe, find_taken
from private_redis import PrivateRedis, RedisError
from stop_request import Stopped, StopRequest
from supervisor import Misconfigured, Supervisor

from gateway.config import Config
from gateway.errors import ConfigError
from gateway.leases import RECORD, STREAM, WorkerSlots
from gateway.private_files import keep_files_private
from gateway.private_redis import MEDIA, QUEUES
from gateway.redis_client import connect_redis

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "deploy/demo"
SYSTEM_PYTHON = "/usr/bin/python3"
READY_SECONDS = 90
PICTURE_SECONDS = 30
#: Time in which the processes of a run that was killed end by themselves and release their ports.
LEFT_BEHIND_SECONDS = 15
OUTPUT_SECONDS = 1
POLL_SECONDS = 0.05
FIRST_CHOICE_SECONDS = 5
DEMO_KEEP_BYTES = 5 << 30
WORKERS_SECONDS = 10
#: What a camera needs to be recorded is started before the rest, which would slow it down on a machine with few cores.
STARTED_FIRST = ("sfu", "stream", "record", "clock")
# In this order, each stage with its limit in seconds: 9 s in total. Cameras are recorded until the first stage has
# ended, and what they have sent until the second has.
STOP_STAGES = (
    ({"web", "clock", "snapshot", "jobs", "plugins"}, 3.0),
    ({"stream"}, 3.0),
    ({"record", "outputs", "analytics", "sfu", "cameras"}, 2.0),
    ({"redis", "redis-media"}, 1.0),
)


class StackError(Exception):
    """The stack cannot run; the text is a sentence with the remedy."""


def main() -> int:
    stop_request = StopRequest()
    stop_request.install()
    open_standard_descriptors()
    os.chdir(ROOT)
    output, errors = Console(1), Console(2)
    try:
        env = read_environment()
        var_dir = Path(env.get("VAR_DIR") or "var")
        with run_lock(var_dir / "run.lock") as lock:
            run_stack(lock, env, Supervisor(ROOT, stop_request, output))
    except Stopped:
        return 0
    except (StackError, ConfigError, Misconfigured, RedisError) as error:
        # The error comes after the lines that explain it.
        output.flush(OUTPUT_SECONDS)
        errors.print(f"\nmake run: {error}")
        return 1
    finally:
        output.flush(OUTPUT_SECONDS)
        errors.flush(OUTPUT_SECONDS)
    return 0


def run_lock(path: Path):
    """Take the lock of this checkout. Raises StackError if another `make run` holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise StackError(
            f"VAS runs here already ({file.read().strip() or 'just starting'}); "
            "stop it with Ctrl-C in its terminal, or use it"
        ) from None
    return file


def note_run(lock, text: str) -> bool:
    """Write who holds the lock, '' for nobody. Return whether an earlier run was killed before it wrote ''."""
    lock.seek(0)
    was_cut_off = bool(lock.read())
    lock.truncate(0)
    lock.write(text)
    lock.flush()
    return was_cut_off


def read_environment() -> dict[str, str]:
    """Return the environment and the settings of .env, of which the environment takes precedence."""
    file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**file, **os.environ}


def run_stack(lock, env: dict[str, str], supervisor: Supervisor) -> None:
    with_demo = env.get("DEMO", "1").lower() not in {"0", "no", "false", "off"} and demo_can_run(supervisor)
    add_local_settings(env, with_demo)
    config = Config.from_environment(env)
    # The processes that are started below inherit the umask.
    keep_files_private(config)
    servers = list_private_servers(env, config)
    was_cut_off = note_run(lock, f"process {os.getpid()}, http://{browsable(config.host)}:{config.port}/")
    try:
        patience = LEFT_BEHIND_SECONDS if was_cut_off else 0
        check_ports(list_ports(config, env, with_demo), servers, supervisor, patience)
    except StackError:
        note_run(lock, "")
        raise

    lines = honcho.environ.parse_procfile(Path("Procfile").read_text()).processes
    # What is started here in several processes is one in each of them.
    process_env = env | {f"{kind.upper()}_PROCESSES": "1" for kind in (STREAM, RECORD)}
    try:
        for server in servers:
            supervisor.start(server.name, server.build_command(), server.variables | env)
        if with_demo:
            port = int(env["DEMO_RTSP_PORT"])
            supervisor.start("cameras", f"{SYSTEM_PYTHON} deploy/demo/camera_server.py --port {port}", env)
        wait_for("Redis", lambda: all(server.answers() for server in servers), 15, supervisor)
        prepare(lines.pop("release"), env, supervisor)
        lines |= list_own_processes(lines, env)
        processes = list_processes(lines, config)
        for process in processes:
            if process.line in STARTED_FIRST:
                supervisor.start(process.name, process.command, process_env)
        wait_for_workers(processes, config, supervisor)
        for process in processes:
            if process.line not in STARTED_FIRST:
                supervisor.start(process.name, process.command, process_env)
        if with_demo:
            file = write_demo_devices(config.var_dir, port)
            prepare(f"python -m gateway.cli demo register {shlex.quote(str(file))}", env, supervisor)
        address = f"http://{browsable(config.host)}:{config.port}"
        wait_for("the service", lambda: is_ready(address), READY_SECONDS, supervisor)
        show_address(address, with_demo, supervisor, config)
        while True:
            supervisor.check()
            time.sleep(0.2)
    finally:
        started = time.monotonic()
        supervisor.console.print("\n  stopping …")
        supervisor.stop(*STOP_STAGES)
        note_run(lock, "")
        supervisor.console.print(f"  stopped ({time.monotonic() - started:.1f} s)")


@dataclass(frozen=True)
class Process:
    """A process to start: one of perhaps several of a line of the Procfile, which the supervisor restarts alone."""

    line: str
    name: str
    command: str


def list_processes(lines: dict[str, str], config: Config) -> list[Process]:
    """Return the processes to start, named after their line, with a number if there are several of it."""
    counts = {STREAM: config.stream_processes, RECORD: config.record_processes}
    found = []
    for line, command in lines.items():
        count = counts.get(line, 1)
        names = [line] if count == 1 else [f"{line}.{number}" for number in range(1, count + 1)]
        found += [Process(line, name, command) for name in names]
    return found


def list_own_processes(lines: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Return the lines of processes that installed plugins ask for and the Procfile has not, by their names."""
    command = [sys.executable, "-m", "gateway.cli", "plugin", "list", "--processes"]
    done = subprocess.run(command, env=dict(env), stdout=subprocess.PIPE, text=True, check=False, timeout=READY_SECONDS)
    wanted = {name: f"python -m workers outputs {name}" for name in done.stdout.split()}
    return {f"outputs-{name}": line for name, line in wanted.items() if line not in lines.values()}


def add_local_settings(env: dict[str, str], with_demo: bool) -> None:
    """Fill in the settings of this machine."""
    env["PATH"] = f"{ROOT / '.venv/bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    # The processes write to a pipe, for which Python would buffer the output.
    env["PYTHONUNBUFFERED"] = "1"
    if env.get("SFU_PORT") and not env.get("MEDIASOUP_WS_URL"):
        env["MEDIASOUP_WS_URL"] = f"ws://127.0.0.1:{env['SFU_PORT']}"
    if not env.get("TIME_ZONE") and (zone := local_time_zone()):
        env["TIME_ZONE"] = zone
    if with_demo:
        env.setdefault("DEMO_RTSP_PORT", "8554")
        env["ALLOW_LOOPBACK_SOURCES"] = "1"
        # A trial of the product must not fill the disk: the demo cameras alone produce about 60 GB a day.
        env.setdefault("KEEP_BYTES", str(DEMO_KEEP_BYTES))


def list_private_servers(env: Mapping[str, str], config: Config) -> list[PrivateRedis]:
    """Return the Redis servers to start: none if REDIS_URL names one.

    There are two, because the media bus is large and short-lived: only the other one is written to disk.
    """
    if env.get("REDIS_URL"):
        return []
    names = [QUEUES] if env.get("MEDIA_REDIS_URL") else [QUEUES, MEDIA]
    return [PrivateRedis(name, config.var_dir) for name in names]


def local_time_zone() -> str | None:
    """Return the IANA name of this machine's time zone, or None if /etc/localtime does not tell it."""
    target = os.path.realpath("/etc/localtime")
    _, found, name = target.partition("/zoneinfo/")
    return name if found and name not in {"Etc/UTC", "Etc/UCT"} else None


def demo_can_run(supervisor: Supervisor) -> bool:
    check = "import cairo, gi; gi.require_version('GstRtspServer', '1.0')"
    if subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True, check=False).returncode == 0:
        return True
    # Ctrl-C in the terminal ends the check as well.
    supervisor.stop_request.check()
    supervisor.console.print(
        "  The demo cameras cannot run: python3-gi, python3-cairo or GStreamer's RTSP server is missing."
    )
    return False


def list_ports(config: Config, env: Mapping[str, str], with_demo: bool) -> list[Port]:
    """Return the ports on which the stack will listen."""
    ports = [
        Port("PORT", config.host, config.port, "web"),
        Port("SFU_PORT", env.get("SFU_HOST") or "127.0.0.1", config.sfu_port, "WebRTC signalling"),
    ]
    first = int(env.get("SFU_WEBRTC_PORT") or 44400)
    for number in range(first, first + int(env.get("SFU_WORKERS") or os.cpu_count() or 1)):
        address = env.get("SFU_WEBRTC_IP") or "127.0.0.1"
        ports += [Port("SFU_WEBRTC_PORT", address, number, "WebRTC media", is_udp) for is_udp in (False, True)]
    if with_demo:
        ports.append(Port("DEMO_RTSP_PORT", "127.0.0.1", int(env["DEMO_RTSP_PORT"]), "demo cameras"))
    return ports


def check_ports(
    ports: list[Port], servers: list[PrivateRedis], supervisor: Supervisor, patience_seconds: float = 0
) -> None:
    """Wait until the ports are free and no private Redis of an earlier run is left.

    Raises StackError for what is still there after `patience_seconds`.
    """

    def find_left() -> list[str]:
        left = [f"{server.name} of an earlier run still listens at {server.socket}: end it" for server in servers
                if server.is_running()]  # fmt: skip
        return [describe(port) for port in find_taken(ports)] + left

    deadline = time.monotonic() + patience_seconds
    if patience_seconds and find_left():
        supervisor.console.print("  Waiting for the processes of an earlier run to end …")
    while (left := find_left()) and time.monotonic() < deadline:
        supervisor.stop_request.check()
        time.sleep(0.2)
    if left:
        raise StackError("\n          ".join(left))


def prepare(command: str, env: dict[str, str], supervisor: Supervisor) -> None:
    """Run one of the commands that precede the processes, to its end."""
    # Its output goes through the console: with the reader gone, the command itself would fail on its first line.
    if supervisor.run(command, env) != 0:
        raise StackError(f"`{command}` failed; the lines above say why")


def write_demo_devices(var_dir: Path, port: int) -> Path:
    """Write the demo's devices with the port of its cameras; return the file."""
    text = (DEMO / "devices.json").read_text()
    file = var_dir / "demo-devices.json"
    file.write_text(re.sub(r"(rtsp://127\.0\.0\.1):\d+", rf"\1:{port}", text))
    return file


def wait_for(what: str, is_there: Callable[[], bool], seconds: float, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + seconds
    while not call_interruptibly(is_there, supervisor):
        supervisor.check()
        if time.monotonic() > deadline:
            raise StackError(f"{what} did not get ready within {seconds:g} s; the lines above say why")
        time.sleep(POLL_SECONDS)


def wait_for_workers(processes: list[Process], config: Config, supervisor: Supervisor) -> None:
    """Wait until the stream and record workers have started, for WORKERS_SECONDS at most."""
    client = connect_redis(config.redis_url, timeout_seconds=1)
    slots = WorkerSlots(client)
    wanted = Counter(process.line for process in processes if process.line in {STREAM, RECORD})
    deadline = time.monotonic() + WORKERS_SECONDS
    with contextlib.closing(client), contextlib.suppress(redis.RedisError):
        while any(len(slots.read(kind)) < count for kind, count in wanted.items()) and time.monotonic() < deadline:
            supervisor.check()
            time.sleep(POLL_SECONDS)


def call_interruptibly(call: Callable[[], Any], supervisor: Supervisor) -> Any:
    """Make a call that may wait for a network timeout. A stop is not delayed by it: Stopped is raised at once."""
    with supervisor.stop_request.interruptible():
        return call()


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/v1/health/ready", timeout=3) as answer:  # noqa: S310 - our own
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def get_json(url: str) -> object:
    with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - our own service
        return json.load(answer)


def wait_for_picture(address: str, supervisor: Supervisor) -> str | None:
    """Return the id of a running device: the demo's first if it runs soon, as the simplest one, otherwise any.

    The one that drops out on purpose is chosen only if no other runs. None if no device runs within PICTURE_SECONDS.
    """
    demo = json.loads((DEMO / "devices.json").read_text())
    unreliable = {item["name"] for item in demo if "unreliable" in item["tags"]}
    running: dict[str, str] = {}
    started = time.monotonic()
    while (waited := time.monotonic() - started) < PICTURE_SECONDS:
        supervisor.check()
        try:
            streams = call_interruptibly(lambda: get_json(f"{address}/api/v1/streams"), supervisor)
        except (OSError, ValueError):
            streams = []
        running = {item["device_name"]: item["device_id"] for item in streams if item["observed"] == "running"}
        steady = [device for name, device in running.items() if name not in unreliable]
        if demo[0]["name"] in running:
            return running[demo[0]["name"]]
        if steady and waited > FIRST_CHOICE_SECONDS:
            return steady[0]
        time.sleep(0.3)
    return next(iter(running.values()), None)


def show_address(address: str, with_demo: bool, supervisor: Supervisor, config: Config) -> None:
    """Print the address of the page of a running stream, or of the list if none runs soon."""
    page = f"{address}/"
    if with_demo and (device := wait_for_picture(address, supervisor)):
        page = f"{address}/devices/{device}?autoplay=1"
    lines = [f"Live video:  {page}" if "devices" in page else f"VAS runs:    {page}",
             f"All cameras: {address}/", f"API:         {address}/docs", "Stop with Ctrl-C"]  # fmt: skip
    if with_demo and config.keep_bytes:
        kept = f"the newest {config.keep_bytes / (1 << 30):.3g} GiB"
        lines.insert(2, f"Recorded:    {kept} of all cameras, in {config.recordings_dir} (KEEP_BYTES)")
    width = max(map(len, lines))
    frame = "─" * width
    supervisor.console.print(f"\n  ┌─{frame}─┐")
    for line in lines:
        supervisor.console.print(f"  │ {line:<{width}} │")
    supervisor.console.print(f"  └─{frame}─┘\n")


def browsable(host: str) -> str:
    """Return the host as a browser on this machine addresses it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
