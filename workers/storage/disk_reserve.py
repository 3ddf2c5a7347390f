"""The emergency disk reserve: space kept on the disk of the footage, because even deleting needs space.

A database on a disk without a free byte cannot mark what is to be deleted, so nothing would ever be deleted.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

from gateway.storage.interface import Storage

log = logging.getLogger(__name__)

#: Enough for the transactions of one deletion.
DISK_RESERVE_BYTES = 16 << 20
#: A name that listings of a store leave out.
_NAME = ".vas-reserve"


class DiskReserve:
    """The reserve of one store; only a store in a folder of this machine has one. Errors of the disk are not raised."""

    def __init__(self, storage: Storage) -> None:
        root = getattr(storage, "root", None)
        self._path: Path | None = root / _NAME if root is not None else None

    @property
    def is_allocated(self) -> bool:
        """Whether there is space to release."""
        return self._path is not None and self._path.exists()

    def allocate(self, free_bytes: int) -> None:
        """Allocate the space, when the disk has much more than that."""
        if self._path is None or self.is_allocated or free_bytes < 8 * DISK_RESERVE_BYTES:
            return
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                os.posix_fallocate(descriptor, 0, DISK_RESERVE_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.debug("the emergency disk reserve cannot be allocated: %s", error)
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def release(self) -> bool:
        """Release the space; returns whether there was any."""
        if not self.is_allocated:
            return False
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            log.warning("the emergency disk reserve is released: the disk is full")
            return True
        return False
