"""A day of footage that is planted file by file, uploaded to real S3 storage, and deleted locally by retention."""

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway import database
from gateway.archive.storage import CACHE_FOLDER
from tests.playback import Clip, FootageFactory, make_clip
from tests.stack import Stack
from tests.stack.object_store import ACCESS_KEY, REGION, SECRET_KEY, S3Server

DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
FPS = 2
#: The day before yesterday: a local retention of one day deletes all of it.
START_MS = int(time.time() * 1000) // DAY_MS * DAY_MS - 2 * DAY_MS
#: What is recorded of each hour.
MINUTES = 12
MORNING, NOON, EVENING = 7 * 60 + 5, 13 * 60, 20 * 60
#: Minutes whose pictures have numbers of their own; the others share the footage of one.
MARKED = (MORNING - 1, MORNING, MORNING + 1, NOON, NOON + 1, *range(EVENING, EVENING + 4))
_OPTIONS = "/plugins/s3_archiver/options"


def spell(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def at(minute: int, seconds: float = 0) -> float:
    """The moment of a minute of the day."""
    return START_MS + minute * MINUTE_MS + seconds * 1000


def number_at(minute: int, seconds: float = 0) -> int:
    """The number in the picture that is shown at a moment of a marked minute."""
    return minute * 60 * FPS + int(seconds * FPS)


@dataclass
class ArchivedDay:
    """A device with a whole day of footage, and the storage."""

    stack: Stack
    server: S3Server
    footage: FootageFactory
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: int = 0
    #: Results of the same requests while the files were on the local disk.
    local: dict[str, Any] = field(default_factory=dict)

    @property
    def device_id(self) -> str:
        return self.footage.device_id

    @property
    def url(self) -> str:
        """Of the recording, below the API."""
        return f"/recordings/devices/{self.device_id}"

    @property
    def lapse_url(self) -> str:
        return f"/snapshots/devices/{self.device_id}/time-lapse"

    def recording(self) -> dict[str, Any]:
        return self.stack.api.get(self.url)

    def plant(self) -> None:
        """Record the first minutes of each hour, a file a minute."""
        clips = {minute: _make_minute(minute) for minute in MARKED}
        shared = _make_minute(0)
        began = time.monotonic()
        for hour in range(24):
            with database.transaction():
                for minute in range(hour * 60, hour * 60 + MINUTES):
                    clip = clips.get(minute, shared)
                    (file,) = self.footage.record(clip, START_MS + minute * MINUTE_MS)
                    self.bytes += file.values.size
        self.seconds["planted"] = time.monotonic() - began

    def set_bucket(self, bucket: str | None = None) -> None:
        """Archive everything into the server's bucket; nothing without one."""
        values = {"bucket": "", "concurrency": 4}
        if bucket is not None:
            values |= {"bucket": bucket, "endpoint": self.server.url, "allow_http": True, "region": REGION}
            values |= {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "prefix": "site"}
        self.stack.api.put(_OPTIONS, {"values": values})

    def places(self) -> list[tuple[str, str, str]]:
        """Where the timeline says that the day lies: start, end and place of each range."""
        timeline = self.stack.api.get(f"{self.url}/timeline", start=spell(START_MS), end=spell(START_MS + DAY_MS))
        return [(one["start"], one["end"], one["place"]) for one in timeline["places"]]

    def wait_archived(self, seconds: float) -> None:
        """Wait until every byte has a verified copy."""
        began = time.monotonic()
        self.stack.wait_until(
            lambda: self.recording()["archived_bytes"] == self.bytes, seconds, "the whole day is in the storage"
        )
        self.seconds["uploaded"] = time.monotonic() - began

    def wait_local_files_gone(self, seconds: float) -> None:
        """Keep local files for a day; wait until retention has deleted them."""
        began = time.monotonic()
        self.stack.api.patch(self.url, {"keep_days": 1})
        self.stack.wait_until(lambda: self.recording()["local_bytes"] == 0, seconds, "retention chose the local files")
        self.stack.wait_until(lambda: not self.local_files(), seconds, "retention deleted the local files")
        self.seconds["deleted"] = time.monotonic() - began

    def local_files(self) -> list[Path]:
        return list((self.stack.folder / "recordings").glob(f"*/{self.device_id}/**/*.mp4"))

    def forget_what_was_read(self) -> None:
        """Empty the disk cache of what was read from the storage."""
        shutil.rmtree(self.stack.folder / "var" / CACHE_FOLDER, ignore_errors=True)

    def run_job(self, path: str, body: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        """Start a job and wait for its end; returns the job with `seconds` that it took."""
        began = time.monotonic()
        job_id = self.stack.api.post(path, body)["id"]
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.stack.api.get(f"/jobs/{job_id}"))
            return found["state"] in ("done", "failed")

        self.stack.wait_until(is_over, seconds, f"the job {path} has ended")
        return found | {"seconds": time.monotonic() - began}

    def download(self, job: dict[str, Any]) -> bytes:
        assert job["state"] == "done", job
        return self.stack.api.raw(f"/jobs/{job['id']}/result").content

    def close(self) -> None:
        with suppress(Exception):
            self.set_bucket(None)


def _make_minute(minute: int) -> Clip:
    return make_clip(seconds=60, fps=FPS, key_seconds=2, part_seconds=2, first_frame=number_at(minute))
