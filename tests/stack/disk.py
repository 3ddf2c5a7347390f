"""A small disk for the footage of a stack: it can be filled, hang, lose its power and be unmounted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
from pathlib import Path

#: Linux's ioctl that stops a file system at once (ext4: EXT4_IOC_SHUTDOWN); data that was not synced is then lost.
_SHUTDOWN = 0x8004587D
_WITHOUT_LOG = struct.pack("I", 2)
_BALLAST = "ballast"


class DiskUnavailableError(RuntimeError):
    """This machine does not allow to mount a disk; the message is that of `mount`."""


class LoopDisk:
    """An ext4 file system of `megabytes` in a file, mounted at `folder`; needs root.

    `close` unmounts it in any state, and may be called twice. Raises DiskUnavailableError.
    """

    def __init__(self, place: Path, megabytes: int = 48) -> None:
        self.folder = place / "mounted"
        self.folder.mkdir(parents=True)
        self._image = place / "disk.img"
        self._is_frozen = False
        with self._image.open("wb") as image:
            image.truncate(megabytes << 20)
        # -m 0: root, which runs the tests, has no reserve; no lazy initialisation, which would run in the background.
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self._image))
        self._device = _run("losetup", "--find", "--show", str(self._image))
        try:
            self.mount()
        except DiskUnavailableError:
            self.close()
            raise
        (self.folder / "lost+found").rmdir()

    def mount(self) -> None:
        """Mount it (again)."""
        _run("mount", "-t", "ext4", self._device, str(self.folder))

    def unmount(self) -> None:
        """Unmount it while it is in use: open files stay usable, new ones land in the folder below."""
        _run("umount", "--lazy", str(self.folder))

    @property
    def is_mounted(self) -> bool:
        return os.path.ismount(self.folder)

    @property
    def free_bytes(self) -> int:
        """Space that can still be written."""
        space = os.statvfs(self.folder)
        return space.f_bavail * space.f_frsize

    def fill(self, leave_bytes: int = 0) -> None:
        """Use all space but `leave_bytes`, as another program would."""
        with (self.folder / _BALLAST).open("ab") as ballast:
            size = ballast.tell() + max(0, self.free_bytes - leave_bytes)
            with contextlib.suppress(OSError):
                os.posix_fallocate(ballast.fileno(), 0, max(size, 1))

    def make_room(self) -> None:
        """Free the space that `fill` used."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def freeze(self) -> None:
        """Block all writers until `thaw`; they cannot even be killed."""
        _run("fsfreeze", "--freeze", str(self.folder))
        self._is_frozen = True

    def thaw(self) -> None:
        """Unblock the waiting writers."""
        if self._is_frozen:
            self._is_frozen = False
            _run("fsfreeze", "--unfreeze", str(self.folder))

    def cut_power(self) -> None:
        """Stop the disk: every access fails (EIO) until it is unmounted and mounted; unsynced data is lost."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _WITHOUT_LOG)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Unmount the disk and delete its file."""
        with contextlib.suppress(DiskUnavailableError):
            self.thaw()
        while self.is_mounted:
            self.unmount()
        if self._device:
            device, self._device = self._device, ""
            with contextlib.suppress(DiskUnavailableError):
                _run("losetup", "--detach", device)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except OSError as error:
        raise DiskUnavailableError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        raise DiskUnavailableError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
