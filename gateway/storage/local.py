"""A store of footage on the local disk.

A marker file holds the uuid of the store. When the database has a store and the marker is missing, the disk is not
mounted, and nothing is written into the empty mount point.
"""

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import Conflict, NotFound
from gateway.file_clock import measure_file_clock
from gateway.footage.segments import StorageRow
from gateway.storage.interface import KEY_NAME, Space, StorageUnavailable, check_key
from gateway.storage.local_writer import LocalSegmentWriter, convert_error, make_folders, sync_folder

#: The file with the uuid of the store that a folder is.
MARKER = ".vas-storage"
#: The folder of files whose origin is unknown; they are never listed and never played.
QUARANTINE = ".quarantine"

_LOCAL = "local"
_CHUNK_BYTES = 256 << 10
#: How long a measured difference of the file system's clock is used.
_FILE_CLOCK_SECONDS = 60.0


def open_storage(config: Config) -> "LocalStorage":
    """The store of RECORDINGS_DIR. Opening does not access the disk; errors appear at the first use."""
    return LocalStorage(config.recordings_dir)


def ensure_storage(config: Config) -> "LocalStorage":
    """The store of RECORDINGS_DIR, ready to be written. Creates its folder, marker and row the very first time.

    Raises StorageUnavailable. When the database has a store, a folder without a marker is an unmounted disk.
    """
    storage = open_storage(config)
    if storage.read_marker() is None and not _has_local_store():
        storage.make_marker()
    storage.check()
    _ = storage.id
    return storage


def adopt_storage(config: Config) -> "LocalStorage":
    """Make RECORDINGS_DIR a store at a person's request, after a disk was added or replaced."""
    storage = open_storage(config)
    if storage.read_marker() is None:
        storage.make_marker()
    return ensure_storage(config)


