"""Where footage lies: one interface for every kind of store, and the local disk.

Callers know keys (`tenant/device/2026-11-22/17/…`), never paths. A store says who it is by a marker file with its uuid:
where the database knows of a store and the marker is missing, the disk is not mounted, and nothing is written into the
empty folder beneath.
"""

import errno
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import Conflict, InvalidValue, NotFound, Unavailable
from gateway.footage.segments import StorageRow

#: The file that says which store a folder is.
MARKER = ".vas-storage"
#: Where files go that nobody can explain; never listed, never played.
QUARANTINE = ".quarantine"

_LOCAL = "local"
_CHUNK_BYTES = 256 << 10
#: A name in a key: no empty one, none that begins with a dot, so neither `..` nor the marker can be spelt.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN})


class StorageUnavailable(Unavailable):
    """Footage cannot be read or written now. Reasons: `storage_unmounted`, `storage_failed`, `file_missing`."""

    reason = "storage_failed"


class StorageFull(StorageUnavailable):
    """There is no room for what was to be written; what was there before is untouched."""

    reason = "disk_full"


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of the whole store; `free` is what we may still write."""

    total: int
    free: int
    used: int


class SegmentWriter(Protocol):
    """A new file that grows by whole parts."""

    @property
    def size(self) -> int:
        """Bytes of what was appended."""

    @property
    def durable_size(self) -> int:
        """Bytes that a loss of power does not take away."""

    def append(self, data: bytes) -> None:
        """All of `data` or nothing of it; raises StorageUnavailable."""

    def sync(self) -> None:
        """Make durable what was appended. Raises StorageUnavailable, also when the file was taken away underneath."""

    def close(self) -> None:
        """Give the file back, without making anything durable. May be called twice."""


class Storage(Protocol):
    """A store of files by key. Everything but `local_path` and `close` may raise StorageUnavailable."""

    @property
    def id(self) -> int:
        """The id of the store's row."""

    def check(self) -> None:
        """Raise StorageUnavailable when this is not the store that it was, or cannot be written. Cheap."""

    def create(self, key: str) -> SegmentWriter:
        """A new file; raises Conflict where there is one of this name."""

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """A file's bytes in chunks, to its end or at most `length`; raises NotFound at once."""

    def size(self, key: str) -> int | None:
        """A file's bytes; None when there is no such file."""

    def local_path(self, key: str) -> Path | None:
        """Where a web server may read the file itself; None where it cannot."""

    def truncate(self, key: str, size: int) -> None:
        """Cut off, durably, what a crash left after the first `size` bytes; raises NotFound."""

    def delete(self, key: str) -> bool:
        """Remove a file durably, with folders that are empty then; False when there was none."""

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        """Key, size and time of change (seconds since 1970) of the files below a folder, by name."""

    def quarantine(self, key: str, why: str) -> str:
        """Put a file aside with a note, and give where it is now; raises NotFound."""

    def space(self) -> Space:
        """How much there is, and how much is left."""


def open_storage(config: Config) -> "LocalStorage":
    """The store of the settings. Touches nothing yet: what is wrong with it shows at its first use."""
    return LocalStorage(config.recordings_dir)


def ensure_storage(config: Config) -> "LocalStorage":
    """The store of the settings, ready to be written; the very first time its folder, marker and row are made.

    Raises StorageUnavailable: where the database knows a store, a folder without marker is an unmounted one.
    """
    storage = open_storage(config)
    if storage.read_marker() is None and not _knows_local_store():
        storage.make_marker()
    storage.check()
    _ = storage.id
    return storage


def adopt_storage(config: Config) -> "LocalStorage":
    """Make the folder of the settings a store, because a person said so: an added or replaced disk."""
    storage = open_storage(config)
    if storage.read_marker() is None:
        storage.make_marker()
    return ensure_storage(config)


def check_key(key: str) -> str:
    """The key itself; raises InvalidValue for one that could lead out of the store."""
    if len(key) > 1024 or not all(_NAME.fullmatch(name) for name in key.split("/")):
        raise InvalidValue(
            "key", f"{key[:200]!r} must be names of letters, digits, '.', '_' and '-' with '/' between them"
        )
    return key


