"""Writes one segment file on the local disk."""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.storage.interface import StorageFull, StorageUnavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN})


class LocalSegmentWriter:
    """An open file on the local disk."""

    def __init__(self, check: Callable[[], None], path: Path, descriptor: int, new_in: Sequence[Path]) -> None:
        self._check_storage = check
        self._path = path
        self._descriptor = descriptor
        self._new_in = list(new_in)
        status = os.fstat(descriptor)
        self._identity = (status.st_dev, status.st_ino)
        self.size = 0
        self.durable_size = 0

    def append(self, data: bytes) -> None:
        end = self.size
        view = memoryview(data)
        try:
            while view:
                # At a fixed position, so that the next attempt overwrites what a failed one left.
                written = os.pwrite(self._descriptor, view, end)
                end += written
                view = view[written:]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise convert_error(error, str(self._path)) from error
        self.size = end

    def sync(self) -> None:
        size = self.size
        try:
            os.fdatasync(self._descriptor)
            while self._new_in:
                sync_folder(self._new_in[0])
                del self._new_in[0]
            status = os.stat(self._path, follow_symlinks=False)
            is_mine = (status.st_dev, status.st_ino) == self._identity
        except FileNotFoundError:
            is_mine = False
        except OSError as error:
            raise convert_error(error, str(self._path)) from error
        if not is_mine:
            self._check_storage()
            raise StorageUnavailable(f"the file '{self._path}' was removed while it was written", reason="file_missing")
        self.durable_size = size

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            # A network file system may report earlier errors only now; `sync` has detected them.
            with suppress(OSError):
                os.close(descriptor)


def convert_error(error: OSError, place: str) -> StorageUnavailable:
    """The StorageUnavailable for an error of the operating system at a place."""
    what = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.errno in _FULL:
        return StorageFull(f"there is no space for '{place}': {what}")
    if error.errno == errno.EROFS:
        return StorageUnavailable(f"'{place}' can only be read", reason="storage_read_only")
    if error.errno in _GONE:
        return StorageUnavailable(f"'{place}' is not available: {what}", reason="storage_unmounted")
    return StorageUnavailable(f"'{place}' cannot be used: {what}")


def make_folders(folder: Path, root: Path) -> list[Path]:
    """Create a folder and its missing parents, up to `root`; returns the folders that got a new entry."""
    missing = []
    while folder != root and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        with suppress(FileExistsError, FileNotFoundError):
            path.mkdir(mode=0o750)
    return [path.parent for path in missing]


def sync_folder(folder: Path) -> None:
    with suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
