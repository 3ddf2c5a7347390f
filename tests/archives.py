"""An archive in a folder, for tests, that can be away, slow or wrong; and the copying that a plugin would do."""

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway import database
from gateway.archive.interface import ArchiveUnavailable, FileChecksums, assign_devices, mark_archived, pending_segments
from gateway.errors import NotFound
from gateway.footage.copies import begin_leaving, end_leaving, leaving_keys
from gateway.storage.interface import Storage
from gateway.tenancy.scopes import FootageScope
from tests.footage import Footage

_CHUNK_BYTES = 64 << 10


class FolderArchive:
    """Objects as files of a folder. `away` makes every call fail; `reads` has the ranges that were read.

    `change(data)` is applied to what is read, `before_read()` is called first.
    """

    def __init__(self, root: Path, name: str = "folder") -> None:
        self.root = root
        self.name = name
        self.away = False
        self.reads: list[tuple[str, int, int | None]] = []
        self.change: Callable[[bytes], bytes] = lambda data: data
        self.before_read: Callable[[], None] = lambda: None
        root.mkdir(parents=True, exist_ok=True)

    def objects(self) -> list[str]:
        """The keys of all objects."""
        return [key for key, _ in self.list("")]

    def put(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def read(self, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        self._check()
        self.reads.append((key, offset, length))
        self.before_read()
        path = self.root / key
        if not path.is_file():
            raise NotFound(f"there is no object '{key}'")
        data = path.read_bytes()[offset : None if length is None else offset + length]
        data = self.change(data)
        return (data[at : at + _CHUNK_BYTES] for at in range(0, len(data), _CHUNK_BYTES))

    def size(self, key: str) -> int | None:
        self._check()
        path = self.root / key
        return path.stat().st_size if path.is_file() else None

    def list(self, prefix: str) -> Iterator[tuple[str, int]]:
        self._check()
        for path in sorted(self.root.rglob("*")):
            key = path.relative_to(self.root).as_posix()
            if path.is_file() and key.startswith(prefix):
                yield key, path.stat().st_size

    def delete(self, key: str) -> bool:
        self._check()
        path = self.root / key
        is_there = path.is_file()
        path.unlink(missing_ok=True)
        return is_there

    def presign(self, key: str, seconds: int) -> str | None:
        return f"https://archive.example/{key}?for={seconds}"

    def _check(self) -> None:
        if self.away:
            raise ArchiveUnavailable(f"the archive '{self.name}' does not answer")


def archive_footage(footage: Footage, archive: FolderArchive, *, limit: int = 1000) -> list[int]:
    """Copy a device's pending segments; returns their ids."""
    return archive_device(footage.device_id, footage.storage, archive, limit=limit)


def archive_device(device_id: str, storage: Storage, archive: FolderArchive, *, limit: int = 1000) -> list[int]:
    """As `archive_footage`, for a device and its store."""
    assert device_id in assign_devices(archive.name, {device_id})
    done = []
    for segment in pending_segments([device_id], limit):
        data = b"".join(storage.read(segment.key))
        archive.put(segment.key, data)
        checksums = FileChecksums()
        checksums.update(data)
        assert mark_archived(
            segment.id,
            archive.name,
            object_key=segment.key,
            size=len(data),
            checksum=checksums.checksum,
            blocks=checksums.blocks,
            at_ms=segment.start_ms,
        )
        done.append(segment.id)
    return done


def remove_local_files(recording_id: int, storage: Storage, segment_ids: list[int]) -> None:
    """Remove the local files of archived segments, as retention does."""
    with database.transaction():
        leaving = begin_leaving(FootageScope(recording_id), segment_ids)
    assert {segment.id for segment in leaving} == set(segment_ids)
    for _, key in leaving_keys(1000):
        storage.delete(key)
    end_leaving(segment_ids)
