"""Cost of archiving footage in S3 storage, beside a plain copy of the same files with the same client."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from gateway import database
from plugins.s3_archiver.bucket import Bucket
from plugins.s3_archiver.outbox import Outbox
from plugins.s3_archiver.settings import KINDS, SEGMENTS, BucketSettings, UploadSettings
from plugins.s3_archiver.uploader import Uploader
from tests.footage import MINUTE_MS, NOON_MS
from tests.plugins.s3_archiver.killing import bucket_settings, made_world
from tests.plugins.s3_archiver.world import StubOptions, World
from tests.stack.object_store import S3Server

from .options import Options
from .report import Result, Table

#: A minute of a camera with 4 Mbit/s.
_CAMERA_BYTES_PER_SECOND = 500_000
_FILE_BYTES = 60 * _CAMERA_BYTES_PER_SECOND
_AT_A_TIME = 2


@dataclass(frozen=True)
class Measurement:
    """One round in a process of its own: wall and CPU seconds, and the highest memory above idle in bytes."""

    seconds: float
    cpu_seconds: float
    memory: int


def run(options: Options) -> Result:
    """Measure a plain copy and our archiving in turns, and what the archiver takes while nothing waits."""
    files, rounds, idle_seconds = (3, 1, 5) if options.quick else (20, 3, 30)
    size = files * _FILE_BYTES
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vas-bench-")))
        server = S3Server(folder / "s3").create()
        stack.callback(server.close)
        plain, ours = [], []
        for number in range(rounds):
            product = folder / f"product{number}"
            with made_world(product) as world:
                paths = _add_footage(world, files)
                settings = bucket_settings(server)
                plain.append(_in_process(partial(_copy_plainly, settings, paths)))
                server.empty_bucket()
                ours.append(_in_process(partial(_archive, _facts(world), settings)))
                assert len(world.archived_segments()) == files
                server.empty_bucket()
                idle = _in_process(partial(_idle, _facts(world), settings, idle_seconds))
            shutil.rmtree(product)
    rows = [_row("a plain copy (obstore put)", plain, size), _row("s3_archiver, verified", ours, size)]
    share = idle.cpu_seconds / idle.seconds
    return Result(
        "archive",
        "",
        {},
        tables=[
            Table(
                f"{files} files of {_FILE_BYTES / 1e6:.0f} MB, {_AT_A_TIME} at a time, to SeaweedFS on this machine",
                ["", "MB/s", "CPU s per GB", "CPU of a 4 Mbit/s camera", "memory above idle"],
                rows,
            )
        ],
        notes=[
            "Ours reads the rows, computes SHA-256 and the ETag, sends a checksum with each part, compares the ETag, "
            "reads 64 KiB back and writes the row. CPU is that of the uploading process alone.",
            f"While nothing waits, the uploading process takes {share:.2%} of a core.",
        ],
        raw={
            "plain": [asdict(one) for one in plain],
            "archiver": [asdict(one) for one in ours],
            "idle": asdict(idle),
            "bytes": size,
        },
    )


def _row(title: str, rounds: list[Measurement], size: int) -> list[str]:
    seconds, cpu = (median(getattr(one, name) for one in rounds) for name in ("seconds", "cpu_seconds"))
    return [
        title,
        f"{size / seconds / 1e6:.0f}",
        f"{cpu / size * 1e9:.1f}",
        f"{cpu / size * _CAMERA_BYTES_PER_SECOND:.2%}",
        f"{max(one.memory for one in rounds) / 1e6:.0f} MB",
    ]


def _add_footage(world: World, files: int) -> list[Path]:
    data = bytes(at * 31 % 251 for at in range(65_521)) * (_FILE_BYTES // 65_521 + 1)
    for number in range(files):
        start_ms = NOON_MS + number * MINUTE_MS
        world.footage.add(start_ms, sequence=1 + 200 * number, data=data[:_FILE_BYTES], size=_FILE_BYTES)
    return [item.path for item in world.outbox(SEGMENTS).pending([], limit=files)]


def _facts(world: World) -> tuple[Any, str]:
    return world.config, world.device_id


def _in_process(work: Callable[[], Measurement]) -> Measurement:
    """Run in a new process, whose memory and CPU are those of this work alone."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(work)


def _measure(work: Callable[[], object]) -> Measurement:
    idle, cpu, began = _memory(), time.process_time(), time.monotonic()
    work()
    return Measurement(time.monotonic() - began, time.process_time() - cpu, _memory() - idle)


def _copy_plainly(settings: BucketSettings, paths: list[Path]) -> Measurement:
    import obstore

    store = Bucket(settings)._writing

    def copy() -> None:
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            list(pool.map(lambda path: obstore.put(store, f"plain/{path.name}", path), paths))

    return _measure(copy)


def _archive(facts: tuple[Any, str], settings: BucketSettings) -> Measurement:
    uploader, outbox, _ = _make_uploader(facts, settings)

    def archive() -> None:
        while True:
            uploader.run_once()
            if uploader.status().state == "idle" and not outbox.pending([]):
                return

    try:
        return _measure(archive)
    finally:
        database.close()


def _idle(facts: tuple[Any, str], settings: BucketSettings, seconds: float) -> Measurement:
    uploader, _, stop = _make_uploader(facts, settings)
    threading.Timer(seconds, stop.set).start()
    return _measure(uploader.run)


def _make_uploader(facts: tuple[Any, str], settings: BucketSettings) -> tuple[Uploader, Outbox, threading.Event]:
    config, device_id = facts
    database.connect(config)
    stop = threading.Event()
    outbox = Outbox(config, clock=lambda: datetime.now(UTC))
    chosen = {kind: {device_id} for kind in KINDS}
    options = StubOptions(settings, UploadSettings(concurrency=_AT_A_TIME), chosen)
    return Uploader(outbox, options, stop), outbox, stop


def _memory() -> int:
    """The highest resident memory of this process so far."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
