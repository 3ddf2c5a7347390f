"""A worker with a zygote, as a program for `test_zygote.py`: it plays a scene, and prints what it sees as JSON."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from workers.plugins import zygote as zygote_room
from workers.plugins.child import ChildProcess
from workers.plugins.child_side import Parent
from workers.plugins.marks import CHILD_MARK, WORKER_MARK, make_room
from workers.plugins.zygote import Zygote, reap_orphans

MARK = "trial/fork@home"


def main(what: str, descriptor: str, parent: str) -> None:
    """The child: tells how it finds itself, then waits."""
    told = Parent(int(descriptor), int(parent))
    told.die_with()
    if what == "exit":
        sys.exit(7)
    if what == "raise":
        raise ValueError("broken")
    left = None
    if what == "leave":
        left = subprocess.Popen(["sleep", "300"], start_new_session=True).pid
        if os.fork() == 0:
            os.setsid()
            time.sleep(300)
    told.tell(
        parent=os.getppid(),
        session=os.getsid(0),
        descriptors=sorted(int(name) for name in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{name}").exists()),
        pipe=int(descriptor),
        input=os.readlink("/proc/self/fd/0"),
        threads=threading.active_count(),
        number=random.random(),
        marks=[os.environ.get(CHILD_MARK), os.environ.get(WORKER_MARK)],
        plugins=[name for name in sys.modules if name.startswith("plugins.")],
        private=_memory("Private_Dirty"),
        resident=_memory("Rss"),
        term=signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        left=left,
    )
    while True:
        time.sleep(1)


def _memory(field: str) -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def start(zygote: Zygote, what: str = "wait", mark: str = MARK) -> ChildProcess:
    return ChildProcess(zygote, "tests.workers.plugins.zygote_trial", (what,), mark)


def hear(child: ChildProcess) -> dict:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if messages := child.read_messages():
            return messages[0]
        time.sleep(0.01)
    raise TimeoutError("the child says nothing")


def see(child: ChildProcess) -> dict:
    """What the child tells, and what others see of it."""
    told = hear(child)
    environ = Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")
    command = Path(f"/proc/{child.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    return told | {
        "pid": child.pid,
        "command": command,
        "seen": [word.decode() for word in environ if word.startswith((CHILD_MARK.encode(), WORKER_MARK.encode()))],
        "inherited": b"TRIAL=yes" in environ,
    }


def await_code(child: ChildProcess) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if (code := child.poll()) is not None:
            return code
        time.sleep(0.01)
    raise TimeoutError("the child does not end")


def scene_forks(zygote: Zygote) -> dict:
    children = [start(zygote), start(zygote, mark="trial/other@home")]
    seen = [see(child) for child in children]
    children[0].terminate()
    codes = [await_code(children[0])]
    for child in children:
        child.kill()
        child.kill()
    for what in ("exit", "raise"):
        child = start(zygote, what)
        codes.append(await_code(child))
        child.kill()
    long = start(zygote, mark="x" * 2000)
    by_command = see(long)["command"]
    long.kill()
    zygote.close()
    zygote.close()
    return {"worker": os.getpid(), "mark": zygote.mark, "seen": seen, "codes": codes, "long": by_command}


def scene_leftovers(zygote: Zygote) -> dict:
    """The forks of a child that is killed are killed, and adopted ones leave no zombie."""
    child = start(zygote, "leave")
    left = see(child)["left"]
    child.kill()
    until = time.monotonic() + 10
    while Path(f"/proc/{left}").exists() and time.monotonic() < until:
        reap_orphans([zygote.pid])
        time.sleep(0.01)
    return {"left": Path(f"/proc/{left}").exists(), "zygote": zygote.pid}


def scene_killed_worker(zygote: Zygote) -> dict:
    """The worker is killed while a child has forks in sessions of their own."""
    print(json.dumps({"left": see(start(zygote, "leave"))["left"], "mark": zygote.mark}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def scene_dead_zygote(zygote: Zygote) -> dict:
    """Killed, then stopped: children are started all the same, and by forks again after a while."""
    zygote_room._ANSWER_SECONDS = 0.3
    zygote_room._RESTART_SECONDS = 0.0
    commands = []
    for number in (signal.SIGKILL, signal.SIGSTOP):
        until = time.monotonic() + 30
        while zygote.pid is None or not zygote._is_ready:
            start(zygote).kill()
            if time.monotonic() > until:
                raise TimeoutError("no zygote")
        os.kill(zygote.pid, number)
        child = start(zygote)
        commands.append(see(child)["marks"])
        child.kill()
    until = time.monotonic() + 30
    while True:
        child = start(zygote)
        seen = see(child)
        child.kill()
        if seen["private"] * 2 < seen["resident"] or time.monotonic() > until:
            return {"marks": commands, "mark": zygote.mark, "last": seen, "worker": os.getpid()}


if __name__ == "__main__" and f"scene_{sys.argv[1]}" not in globals():
    main(*sys.argv[1:])
elif __name__ == "__main__":
    make_room()
    worker = Zygote()
    worker.start()
    print(json.dumps(globals()[f"scene_{sys.argv[1]}"](worker)), flush=True)
