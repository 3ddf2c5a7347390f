"""The stream of events: 500 listeners on one web process, latency of short requests beside them and of events."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from gateway import database, migrations
from gateway.events.bell import hang_bell
from gateway.events.model import record_event
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.conftest import RedisServer
from tests.factories import SECRET_KEY, SFU_SECRET, make_config, make_device
from tests.web_process import WebProcess

from .options import Options
from .processes import read_cpu_seconds, read_pss_mb
from .report import Result, Table
from .statistics import spread

LISTENERS, DEVICES = 500, 20
EVENTS_PER_SECOND, SECONDS = 5, 20
#: Milliseconds for the 95th percentile of GET /devices, and from the commit to the listener.
DEVICES_BUDGET, EVENT_BUDGET = 50, 300


def run(options: Options) -> Result:
    """Measure the process alone, with idle listeners, and with listeners that get events."""
    result = Result("events", "", {})
    with tempfile.TemporaryDirectory() as folder:
        rows, figures = _measure(Path(folder), 3 if options.quick else SECONDS)
    result.tables.append(
        Table(
            f"One web process with {LISTENERS} listeners, ms",
            [
                "",
                "/devices: median",
                "p95",
                "budget",
                "event to listener: median",
                "p95",
                "budget",
                "memory, MB",
                "CPU, %",
            ],
            rows,
        )
    )
    result.raw = figures
    result.notes = [
        f"SQLite, one process with 16 threads; each of {EVENTS_PER_SECOND} events a second goes to all listeners, "
        "which are one other process. The times of events are from before the commit to the line at the listener.",
        f"Memory of a listener: {figures['kb_per_listener']:.0f} kB.",
    ]
    return result


def _measure(folder: Path, seconds: float) -> tuple[list[list[str]], dict[str, Any]]:
    redis = RedisServer(folder)
    redis.start()
    config = make_config(database_url=f"sqlite:///{folder / 'vas.db'}", redis_url=redis.url, var_dir=folder)
    database.connect(config)
    migrations.migrate()
    bell = hang_bell(config)
    for _ in range(DEVICES):
        make_device(TenantScope(DEFAULT_TENANT_ID), SecretBox.from_config(config))
    environment = {
        "DATABASE_URL": config.database_url,
        "REDIS_URL": redis.url,
        "SECRET_KEY": SECRET_KEY,
        "SFU_SECRET": SFU_SECRET,
        "VAR_DIR": str(folder),
        "WEB_LISTENERS_PER_CLIENT": str(LISTENERS),
    }
    web = WebProcess(folder / "web.log", environment)
    rows, figures = [], {}
    listeners: subprocess.Popen | None = None
    try:
        web.start()
        for title, count, rate in (
            ("alone", 0, 0.0),
            ("idle listeners", LISTENERS, 0.0),
            ("with events", LISTENERS, EVENTS_PER_SECOND),
        ):
            if count and listeners is None:
                command = [sys.executable, "-m", "bench.events", str(web.port), str(count)]
                listeners = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                assert listeners.stdout.readline().strip() == "ready"
            figures[title] = _probe(web, seconds, rate)
        listeners.send_signal(2)
        delays = json.loads(listeners.communicate(timeout=60)[0].splitlines()[-1])
        figures["with events"]["events"] = spread(delays["ms"])
        figures["with events"]["received"] = len(delays["ms"])
    finally:
        if listeners is not None:
            listeners.kill()
        web.stop()
        bell.close()
        redis.stop()
        database.close()
    for title, found in figures.items():
        event = found.get("events", {})
        row = [title, f"{found['devices']['median']:.0f}", f"{found['devices']['p95']:.0f}", str(DEVICES_BUDGET)]
        row += [f"{event[name]:.0f}" if event else "" for name in ("median", "p95")]
        row += [str(EVENT_BUDGET) if event else "", f"{found['memory_mb']:.0f}", f"{found['cpu']:.0f}"]
        rows.append(row)
        print("  " + "  ".join(row), flush=True)
    more = figures["idle listeners"]["memory_mb"] - figures["alone"]["memory_mb"]
    return rows, figures | {"kb_per_listener": more * 1000 / LISTENERS}


def _probe(web: WebProcess, seconds: float, rate: float) -> dict[str, Any]:
    times: list[float] = []
    begun, cpu = time.monotonic(), _cpu(web)
    due = begun
    while time.monotonic() - begun < seconds:
        if rate and time.monotonic() >= due:
            due += 1 / rate
            record_event(DEFAULT_TENANT_ID, None, "bench", data={"at": time.time()})
        started = time.monotonic()
        assert requests.get(f"{web.url}/devices", timeout=10).ok
        times.append((time.monotonic() - started) * 1000)
        time.sleep(0.05)
    busy = (_cpu(web) - cpu) / (time.monotonic() - begun) * 100
    time.sleep(0.5)
    memory = sum(read_pss_mb(pid) for pid in [web.pid, *web.workers()])
    return {"devices": spread(times), "cpu": busy, "memory_mb": memory}


def _cpu(web: WebProcess) -> float:
    return sum(read_cpu_seconds(pid) for pid in [web.pid, *web.workers()])


# ---- the listeners, in a process of their own -------------------------------------------------------------------


async def _listen(port: int, count: int) -> None:
    delays: list[float] = []
    ready = [asyncio.Event() for _ in range(count)]

    async def listen(is_ready: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/events/stream?kind=bench HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while line := await reader.readline():
            if line.startswith(b"retry:"):
                is_ready.set()
            elif line.startswith(b"data: "):
                delays.append((time.time() - json.loads(line[6:])["data"]["at"]) * 1000)

    tasks = []
    for is_ready in ready:
        tasks.append(asyncio.ensure_future(listen(is_ready)))
        await asyncio.sleep(0.002)
    for is_ready in ready:
        await is_ready.wait()
    print("ready", flush=True)
    try:
        await asyncio.gather(*tasks)
    finally:
        print(json.dumps({"ms": delays}), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_listen(int(sys.argv[1]), int(sys.argv[2])))
