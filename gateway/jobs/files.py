"""The result files of jobs: written under a temporary name, made durable, renamed, and only then named by a row.

A result is `EXPORTS_DIR/{job id}-{attempt}.ext`; while it is written its name ends in `.part`, which is never served.
"""

import errno
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from gateway.config import Config
from gateway.errors import Unavailable
from gateway.file_clock import measure_file_clock

#: Unsynced bytes of a file after which it is synced: one long burst of writes would delay recording.
_SYNC_BYTES = 32 << 20
_PART = ".part"
#: Minimum age of a file without a job before it is deleted: its row may be written a moment later.
_ORPHAN_SECONDS = 3600.0
#: Space that a result leaves free on its disk, if the floor in the settings is lower.
SPARE_BYTES = 64 << 20


class ExportSpaceMissing(Unavailable):
    """The disk of the results is full, or would be."""

    reason = "disk_full"


@dataclass(frozen=True, slots=True)
class Owner:
    """The kind of files in a folder: its name in messages, and the reason code if the folder cannot be written."""

    label: str
    unwritable_reason: str


EXPORTS = Owner("the exported files", "exports_unwritable")


class ResultFile:
    """A result being written, as a context manager: without `keep` the file is deleted on exit.

    Writing raises ExportSpaceMissing when the disk is full.
    """

    def __init__(self, folder: Path, name: str, *, owner: Owner = EXPORTS) -> None:
        self.name = name
        self._folder = folder
        self._owner = owner
        self._draft = folder / f".{name}{_PART}"
        self._unsynced = 0
        self._is_kept = False
        self._file: BinaryIO

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._file = open(self._draft, "x+b", buffering=0)
        except OSError as error:
            raise format_failure(error, self._folder, self._owner) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self._is_kept:
            self._draft.unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`."""
        view = memoryview(data)
        try:
            while view:
                done = self._file.write(view)
                view = view[done:]
                self._unsynced += done
            if self._unsynced >= _SYNC_BYTES:
                self._sync()
        except OSError as error:
            raise format_failure(error, self._folder, self._owner) from error

    def write_at(self, offset: int, data: bytes) -> None:
        """Overwrite the bytes at `offset`, or write beyond the end."""
        view = memoryview(data)
        try:
            while view:
                done = os.pwrite(self._file.fileno(), view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise format_failure(error, self._folder, self._owner) from error

    def read_at(self, offset: int, size: int) -> bytes:
        """Read bytes that were written before."""
        return os.pread(self._file.fileno(), size, offset)

    def keep(self) -> int:
        """Make the file durable under its final name; returns its size."""
        try:
            os.fsync(self._file.fileno())
            size = os.fstat(self._file.fileno()).st_size
            os.rename(self._draft, self._folder / self.name)
            self._is_kept = True
            _sync_folder(self._folder)
        except OSError as error:
            raise format_failure(error, self._folder, self._owner) from error
        return size

    def _sync(self) -> None:
        # Synced early and dropped from the page cache: no reader needs it soon, recording needs both disk and memory.
        os.fdatasync(self._file.fileno())
        os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self._unsynced = 0


def check_space(config: Config, needed_bytes: int) -> None:
    """Raise ExportSpaceMissing when a result of this size would not leave its disk the space that must stay free."""
    folder = config.exports_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise format_failure(error, folder, EXPORTS) from error
    floor = max(SPARE_BYTES, config.free_bytes_floor)
    if free - needed_bytes < floor:
        raise ExportSpaceMissing(
            f"the file needs {format_bytes(needed_bytes)}, and {format_bytes(floor)} must stay free, "
            f"but its disk has only {format_bytes(free)}"
        )


def result_path(config: Config, name: str) -> Path:
    """The path of a result. Raises ValueError for an invalid name."""
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"{name!r} is not the name of a result")
    return config.exports_dir / name


def remove_results(config: Config, owner: str) -> int:
    """Delete all files of a job, or of one attempt at it, complete or not; returns how many were deleted.

    `owner` is the id of the job, or the stem of the attempt's results.
    """
    deleted = 0
    for path in (*config.exports_dir.glob(f"{owner}[-.]*"), *config.exports_dir.glob(f".{owner}[-.]*")):
        path.unlink(missing_ok=True)
        deleted += 1
    return deleted


def remove_orphans(config: Config, known_job_ids: Iterable[str]) -> int:
    """Delete old files of jobs that no longer exist; returns how many were deleted."""
    known, deleted = set(known_job_ids), 0
    now = time.time() + measure_file_clock(config.exports_dir)
    for path in config.exports_dir.iterdir() if config.exports_dir.is_dir() else ():
        job_id = path.name.lstrip(".")[:36]
        try:
            is_old = now - path.stat().st_mtime > _ORPHAN_SECONDS
            if is_old and job_id not in known and path.is_file():
                path.unlink()
                deleted += 1
        except FileNotFoundError:
            continue
    return deleted


def format_range(start_ms: int, end_ms: int) -> str:
    """A range of footage (ms since 1970, UTC) as text for the notes of results: start, end and duration."""
    start, end = (datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in (start_ms, end_ms))
    return f"{start:%Y-%m-%dT%H:%M:%S}Z to {end:%Y-%m-%dT%H:%M:%S}Z ({(end_ms - start_ms) / 1000:.1f} s)"


def format_bytes(count: float) -> str:
    """A number of bytes as text, such as `1.5 GiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"


def format_failure(error: OSError, folder: Path, owner: Owner) -> Unavailable:
    """The domain error for an error of the disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ExportSpaceMissing(f"the disk of {owner.label} is full")
    return Unavailable(
        f"the folder of {owner.label}, '{folder}', cannot be written: {error.strerror}", reason=owner.unwritable_reason
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
