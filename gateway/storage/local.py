"""Where footage lies: one interface for every kind of store, and the local disk.

Callers know keys (`tenant/device/2026-11-22/17/…`), never paths. A store says who it is by a marker file with its uuid:
where the database knows of a store and the marker is missing, the disk is not mounted, and nothing is written into the
empty folder beneath.
"""

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import peewee

from gateway import database
from gateway.clock import utc_now
from gateway.config import Config
from gateway.errors import Conflict, NotFound
from gateway.footage.segments import StorageRow
from gateway.storage.interface import KEY_NAME, Space, StorageUnavailable, check_key
from gateway.storage.local_writer import LocalSegmentWriter, format_error, make_folders, sync_folder

#: The file that says which store a folder is.
MARKER = ".vas-storage"
#: Where files go that nobody can explain; never listed, never played.
QUARANTINE = ".quarantine"

_LOCAL = "local"
_CHUNK_BYTES = 256 << 10


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
        return LocalSegmentWriter(self.check, path, descriptor, new_in)

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
            new_in = make_folders(target.parent, self.root)
            target.with_name(target.name + ".why").write_text(f"{utc_now().isoformat()} {why}\n", encoding="utf-8")
            path.rename(target)
            for folder in {target.parent, *new_in}:
                sync_folder(folder)
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
            new_in = make_folders(path.parent, self.root)
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
        sync_folder(folder)

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, int, float]]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(
                    (entry for entry in found if KEY_NAME.fullmatch(entry.name)), key=lambda entry: entry.name
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
