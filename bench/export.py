"""How fast a range of a recording becomes a file: beside a plain copy of the same bytes, and as a multiple of real
time.
"""

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
class Figures:
    """Seconds of each round, and what was written."""

    seconds: list[float]
    size: int
    footage_seconds: float

    @property
    def best(self) -> float:
        return median(self.seconds)

    @property
    def mb_per_second(self) -> float:
        return self.size / self.best / 1e6

    @property
    def times_real_time(self) -> float:
        return self.footage_seconds / self.best


def run(options: Options) -> Result:
    """The same footage copied, exported at key frames, exactly, and encoded anew."""
    loops, rounds, encoded_seconds = (6, 1, 10) if options.quick else (60, 3, 60)
    with _open_recording(options, loops) as recording:
        length = loops * LOOP_SECONDS
        measured: dict[str, Figures] = {}
        for name, cut, start_ms, seconds in (
            ("copy", None, 0, length),
            ("key frames", "key_frames", 0, length),
            ("exact", "exact", 400, length - 1),
            ("exact, one minute", "exact", 400, min(60, length - 1)),
        ):
            options.say(name)
            work = recording.copy if cut is None else partial(recording.export, cut, start_ms, seconds)
            measured[name] = _measure(work, recording, rounds, seconds)
        options.say("encoding all of it")
        work = partial(recording.export, "exact", 400, encoded_seconds, is_smart=False)
        measured["all encoded anew"] = _measure(work, recording, 1, encoded_seconds)
    return _report(measured)


class _Recording:
    """Footage of one device, and what is made of it."""

    def __init__(
        self, folder: Path, files: list[RecordedFile], config: Config, scope: TenantScope, device_id: str
    ) -> None:
        self._folder, self._files, self._config, self._scope, self._device_id = folder, files, config, scope, device_id

    def forget_cache(self) -> None:
        """The disk is to be read, not memory."""
        os.sync()
        for file in self._files:
            with file.path.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def copy(self) -> int:
        """All files, one after the other, into one that is then durable; gives its size."""
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
        """One job from its claim to its end; gives the size of its result. Raises RuntimeError when it fails."""
        from workers.exporting import exports

        parameters = {
            "start_ms": NOON_MS + start_ms,
            "end_ms": NOON_MS + start_ms + round(seconds * 1000),
            "cut": cut,
            "name": "film.mp4",
            "bytes": 0,
        }
        job = create_job(self._scope, EXPORT, parameters, device_id=self._device_id)[0]
        known = exports.reason_to_encode
        if not is_smart:
            exports.reason_to_encode = lambda *_: "measured"
        try:
            JobRunner(self._config, "bench", {EXPORT: run_export}, BoundedSemaphore(1)).run(job.id)
        finally:
            exports.reason_to_encode = known
        job = find_job(self._scope, job.id)
        if job.state != "done":
            raise RuntimeError(f"the export failed: {job.error_code} {job.error_message}")
        (file,) = self._config.exports_dir.iterdir()
        size = file.stat().st_size
        file.unlink()
        return size


@contextmanager
def _open_recording(options: Options, loops: int) -> Iterator[_Recording]:
    # Beside the checkout, not in a folder that may lie in memory.
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


def _measure(work: Callable[[], int], recording: _Recording, rounds: int, footage_seconds: float) -> Figures:
    seconds, size = [], 0
    for _ in range(rounds):
        recording.forget_cache()
        started = time.monotonic()
        size = work()
        seconds.append(time.monotonic() - started)
    return Figures(seconds, size, footage_seconds)


def _report(measured: dict[str, Figures]) -> Result:
    copy = measured["copy"]
    rows = []
    for name, one in measured.items():
        is_copied = one.size > copy.size / 2 and name != "all encoded anew"
        rows.append(
            [
                name,
                f"{one.footage_seconds:.0f}",
                f"{one.size / 1e6:.0f}",
                f"{one.best:.2f}",
                f"{one.mb_per_second:.0f}" if is_copied else "-",
                f"{one.mb_per_second / copy.mb_per_second:.2f} x" if is_copied and one is not copy else "-",
                f"{one.times_real_time:.1f} x",
            ]
        )
    head = ["", "footage, s", "MB", "s", "MB/s", "of the plain copy", "of real time"]
    return Result(
        "export",
        "",
        {},
        tables=[Table("Exports of 1080p25 H.264, 4 Mbps, a key frame each 2 s", head, rows)],
        notes=[
            "The plain copy reads the same files and writes one, made durable; each round begins without them in "
            "memory.",
            "An export reads, checks and indexes each frame, writes the index in front, and is durable too. An exact "
            "one "
            "encodes the rest of its first group of pictures anew; the last row is what it would cost to encode all "
            "of it.",
        ],
        raw={name: vars(one) | {"mb_per_second": one.mb_per_second} for name, one in measured.items()},
    )
