"""The files of one attempt at a clip: how they are called, and what goes when it fails or has made a newer one."""

import contextlib
from pathlib import Path

from gateway import database
from gateway.capture_files import CLIPS, CaptureFiles
from gateway.errors import Unavailable
from gateway.models.base import EVERY_TENANT
from gateway.models.bookmarks import Bookmark
from gateway.models.clips import ClipResult
from gateway.models.jobs import JobAttempt


class ClipFiles:
    """The clip and the picture of a bookmark as one attempt writes them, under keys that no other attempt has."""

    def __init__(self, files: CaptureFiles, attempt: JobAttempt, bookmark: Bookmark) -> None:
        self._files, self._bookmark = files, bookmark
        stem = f"{bookmark.id}-{attempt.token.rpartition(':')[2]}"
        self.clip_key = files.key(CLIPS, attempt.tenant_id, f"{stem}.mp4")
        self.poster_key = files.key(CLIPS, attempt.tenant_id, f"{stem}.jpg")

    def prepare(self) -> Path:
        """The folder of the files, rid of what attempts that were killed have left of this bookmark."""
        folder = self._files.make_folder(self.clip_key)
        kept = {key.rpartition("/")[2] for key in (self._bookmark.clip_file, self._bookmark.poster_file) if key}
        for pattern in (f"{self._bookmark.id}-*", f".{self._bookmark.id}-*"):
            for path in folder.glob(pattern):
                if path.name not in kept:
                    path.unlink(missing_ok=True)
        return folder

    def drop(self) -> None:
        """Remove what this attempt wrote, unless the bookmark has it: the database may have died while it answered."""
        with contextlib.suppress(Unavailable):
            with database.session():
                row = EVERY_TENANT.select(Bookmark).where(Bookmark.id == self._bookmark.id).first()
            for key in (self.clip_key, self.poster_key):
                if row is None or key not in (row.clip_file, row.poster_file):
                    self._files.delete(key)

    def remove_previous(self, clip: ClipResult) -> None:
        """Remove the clip and the picture in whose place the new ones are."""
        before = self._bookmark
        for key, now in ((before.clip_file, clip.file), (before.poster_file, clip.poster_file or before.poster_file)):
            if key and key != now:
                self._files.delete(key)