class LocalStorage:
    """Files under one folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._id: int | None = None
        self._uuid: str | None = None

    @property
    def id(self) -> int:
        if self._id is None:
            self.check()
            self._id = _row_id(self._uuid)
        return self._id

    @property
    def uuid(self) -> str | None:
        """Who the store is, once it has been seen."""
        return self._uuid

    def check(self) -> None:
        found = self.read_marker()
        if found is None or (self._uuid is not None and found != self._uuid):
            what = "has no marker file" if found is None else "is another store than it was"
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
        return LocalSegmentWriter(self, path, descriptor, new_in)

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        with self._errors():
            try:
                file = open(self._path(key), "rb", buffering=0)  # noqa: SIM115 - closed by the iterator
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                self._refuse_when_away()
                raise NotFound(f"there is no file '{key}'") from None
        return self._chunks(file, offset, length)

    def size(self, key: str) -> int | None:
        with self._errors():
            try:
                return self._path(key).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                self._refuse_when_away()
                return None

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    def truncate(self, key: str, size: int) -> None:
        with self._errors():
            try:
                descriptor = os.open(self._path(key), os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._refuse_when_away()
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
                self._refuse_when_away()
                return False
            self._finalize(path.parent)
        return True

    def list(self, prefix: str = "") -> Iterator[tuple[str, int, float]]:
        with self._errors():
            yield from self._walk(self._path(prefix) if prefix else self.root, prefix)

    def quarantine(self, key: str, why: str) -> str:
        path = self._path(key)
        with self._errors():
            if not path.is_file():
                self._refuse_when_away()
                raise NotFound(f"there is no file '{key}'")
            target, number = self.root / QUARANTINE / key, 1
            while target.exists():
                number += 1
                target = self.root / QUARANTINE / f"{key}-{number}"
            new_in = _make_folders(target.parent, self.root)
            target.with_name(target.name + ".why").write_text(f"{utc_now().isoformat()} {why}\n", encoding="utf-8")
            path.rename(target)
            for folder in {target.parent, *new_in}:
                _sync_folder(folder)
            self._finalize(path.parent)
        return target.relative_to(self.root).as_posix()

    def space(self) -> Space:
        self._refuse_when_away()
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
        """Say from now on that this folder is a store; two processes that do so at once agree."""
        with self._errors():
            new_in = _make_folders(self.root, Path(self.root.anchor))
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
                _sync_folder(folder)

    # ---- inside ------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _refuse_when_away(self) -> None:
        """A file that is not there proves nothing while the disk itself is not."""
        if self.read_marker() is None:
            self.check()

    def _create(self, path: Path, key: str) -> tuple[int, Sequence[Path]]:
        """The open file, and the folders that got a new entry by it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        for _ in range(5):
            new_in = _make_folders(path.parent, self.root)
            try:
                return os.open(path, flags, 0o640), [path.parent, *new_in]
            except FileExistsError:
                raise Conflict(f"there is a file '{key}' already", reason="file_exists") from None
            except FileNotFoundError:
                continue  # whoever deleted the last file of the folder took the folder away as well
        raise StorageUnavailable(f"the folder of '{key}' cannot be made")

    def _finalize(self, folder: Path) -> None:
        """Make a removal durable, and take away folders that are empty by it, never the root."""
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                break
            folder = folder.parent
        _sync_folder(folder)

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, int, float]]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(
                    (entry for entry in found if _NAME.fullmatch(entry.name)), key=lambda entry: entry.name
                )
        except (FileNotFoundError, NotADirectoryError):
            self._refuse_when_away()
            return
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(folder / entry.name, key)
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    yield key, status.st_size, status.st_mtime

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
        """Turns the system's errors into the domain's."""
        try:
            yield
        except OSError as error:
            raise format_error(error, str(self.root)) from error


class LocalSegmentWriter:
    """An open file on the local disk."""

    def __init__(self, storage: LocalStorage, path: Path, descriptor: int, new_in: Sequence[Path]) -> None:
        self._storage = storage
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
                # At a place of our own, so that what a failed attempt left is written over by the next.
                written = os.pwrite(self._descriptor, view, end)
                end += written
                view = view[written:]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise format_error(error, str(self._path)) from error
        self.size = end

    def sync(self) -> None:
        size = self.size
        try:
            os.fdatasync(self._descriptor)
            while self._new_in:
                _sync_folder(self._new_in[0])
                del self._new_in[0]
            status = os.stat(self._path, follow_symlinks=False)
            is_mine = (status.st_dev, status.st_ino) == self._identity
        except FileNotFoundError:
            is_mine = False
        except OSError as error:
            raise format_error(error, str(self._path)) from error
        if not is_mine:
            self._storage.check()
            raise StorageUnavailable(
                f"the file '{self._path}' was taken away while it was written", reason="file_missing"
            )
        self.durable_size = size

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):  # a network file system may say only now what failed before; `sync` has asked
                os.close(descriptor)


def format_error(error: OSError, place: str) -> StorageUnavailable:
    """The domain's error for the system's, naming the place."""
    what = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.errno in _FULL:
        return StorageFull(f"there is no room for '{place}': {what}")
    if error.errno == errno.EROFS:
        return StorageUnavailable(f"'{place}' can only be read", reason="storage_read_only")
    if error.errno in _GONE:
        return StorageUnavailable(f"'{place}' is away: {what}", reason="storage_unmounted")
    return StorageUnavailable(f"'{place}' cannot be used: {what}")


def _make_folders(folder: Path, root: Path) -> list[Path]:
    """Make a folder and what is missing above it, up to `root`; gives the folders that got a new entry."""
    missing = []
    while folder != root and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        with suppress(FileExistsError, FileNotFoundError):
            path.mkdir(mode=0o750)
    return [path.parent for path in missing]


def _sync_folder(folder: Path) -> None:
    with suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _knows_local_store() -> bool:
    with database.session():
        return StorageRow.select().where(StorageRow.kind == _LOCAL).exists()


def _row_id(found: str) -> int:
    """The id of the store with this uuid, which gets its row now where it has none: a database may be younger."""
    with suppress(peewee.IntegrityError), database.transaction():
        row = StorageRow.get_or_none(StorageRow.uuid == found)
        return row.id if row else StorageRow.insert(uuid=found, kind=_LOCAL, created_at=utc_now()).execute()
    with database.session():
        return StorageRow.get(StorageRow.uuid == found).id
