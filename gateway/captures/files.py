"""The files of snapshots and clips: `CAPTURES_DIR/{folder}/{tenant}/{2 letters}/{name}`, each complete and durable."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.config import Config
from gateway.errors import NotFound
from gateway.file_clock import measure_file_clock
from gateway.jobs.files import SPARE_BYTES, ExportSpaceMissing, Owner, ResultFile, format_bytes, format_failure

SNAPSHOTS, CLIPS = FOLDERS = ("snapshots", "clips")

_CAPTURES = Owner("snapshots and clips", "captures_unwritable")


class CaptureFiles:
    """Files by their keys (`snapshots/{tenant}/{2 letters}/{name}`), which rows store; only `key` builds keys."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def from_config(cls, config: Config) -> "CaptureFiles":
        return cls(config.captures_dir)

    @staticmethod
    def key(folder: str, tenant_id: str, name: str) -> str:
        """The key of a new file; `name` begins with the id of its snapshot or bookmark."""
        return f"{folder}/{tenant_id}/{name[:2]}/{name}"

    def path(self, key: str) -> Path:
        """The path of a file. Raises ValueError for an invalid key."""
        parts = key.split("/")
        if len(parts) != 4 or parts[0] not in FOLDERS or any(not part or part.startswith(".") for part in parts):
            raise ValueError(f"{key!r} is not the key of a capture")
        return self.root.joinpath(*parts)

    def open(self, key: str) -> ResultFile:
        """Open a new file for writing; without `keep` it is deleted on exit."""
        path = self.path(key)
        return ResultFile(path.parent, path.name, owner=_CAPTURES)

    def make_folder(self, key: str) -> Path:
        """The folder of a file, created if it is missing. Raises Unavailable `captures_unwritable`."""
        folder = self.path(key).parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        except OSError as error:
            raise format_failure(error, folder, _CAPTURES) from error
        return folder

    def write(self, key: str, data: bytes) -> None:
        """Write a whole file. Raises ExportSpaceMissing `disk_full`, Unavailable."""
        path = self.path(key)
        # An attempt that was killed may have left its draft.
        with contextlib.suppress(OSError):
            path.with_name(f".{path.name}.part").unlink()
        with self.open(key) as file:
            file.write(data)
            file.keep()

    def read(self, key: str) -> bytes:
        """Read a whole file. Raises NotFound `file_missing`."""
        try:
            return self.path(key).read_bytes()
        except FileNotFoundError:
            raise NotFound("the file is missing on the disk", reason="file_missing") from None

    def delete(self, key: str) -> None:
        """Delete a file; a missing one is no error."""
        self.path(key).unlink(missing_ok=True)

    def check_space(self, needed_bytes: int, *, floor_bytes: int = 0) -> None:
        """Raise ExportSpaceMissing `disk_full` if a file of this size would take space that must stay free.

        Raises Unavailable `captures_unwritable` if the folder is missing and cannot be created.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
            free = shutil.disk_usage(self.root).free
        except OSError as error:
            raise format_failure(error, self.root, _CAPTURES) from error
        floor = max(SPARE_BYTES, floor_bytes)
        if free - needed_bytes < floor:
            raise ExportSpaceMissing(
                f"the disk of snapshots and clips has {format_bytes(free)} left, and {format_bytes(floor)} must stay "
                "free: make room, or delete some of them"
            )

    def old_files(self, older_than_seconds: float) -> Iterator[tuple[str, Path]]:
        """Key and path of each file that was not modified for this long; drafts are included, with an empty key."""
        before = time.time() + measure_file_clock(self.root) - older_than_seconds
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                try:
                    if path.stat().st_mtime < before:
                        yield ("" if name.startswith(".") else path.relative_to(self.root).as_posix()), path
                except FileNotFoundError:
                    continue
