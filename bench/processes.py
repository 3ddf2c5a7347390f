"""Resource usage of process groups: CPU from /proc/PID/stat, memory (PSS) from /proc/PID/smaps_rollup."""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.stack import Stack

Groups = dict[str, list[int]]
_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """Usage over `seconds`: percent of one core by group, of all groups, and of all other processes.

    `written_mb` are the MB that the processes wrote to the disk. `machine` is the percentage of the whole machine that
    was busy; `changed` tells whether processes started or ended.
    """

    seconds: float
    cpu: dict[str, float]
    pss_mb: dict[str, float]
    written_mb: dict[str, float]
    machine: float
    others: float
    changed: bool

    @property
    def cpu_total(self) -> float:
        return sum(self.cpu.values())

    @property
    def pss_total(self) -> float:
        return sum(self.pss_mb.values())


def group_stack(stack: Stack) -> Groups:
    """Group all processes of VAS by their role."""
    stream, sfu = stack.pids("stream"), stack.pids("sfu")
    ffmpeg = [pid for pid in stream if read_name(pid) == "ffmpeg"]
    mediasoup = stack.pids("mediasoup")
    with contextlib.closing(stack.redis.client()) as client:
        redis_pid = client.info("server")["process_id"]
    return {
        "FFmpeg": ffmpeg,
        "stream worker": [pid for pid in stream if pid not in ffmpeg],
        "record worker": stack.pids("record"),
        "snapshot worker": stack.pids("snapshot"),
        "Redis": [redis_pid],
        "SFU (Node.js)": [pid for pid in sfu if pid not in mediasoup],
        "mediasoup": mediasoup,
        "web": stack.pids("web"),
        "jobs": stack.pids("jobs"),
        "clock": stack.pids("clock"),
        "output workers": [*stack.pids("outputs"), *stack.pids("analytics")],
        "plugins worker": stack.pids("plugins"),
    }


def measure_usage(find_groups: Callable[[], Groups], seconds: float, *, apart: list[int] | None = None) -> Usage:
    """Measure for `seconds`. `apart` are processes that count neither as measured nor as others, such as cameras."""
    groups, known = find_groups(), apart or []
    before = {pid: read_cpu_seconds(pid) for pids in [*groups.values(), known] for pid in pids}
    written = {pid: read_written_mb(pid) for pids in groups.values() for pid in pids}
    busy, total = _read_machine()
    started = time.monotonic()
    time.sleep(seconds)
    elapsed = time.monotonic() - started
    busy, total = (now - then for now, then in zip(_read_machine(), (busy, total), strict=True))
    later = find_groups()
    cpu = {
        name: sum(max(0.0, read_cpu_seconds(pid) - before.get(pid, 0.0)) for pid in pids) * 100 / elapsed
        for name, pids in later.items()
    }
    aside = sum(read_cpu_seconds(pid) - before[pid] for pid in known) * 100 / elapsed
    return Usage(
        seconds=elapsed,
        cpu=cpu,
        pss_mb={name: sum(map(read_pss_mb, pids)) for name, pids in later.items()},
        written_mb={
            name: sum(max(0.0, read_written_mb(pid) - written.get(pid, 0.0)) for pid in pids)
            for name, pids in later.items()
        },
        machine=busy / total * 100,
        others=max(0.0, busy / _TICKS * 100 / elapsed - sum(cpu.values()) - aside),
        changed={name: sorted(pids) for name, pids in groups.items()} != {n: sorted(p) for n, p in later.items()},
    )


def read_name(pid: int) -> str:
    """Return the program's name; empty if the process has ended."""
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "comm").read_text().strip()
    return ""


def read_cpu_seconds(pid: int) -> float:
    """Return user and system time of all threads so far; 0 if the process has ended."""
    with contextlib.suppress(OSError):
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def read_pss_mb(pid: int) -> float:
    """Return the proportional set size in MB (10^6 bytes), which divides shared memory among its users."""
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def read_written_mb(pid: int) -> float:
    """Return MB written to the disk so far (proc(5), `write_bytes`); 0 if the process has ended."""
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "io").read_text().splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1]) / 1e6
    return 0.0


def _read_machine() -> tuple[int, int]:
    fields = [int(word) for word in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)
