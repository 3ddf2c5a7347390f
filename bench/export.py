"""Speed of exports of a range of a recording, relative to a plain copy of the same bytes and to real time."""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from threading import BoundedSemaphore

from gateway import database, migrations
from gateway.config import Config
from gateway.inventory import DeviceValues, create_device
from gateway.jobs.model import create_job, find_job
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.playback import NOON_MS, FootageFactory, RecordedFile
from workers.exporting.exports import EXPORT, run_export
from workers.job_runner import JobRunner

from .footage import LOOP_SECONDS, make_camera_clip
from .machine import ROOT
from .options import Options
from .report import Result, Table

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Measurement:
    """Seconds of each round, and the size of the result."""

    seconds: list[float]
    size: int
    footage_seconds: float

    @property
    def median_seconds(self) -> float:
        return median(self.seconds)

    @property
    def mb_per_second(self) -> float:
        return self.size / self.median_seconds / 1e6

    @property
    def times_real_time(self) -> float:
        return self.footage_seconds / self.median_seconds


def run(options: Options) -> Result:
    """Measure a copy of the footage, and exports at key frames, exact, and completely re-encoded."""
    loops, rounds, encoded_seconds = (6, 1, 10) if options.quick else (60, 3, 60)
    with _open_recording(options, loops) as recording:
        length = loops * LOOP_SECONDS
        measured: dict[str, Measurement] = {}
        for name, cut, start_ms, seconds in (
            ("copy", None, 0, length),
            ("key frames", "key_frames", 0, length),
            ("exact", "exact", 400, length - 1),
            ("exact, one minute", "exact", 400, min(60, length - 1)),
        ):
            options.say(name)
            work = recording.copy if cut is None else partial(recording.export, cut, start_ms, seconds)
            measured[name] = _measure(work, recording, rounds, seconds)
        options.say("re-encoding all of it")
        work = partial(recording.export, "exact", 400, encoded_seconds, is_smart=False)
        measured["all re-encoded"] = _measure(work, recording, 1, encoded_seconds)
    return _report(measured)


class _Recording:
    """Footage of one device, with the operations to measure."""

    def __init__(
        self, folder: Path, files: list[RecordedFile], config: Config, scope: TenantScope, device_id: str
    ) -> None:
        self._folder, self._files, self._config, self._scope, self._device_id = folder, files, config, scope, device_id

    def forget_cache(self) -> None:
        """Drop the files from the page cache, so that they are read from the disk."""
        os.sync()
        for file in self._files:
            with file.path.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def copy(self) -> int:
        """Copy all files into one, sync it to the disk, and return its size."""
        target = self._folder / "copy"
        with target.open("wb", buffering=0) as written:
            for file in self._files:
                with file.path.open("rb", buffering=0) as opened:
                    while data := opened.read(_CHUNK_BYTES):
                        written.write(data)
            os.fsync(written.fileno())
            size = written.tell()
        target.unlink()
        return size

    def export(self, cut: str, start_ms: int, seconds: float, *, is_smart: bool = True) -> int:
        """Run one export job and return the size of its result. Raises RuntimeError when it fails."""
        from workers.exporting import filling

        parameters = {
            "start_ms": NOON_MS + start_ms,
            "end_ms": NOON_MS + start_ms + round(seconds * 1000),
            "cut": cut,
            "name": "movie.mp4",
            "bytes": 0,
        }
        job = create_job(self._scope, EXPORT, parameters, device_id=self._device_id)[0]
        known = filling.reason_to_encode
        if not is_smart:
            filling.reason_to_encode = lambda *_: "measured"
        try:
            JobRunner(self._config, "bench", {EXPORT: run_export}, BoundedSemaphore(1)).run(job.id)
        finally:
            filling.reason_to_encode = known
        job = find_job(self._scope, job.id)
        if job.state != "done":
            raise RuntimeError(f"the export failed: {job.error_code} {job.error_message}")
        (file,) = self._config.exports_dir.iterdir()
        size = file.stat().st_size
        file.unlink()
        return size


@contextmanager
def _open_recording(options: Options, loops: int) -> Iterator[_Recording]:
    # In the checkout, because the system's temporary folder may be in memory.
    folder = Path(tempfile.mkdtemp(prefix="bench-export-", dir=ROOT / "var" if (ROOT / "var").is_dir() else ROOT))
    config = Config(
        database_url=f"sqlite:///{folder / 'bench.db'}",
        secret_key=uuid.uuid4().hex,
        sfu_secret=uuid.uuid4().hex,
        recordings_dir=folder / "recordings",
        exports_dir=folder / "exports",
        var_dir=folder,
    )
    try:
        database.connect(config)
        migrations.migrate()
        scope = TenantScope(DEFAULT_TENANT_ID)
        values = DeviceValues(name="bench", source_url="rtsp://192.0.2.1/bench", start_mode="manual")
        device = create_device(scope, values, SecretBox.from_config(config))
        options.say("footage")
        footage = FootageFactory(config, scope, device.id)
        files = footage.record(make_camera_clip(loops), NOON_MS)
        yield _Recording(folder, files, config, scope, device.id)
    finally:
        database.close()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(work: Callable[[], int], recording: _Recording, rounds: int, footage_seconds: float) -> Measurement:
    seconds, size = [], 0
    for _ in range(rounds):
        recording.forget_cache()
        started = time.monotonic()
        size = work()
        seconds.append(time.monotonic() - started)
    return Measurement(seconds, size, footage_seconds)


def _report(measured: dict[str, Measurement]) -> Result:
    copy = measured["copy"]
    rows = []
    for name, one in measured.items():
        is_copied = one.size > copy.size / 2 and name != "all re-encoded"
        rows.append(
            [
                name,
                f"{one.footage_seconds:.0f}",
                f"{one.size / 1e6:.0f}",
                f"{one.median_seconds:.2f}",
                f"{one.mb_per_second:.0f}" if is_copied else "-",
                f"{one.mb_per_second / copy.mb_per_second:.2f} x" if is_copied and one is not copy else "-",
                f"{one.times_real_time:.1f} x",
            ]
        )
    head = ["", "footage, s", "MB", "s", "MB/s", "relative to the copy", "relative to real time"]
    return Result(
        "export",
        "",
        {},
        tables=[Table("Exports of 1080p25 H.264, 4 Mbps, a key frame every 2 s", head, rows)],
        notes=[
            "The plain copy reads the same files and writes one, which is synced to the disk; before each round the "
            "files are dropped from the page cache.",
            "An export reads, checks and indexes each frame, writes the index first, and is synced to the disk too. "
            "An exact export re-encodes the rest of its first group of pictures; the last row is the cost of "
            "re-encoding everything.",
        ],
        raw={name: vars(one) | {"mb_per_second": one.mb_per_second} for name, one in measured.items()},
    )
