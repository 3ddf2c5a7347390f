"""A plugin for tests of the plugins worker: what its work does is read from files of its folder, which tests write."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from gateway.errors import JobFailed
from gateway.hookspecs import hookimpl
from gateway.plugin_tasks import PluginJob, PluginMigration, PluginSchedule, PluginService

_LEAK = []


@hookimpl
def register_migrations(plugin):
    def upgrade(run, types):
        run(f"CREATE TABLE trial_notes (id {types.big_serial}, tenant_id {types.id} NOT NULL, text TEXT NOT NULL)")

    return [PluginMigration(1, "notes", upgrade)]


@hookimpl
def register_services(plugin):
    return [
        PluginService("steady", lambda stop: _behave(plugin.folder, "steady", stop)),
        PluginService("faulty", lambda stop: _behave(plugin.folder, "faulty", stop)),
    ]


@hookimpl
def register_schedules(plugin):
    def often():
        _note(plugin.folder, "often")
        _behave(plugin.folder, "often", threading.Event(), default="return")

    return [PluginSchedule("often", 1, often, deadline_seconds=2)]


@hookimpl
def register_jobs(plugin):
    def work(attempt, context):
        _note(plugin.folder, "job")
        what = attempt.parameters.get("what")
        if what == "fail":
            raise JobFailed("no_footage", "nothing there")
        if what == "nonsense":
            return object()
        if what == "deaf":
            while True:
                time.sleep(0.01)
        while what == "until_told" and not (plugin.folder / "told").exists():
            time.sleep(0.02)
        if what == "until_told":
            return {}
        while what == "wait":
            context.check()
            context.report(0.5, "waiting")
            time.sleep(0.02)
        _behave(plugin.folder, str(what), threading.Event(), default=str(what))
        return {"answer": 42}

    return [PluginJob("trial.work", work, "Trial work")]


def _behave(folder: Path, name: str, stop: threading.Event, default: str = "wait") -> None:
    """Do what the file NAME.does tells; a service notes its process."""
    file = folder / f"{name}.does"
    what = file.read_text() if file.exists() else default
    _note(folder, f"{name}.started")
    if what == "raise":
        raise ValueError("password=hunter2 is wrong")
    if what == "exit":
        sys.exit(3)
    if what == "os_exit":
        os._exit(7)
    if what == "segfault":
        ctypes.string_at(0)
    if what == "fork":
        left = subprocess.Popen(["sleep", "300"], start_new_session=True)
        if os.fork() == 0:
            time.sleep(300)
        _note(folder, "left", left.pid)
    if what == "leak":
        _LEAK.append(bytearray(os.urandom(1 << 20)) * 200)
    if what == "deaf":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        while True:
            time.sleep(0.01)
    if what in {"return", "None", "quick"}:
        return
    while not stop.wait(0.02):
        pass


def _note(folder: Path, name: str, pid: int | None = None) -> None:
    with open(folder / name, "a", encoding="ascii") as file:
        file.write(f"{pid or os.getpid()}\n")