class LocalStorage:
    """Files under one folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._id: int | None = None
        self._uuid: str | None = None
        self._file_clock = 0.0
        self._file_clock_until = 0.0

    @property
    def id(self) -> int:
        if self._id is None:
            self.check()
            self._id = _row_id(self._uuid)
        return self._id

    @property
    def uuid(self) -> str | None:
        """The uuid of the store; None before its first use."""
        return self._uuid

    def check(self) -> None:
        found = self.read_marker()
        if found is None or (self._uuid is not None and found != self._uuid):
            what = "has no marker file" if found is None else "is another store than before"
            raise StorageUnavailable(
                f"the folder '{self.root}' {what}: is its disk mounted?", reason="storage_unmounted"
            )
        with self._errors():
            is_read_only = os.statvfs(self.root).f_flag & os.ST_RDONLY
        if is_read_only:
            raise StorageUnavailable(f"the folder '{self.root}' can only be read", reason="storage_read_only")
        self._uuid = found

    def create(self, key: str) -> "LocalSegmentWriter":
        path = self._path(key)
        self.check()
        with self._errors():
            descriptor, new_in = self._create(path, key)
        return LocalSegmentWriter(self.check, path, descriptor, new_in)

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self._errors():
            try:
                file = open(self._path(key), "rb", buffering=0)  # noqa: SIM115 - closed by the iterator
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                self._check_mounted()
                raise NotFound(f"there is no file '{key}'") from None
        return self._chunks(file, offset, length)

    def size(self, key: str) -> int | None:
        with self._errors():
            try:
                return self._path(key).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                self._check_mounted()
                return None

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    def truncate(self, key: str, size: int) -> None:
        with self._errors():
            try:
                descriptor = os.open(self._path(key), os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._check_mounted()
                raise NotFound(f"there is no file '{key}'") from None
            try:
                os.ftruncate(descriptor, size)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def delete(self, key: str) -> bool:
        path = self._path(key)
        with self._errors():
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                self._check_mounted()
                return False
            self._remove_empty_folders(path.parent)
        return True

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        if time.monotonic() >= self._file_clock_until:
            self._file_clock_until = time.monotonic() + _FILE_CLOCK_SECONDS
            self._file_clock = measure_file_clock(self.root)
        with self._errors():
            yield from self._walk(self._path(prefix) if prefix else self.root, prefix)

    def quarantine(self, key: str, why: str) -> str:
        path = self._path(key)
        with self._errors():
            if not path.is_file():
                self._check_mounted()
                raise NotFound(f"there is no file '{key}'")
            target, number = self.root / QUARANTINE / key, 1
            while target.exists():
                number += 1
                target = self.root / QUARANTINE / f"{key}-{number}"
            new_in = make_folders(target.parent, self.root)
            target.with_name(target.name + ".why").write_text(f"{utc_now().isoformat()} {why}\n", encoding="utf-8")
            path.rename(target)
            for folder in {target.parent, *new_in}:
                sync_folder(folder)
            self._remove_empty_folders(path.parent)
        return target.relative_to(self.root).as_posix()

    def space(self) -> Space:
        self._check_mounted()
        with self._errors():
            found = os.statvfs(self.root)
        unit = found.f_frsize
        return Space(found.f_blocks * unit, found.f_bavail * unit, (found.f_blocks - found.f_bfree) * unit)

    # ---- the marker --------------------------------------------------------------------------------------------

    def read_marker(self) -> str | None:
        """The uuid in the marker file; None without one."""
        with self._errors():
            try:
                descriptor = os.open(self.root / MARKER, os.O_RDONLY | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError):
                return None
            try:
                text = os.read(descriptor, 128)
            finally:
                os.close(descriptor)
        try:
            return str(uuid.UUID(text.split()[0].decode("ascii")))
        except (ValueError, IndexError):
            raise StorageUnavailable(f"the marker file '{self.root / MARKER}' holds no uuid") from None

    def make_marker(self) -> None:
        """Write a marker file with a new uuid. Of two processes that do so at once the first one wins."""
        with self._errors():
            new_in = make_folders(self.root, Path(self.root.anchor))
            draft = self.root / f"{MARKER}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
            try:
                with open(draft, "x", encoding="ascii") as file:
                    file.write(f"{uuid.uuid4()}\n")
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(draft, self.root / MARKER)
            finally:
                draft.unlink(missing_ok=True)
            for folder in {self.root, *new_in}:
                sync_folder(folder)

    # ---- internals ------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _check_mounted(self) -> None:
        """Raise StorageUnavailable when the disk itself is missing: then a missing file proves nothing."""
        if self.read_marker() is None:
            self.check()

    def _create(self, path: Path, key: str) -> tuple[int, Sequence[Path]]:
        """The open file, and the folders that got a new entry."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        for _ in range(5):
            new_in = make_folders(path.parent, self.root)
            try:
                return os.open(path, flags, 0o640), [path.parent, *new_in]
            except FileExistsError:
                raise Conflict(f"there is a file '{key}' already", reason="file_exists") from None
            except FileNotFoundError:
                continue  # another process deleted the last file of the folder, and the folder with it
        raise StorageUnavailable(f"the folder of '{key}' cannot be created")

    def _remove_empty_folders(self, folder: Path) -> None:
        """Make the removal of a file durable, and remove folders that became empty, except the root."""
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                break
            folder = folder.parent
        sync_folder(folder)

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, int, float]]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(
                    (entry for entry in found if KEY_NAME.fullmatch(entry.name)), key=lambda entry: entry.name
                )
        except (FileNotFoundError, NotADirectoryError):
            self._check_mounted()
            return
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(folder / entry.name, key)
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    yield key, status.st_size, status.st_mtime - self._file_clock

    def _chunks(self, file, offset: int, length: int | None) -> Iterator[bytes]:
        with file, self._errors():
            file.seek(offset)
            while length is None or length > 0:
                chunk = file.read(_CHUNK_BYTES if length is None else min(_CHUNK_BYTES, length))
                if not chunk:
                    return
                if length is not None:
                    length -= len(chunk)
                yield chunk

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Convert errors of the operating system into StorageUnavailable."""
        try:
            yield
        except OSError as error:
            raise convert_error(error, str(self.root)) from error


def _has_local_store() -> bool:
    with database.session():
        return StorageRow.select().where(StorageRow.kind == _LOCAL).exists()


def _row_id(found: str) -> int:
    """The id of the store with this uuid. Inserts a missing row: the store may be older than the database."""
    with suppress(peewee.IntegrityError), database.transaction():
        row = StorageRow.get_or_none(StorageRow.uuid == found)
        return row.id if row else StorageRow.insert(uuid=found, kind=_LOCAL, created_at=utc_now()).execute()
    with database.session():
        return StorageRow.get(StorageRow.uuid == found).id
