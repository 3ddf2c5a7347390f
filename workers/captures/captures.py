"""Captures: finds and decodes a requested picture, stores it as a file and a row, and reports it to plugins.

The same function serves callers that wait (workers/capture_service.py answers them) and the jobs of callers that no
longer wait (`run_snapshot`). A repeated request makes a snapshot only once: its id is the key of its row.
"""

import logging
import secrets
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.captures.files import SNAPSHOTS, CaptureFiles
from gateway.captures.queue import HISTORICAL, KEY_FRAME, POSTER, CaptureAnswer, CaptureRequest
from gateway.captures.snapshots import NewSnapshot, find_moment, save_snapshot
from gateway.config import Config
from gateway.errors import JobFailed, NotFound, VasError
from gateway.footage.recordings import Recording, find_recording
from gateway.jobs.attempts import JobAttempt
from gateway.media import SnapshotFact
from gateway.redis_client import connect_redis
from gateway.streams.bus import MediaBus
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from workers.captures.picture_cache import PictureCache
from workers.captures.picture_sources import FoundFrame, NoPicture, PictureSources
from workers.captures.pictures import Picture, make_picture
from workers.facts import report_fact
from workers.footage import open_worker_footage
from workers.job_runner import JobContext

log = logging.getLogger(__name__)

#: The kind of the jobs that take a snapshot; parameters: a CaptureRequest as a dictionary.
SNAPSHOT = "snapshot"

_CACHE_BYTES = 32 << 20
#: Maximum size of a picture on the disk.
_MAX_PICTURE_BYTES = 16 << 20


class ForeignDevice(NoPicture):
    """The request names a device of another tenant, which no caller of ours does. Looks like a deleted one."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a request, and the fact to report to plugins; None for a poster or a known snapshot."""

    answer: CaptureAnswer
    device_id: str = ""
    fact: SnapshotFact | None = None

    def report(self) -> None:
        """Report the snapshot to plugins. Called after the answer: the caller does not wait for plugins."""
        if self.fact is not None:
            report_fact("on_snapshot", device_id=self.device_id, snapshot=self.fact)


class Captures:
    """Takes pictures; at most `decoders` are decoded at once. Every method may be called from any thread."""

    def __init__(self, config: Config, sources: PictureSources, *, decoders: int) -> None:
        self._config = config
        self._sources = sources
        self._files = CaptureFiles.from_config(config)
        self._cache = PictureCache(_CACHE_BYTES)
        self._decoders = threading.BoundedSemaphore(decoders)

    @classmethod
    def from_config(cls, config: Config) -> "Captures":
        """With the bus and the storage in the settings."""
        bus = MediaBus(connect_redis(config.bus_redis_url))
        return cls(config, PictureSources(bus, open_worker_footage(config)), decoders=config.snapshot_threads)

    def capture(self, request: CaptureRequest) -> Taken:
        """Take the snapshot or poster of a request. Raises VasError with the reason of a failure."""
        scope = TenantScope(request.tenant_id)
        if request.what == POSTER:
            picture = self._take_poster(scope, request)
            return Taken(CaptureAnswer(at_ms=picture.at_ms, picture=picture.jpeg))
        known = find_moment(scope, request.id)
        return self._take_snapshot(scope, request) if known is None else Taken(CaptureAnswer(at_ms=known))

    def _take_snapshot(self, scope: TenantScope, request: CaptureRequest) -> Taken:
        recording = _find(scope, request.device_id)
        floor = self._config.free_bytes_floor
        self._files.check_space(_MAX_PICTURE_BYTES, floor_bytes=floor)
        picture = self._picture(self._find(recording, request), None)
        key = self._files.key(SNAPSHOTS, scope.tenant_id, f"{request.id}-{secrets.token_hex(4)}.jpg")
        new = NewSnapshot(
            id=request.id,
            device_id=recording.device_id,
            device_name=recording.device.name,
            at_ms=picture.at_ms,
            kind=request.kind,
            width=picture.width,
            height=picture.height,
            size=len(picture.jpeg),
            file=key,
            tags=request.tags,
            note=request.note,
            created_by=request.created_by,
            schedule_id=request.schedule_id,
        )
        self._files.write(key, picture.jpeg)
        # If the database fails, the row may or may not exist: then the file is left to the cleanup.
        if not save_snapshot(scope, new):
            self._files.delete(key)
            return Taken(CaptureAnswer(at_ms=find_moment(scope, request.id)))
        fact = SnapshotFact(
            new.id,
            new.kind,
            new.at_ms,
            new.width,
            new.height,
            new.size,
            new.tags,
            str(self._files.path(new.file)),
            new.created_by,
        )
        return Taken(CaptureAnswer(at_ms=new.at_ms), new.device_id, fact)

    def _find(self, recording: Recording, request: CaptureRequest) -> FoundFrame:
        if request.kind == HISTORICAL and request.at_ms is not None:
            return self._sources.find_recorded(recording, request.at_ms, request.accuracy)
        return self._sources.find_live(recording.device_id, request.accuracy)

    def _take_poster(self, scope: TenantScope, request: CaptureRequest) -> Picture:
        recording = _find(scope, request.device_id)
        try:
            found = self._sources.find_live(recording.device_id, KEY_FRAME)
        except NoPicture:
            last = self._sources.find_last_recorded(recording)
            if last is None:
                raise
            found = last
        return self._picture(found, request.width)

    def _picture(self, found: FoundFrame, width: int | None) -> Picture:
        def make() -> Picture:
            with self._decoders:
                return make_picture(found.decode(), width=width)

        return self._cache.get((found.key, width), make)


def format_failure(error: VasError) -> CaptureAnswer:
    """The answer for a picture that cannot be taken."""
    before, after = None, None
    if isinstance(error, NoPicture):
        before, after = error.nearest_before_ms, error.nearest_after_ms
    return CaptureAnswer(error.reason, error.message, nearest_before_ms=before, nearest_after_ms=after)


def run_snapshot(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `snapshot`; returns `snapshot_id` and `at_ms`. Raises JobFailed."""
    request = CaptureRequest.from_dict({**attempt.parameters, "tenant_id": attempt.tenant_id})
    context.report(0.1, "decoding")
    try:
        taken = _captures_of(context.config).capture(request)
    except VasError as error:
        raise JobFailed(error.reason, error.message) from error
    taken.report()
    return {"snapshot_id": request.id, "at_ms": taken.answer.at_ms}


@lru_cache(maxsize=1)
def _captures_of(config: Config) -> Captures:
    return Captures.from_config(config)


def _find(scope: TenantScope, device_id: str) -> Recording:
    try:
        return find_recording(scope, device_id)
    except NotFound:
        pass
    try:
        find_recording(EVERY_TENANT, device_id)
    except NotFound:
        raise NoPicture("the device was deleted", reason="device_deleted") from None
    raise ForeignDevice("the device was deleted", reason="device_deleted")
