"""The files of one attempt at a clip: how they are called, and what goes when it fails or has made a newer one."""

from pathlib import Path

from gateway import database
from gateway.captures.bookmarks import Bookmark
from gateway.captures.clips import ClipResult
from gateway.captures.files import CLIPS, CaptureFiles
from gateway.errors import Unavailable
from gateway.jobs.attempts import JobAttempt
from gateway.tenancy.scopes import EVERY_TENANT


class ClipFiles:
    """The clip and the picture of a bookmark as one attempt writes them, under keys that no other attempt has."""

    def __init__(self, files: CaptureFiles, attempt: JobAttempt, bookmark: Bookmark) -> None:
        self._files, self._bookmark = files, bookmark
        # A name begins with what an attempt may clear away: the bookmark has one job after the other, which may
        # overlap.
        self._job_stem = f"{bookmark.id}-{attempt.id[:8]}"
        stem = f"{self._job_stem}-{attempt.token.rpartition(':')[2]}"
        self.clip_key = files.key(CLIPS, attempt.tenant_id, f"{stem}.mp4")
        self.poster_key = files.key(CLIPS, attempt.tenant_id, f"{stem}.jpg")

    def prepare(self) -> Path:
        """The folder of the files, rid of what attempts at the same job have left that were killed."""
        folder = self._files.make_folder(self.clip_key)
        left = [path for begin in (self._job_stem, f".{self._job_stem}") for path in folder.glob(f"{begin}-*")]
        if left and (kept := self._kept()) is not None:
            for path in left:
                if path.name not in kept:
                    path.unlink(missing_ok=True)
        return folder

    def drop(self) -> None:
        """Remove what this attempt wrote, unless the bookmark has it: the database may have died while it answered."""
        kept = self._kept()
        for key in (self.clip_key, self.poster_key):
            if kept is not None and _name(key) not in kept:
                self._files.delete(key)

    def remove_previous(self, clip: ClipResult) -> None:
        """Remove the clip and the picture in whose place the new ones are."""
        before = self._bookmark
        for key, now in ((before.clip_file, clip.file), (before.poster_file, clip.poster_file or before.poster_file)):
            if key and key != now:
                self._files.delete(key)

    def _kept(self) -> set[str] | None:
        """The names of the files that are the bookmark's now; None where the database does not answer."""
        try:
            with database.session():
                row = EVERY_TENANT.select(Bookmark).where(Bookmark.id == self._bookmark.id).first()
        except Unavailable:
            return None
        return {_name(key) for key in (row.clip_file, row.poster_file) if key} if row is not None else set()


def _name(key: str) -> str:
    return key.rpartition("/")[2]
