"""The files of one attempt at a clip: their names, and their removal after a failure or a newer clip."""

from pathlib import Path

from gateway import database
from gateway.captures.bookmarks import Bookmark
from gateway.captures.clips import ClipResult
from gateway.captures.files import CLIPS, CaptureFiles
from gateway.errors import Unavailable
from gateway.jobs.attempts import JobAttempt
from gateway.tenancy.scopes import EVERY_TENANT


class ClipFiles:
    """The clip and the picture that one attempt writes for a bookmark, under keys that no other attempt uses."""

    def __init__(self, files: CaptureFiles, attempt: JobAttempt, bookmark: Bookmark) -> None:
        self._files, self._bookmark = files, bookmark
        # The prefix of a name limits the files that an attempt may remove: the jobs of a bookmark may overlap.
        self._job_stem = f"{bookmark.id}-{attempt.id[:8]}"
        stem = f"{self._job_stem}-{attempt.token.rpartition(':')[2]}"
        self.clip_key = files.key(CLIPS, attempt.tenant_id, f"{stem}.mp4")
        self.poster_key = files.key(CLIPS, attempt.tenant_id, f"{stem}.jpg")

    def prepare(self) -> Path:
        """The folder of the files, without files of killed attempts at the same job."""
        folder = self._files.make_folder(self.clip_key)
        left = [path for prefix in (self._job_stem, f".{self._job_stem}") for path in folder.glob(f"{prefix}-*")]
        if left and (kept := self._kept()) is not None:
            for path in left:
                if path.name not in kept:
                    path.unlink(missing_ok=True)
        return folder

    def drop(self) -> None:
        """Remove this attempt's files, unless the bookmark has them: the database may have failed after saving."""
        kept = self._kept()
        for key in (self.clip_key, self.poster_key):
            if kept is not None and _name(key) not in kept:
                self._files.delete(key)

    def remove_previous(self, clip: ClipResult) -> None:
        """Remove the clip and the picture that the new ones replace."""
        before = self._bookmark
        for key, now in ((before.clip_file, clip.file), (before.poster_file, clip.poster_file or before.poster_file)):
            if key and key != now:
                self._files.delete(key)

    def _kept(self) -> set[str] | None:
        """The names of the bookmark's current files; None where the database does not answer."""
        try:
            with database.session():
                row = EVERY_TENANT.select(Bookmark).where(Bookmark.id == self._bookmark.id).first()
        except Unavailable:
            return None
        return {_name(key) for key in (row.clip_file, row.poster_file) if key} if row is not None else set()


def _name(key: str) -> str:
    return key.rpartition("/")[2]
