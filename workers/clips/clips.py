"""Clips of bookmarks: the footage around a moment as a file of its own, with a picture of the moment. The job.

What comes after the moment is waited for. Whatever of the range is there then becomes the clip, and its notes say what
is missing.
"""

import contextlib
import functools
import logging
import time
from typing import Any

from gateway.captures.bookmarks import CLIP, READY, Bookmark
from gateway.captures.clips import CLIP_CANCELLED, ClipResult, fail_clip, read_clip_work, save_clip, save_poster
from gateway.captures.files import CaptureFiles
from gateway.clock import Clock, SystemClock, utc_now
from gateway.errors import BusUnavailable, LeaseLost, NotFound, Unavailable, VasError
from gateway.footage.cuts import ContiguousRange, cut_footage
from gateway.footage.recordings import find_recording
from gateway.jobs.model import JobAttempt
from gateway.media import ClipFact
from gateway.mp4.movie_writer import estimate_index_bytes
from gateway.redis_client import connect_redis
from gateway.states import DesiredState
from gateway.storage.footage_reader import FootageReader
from gateway.storage.interface import StorageUnavailable
from gateway.storage.local import open_storage
from gateway.streams.bus import MediaBus
from gateway.streams.model import read_stream_record, touch_demand
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from workers.clips.files import ClipFiles
from workers.clips.notes import WORTH_TELLING_MS, write_notes
from workers.clips.poster import ClipPoster
from workers.clips.source import BusSpool, join_footage
from workers.exporting.cut import Cut
from workers.exporting.filling import write_movie
from workers.exporting.source import inspect
from workers.facts import report_fact
from workers.job_runner import JobCancelled, JobContext, JobFailed, retry_until_written

__all__ = ["CLIP", "run_clip"]

log = logging.getLogger(__name__)

#: So long after the end of the range its last part may still come: a camera's picture takes a while to get here.
PATIENCE_MS = 5000
_LOOK_SECONDS = 0.5
_DEMAND_SECONDS = 2.0
#: The share of the progress that waiting has; the rest is for writing.
_WAIT_SHARE = 0.8
_RECEIVING = "receiving"
_CODECS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc"}


def run_clip(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `clip`; parameters: `bookmark_id`. Gives the result of the job.

    Raises JobFailed, and what `context.check` raises. Killed at any moment and run again it makes the clip once.
    """
    bookmark = read_clip_work(attempt)
    if bookmark.clip_state == READY:
        # The worker died between the clip's last word and the job's.
        made = bookmark
        return _result_of(made.id, made.clip_size, made.clip_start_ms, made.clip_end_ms, made.clip_seconds)
    try:
        clip = ClipMaker(attempt, context, bookmark).make()
    except LeaseLost:
        raise
    except JobCancelled:
        _fail(attempt, bookmark, CLIP_CANCELLED)
        raise
    except VasError as error:
        _fail(attempt, bookmark, error.reason, error.message)
        raise
    except Exception:
        _fail(attempt, bookmark, "job_failed")
        raise
    path = str(CaptureFiles.from_config(context.config).path(clip.file))
    fact = ClipFact(
        bookmark.id, clip.start_ms, clip.end_ms, clip.seconds, clip.size, path=path, by_name=bookmark.created_by
    )
    report_fact("on_clip", device_id=bookmark.device_id, clip=fact)
    return _result_of(bookmark.id, clip.size, clip.start_ms, clip.end_ms, clip.seconds) | {"notes": list(clip.notes)}


class ClipMaker:
    """Makes the clip of one bookmark, once."""

    def __init__(
        self, attempt: JobAttempt, context: JobContext, bookmark: Bookmark, *, clock: Clock | None = None
    ) -> None:
        self._attempt, self._context, self._bookmark = attempt, context, bookmark
        self._clock = clock or SystemClock()
        self._start_ms = bookmark.at_ms - bookmark.before_ms
        self._end_ms = bookmark.at_ms + bookmark.after_ms
        self._files = CaptureFiles.from_config(context.config)
        self._own = ClipFiles(self._files, attempt, bookmark)
        self._poster = ClipPoster(self._files, self._own.poster_key, bookmark.at_ms, context.check)
        self._bus_error: BusUnavailable | None = None

    def make(self) -> ClipResult:
        """Make clip and poster, and write them down. Raises VasError where there is no clip; then nothing is left of
        it.
        """
        self._files.check_space(0, floor_bytes=self._context.config.free_bytes_floor)
        folder = self._own.prepare()
        try:
            storage = open_storage(self._context.config)
        except StorageUnavailable as error:
            # What the bus holds needs no disk of recordings.
            log.warning("clip %s is made without recordings: %s", self._bookmark.id, error)
            storage = None
        is_saved = False
        try:
            with BusSpool(
                _bus(self._context.config.bus_redis_url),
                self._bookmark.device_id,
                self._start_ms,
                self._end_ms,
                folder=folder,
                storage=storage,
            ) as spool:
                self._receive(spool)
                clip = self._write_any(spool, self._recorded() if storage else [])
            is_saved = retry_until_written(lambda: save_clip(self._attempt, clip))
            if not is_saved:
                raise LeaseLost(f"the clip of bookmark '{self._bookmark.id}' is made by another job")
        finally:
            if not is_saved:
                self._own.drop()
        self._own.remove_previous(clip)
        return clip

    # ---- what comes from the bus ----

    def _receive(self, spool: BusSpool) -> None:
        """Save what the bus has of the range, and what comes, until that is all or there is nothing to wait for."""
        demanded_at = 0.0
        while not spool.is_complete:
            self._context.check()
            is_over = self._now_ms() > self._end_ms + PATIENCE_MS
            try:
                has_more = spool.take(0.0 if is_over else _LOOK_SECONDS)
                self._bus_error = None
            except BusUnavailable as error:
                log.debug("clip %s waits for the media bus: %s", self._bookmark.id, error)
                self._bus_error, has_more = error, False
                time.sleep(0.0 if is_over else _LOOK_SECONDS)
            if self._poster.make_early(spool):
                self._keep_poster(spool)
            if not has_more and (is_over or self._has_ended()):
                return
            if not is_over and self._clock.monotonic() - demanded_at > _DEMAND_SECONDS:
                demanded_at = self._clock.monotonic()
                self._demand()
            self._context.report(self._progress(spool), _RECEIVING)

    def _keep_poster(self, spool: BusSpool) -> None:
        """The picture is the bookmark's from now on, in place of one of before."""
        try:
            save_poster(self._attempt, self._poster.key, progress=self._progress(spool), stage=_RECEIVING)
        except Unavailable as error:
            log.debug("the picture of bookmark %s is told of with its clip: %s", self._bookmark.id, error)
            return
        if self._bookmark.poster_file:
            self._files.delete(self._bookmark.poster_file)
        self._bookmark.poster_file = self._poster.key

    def _has_ended(self) -> bool:
        """Whether nothing comes any more. A stream that is only interrupted may be back in time."""
        try:
            record = read_stream_record(self._bookmark.device_id)
        except Unavailable:
            return False
        return record is None or not record.enabled or record.desired != DesiredState.RUNNING

    def _demand(self) -> None:
        """A stream that runs while somebody watches goes on until the clip has all of it."""
        with contextlib.suppress(Unavailable):
            touch_demand(EVERY_TENANT, self._bookmark.device_id, utc_now())

    def _progress(self, spool: BusSpool) -> float:
        """How far the job is while it receives, by how much of the range is there."""
        if spool.end_reached_ms is None:
            return 0.0
        received = (spool.end_reached_ms - self._start_ms) / (self._end_ms - self._start_ms)
        return _WAIT_SHARE * min(1.0, max(0.0, received))

    # ---- the clip ----

    def _recorded(self) -> list[ContiguousRange]:
        """What is recorded of the range; a database that is away for a moment is waited for."""
        found: list[ContiguousRange] = []

        def look() -> None:
            self._context.check()
            with contextlib.suppress(NotFound):
                recording = find_recording(TenantScope(self._attempt.tenant_id), self._bookmark.device_id)
                found[:] = cut_footage(recording, self._start_ms, self._end_ms)

        if not retry_until_written(look):
            self._context.check()
            raise Unavailable("the database does not answer", reason="database_unavailable")
        return found

    def _write_any(self, spool: BusSpool, recorded: list[ContiguousRange]) -> ClipResult:
        """The clip; of what was saved alone where the disk of the recordings is away."""
        try:
            return self._write(spool, recorded)
        except StorageUnavailable as error:
            if not spool.pieces():
                raise
            log.warning("clip %s is made without recordings: %s", self._bookmark.id, error)
            return self._write(spool, [])

    def _write(self, spool: BusSpool, recorded: list[ContiguousRange]) -> ClipResult:
        stretches = join_footage(recorded, spool.pieces(), self._start_ms, self._end_ms)
        if not stretches:
            if self._bus_error is not None:
                raise self._bus_error
            raise JobFailed("no_footage", "none of it was recorded, and the media bus does not hold it any more")
        self._keep_better(stretches)
        index_bytes = estimate_index_bytes(
            sum(one.frames for one in stretches),
            sum(one.parts for one in stretches),
            sum(one.end_ms - one.start_ms for one in stretches if one.has_audio) / 1000,
        )
        needed = sum(one.size for one in stretches) + index_bytes
        self._files.check_space(needed, floor_bytes=self._context.config.free_bytes_floor)
        self._poster.make(spool, recorded, stretches)
        reader = FootageReader(spool, self._context.check)
        source = inspect(stretches, reader, is_exact=False)
        if not source.stretches:
            raise JobFailed("footage_damaged", "nothing of this range can be read")
        with self._files.open(self._own.clip_key) as sink:
            cut = Cut(
                _Tail(self._context),
                source,
                reader,
                sink,
                start_ms=self._start_ms,
                end_ms=self._end_ms,
                is_exact=False,
                index_bytes=index_bytes,
            )
            seconds = write_movie(cut)
            self._context.check()
            size = sink.keep()
        return ClipResult(
            file=self._own.clip_key,
            size=size,
            start_ms=cut.first_ms,
            end_ms=cut.last_ms,
            seconds=round(seconds, 3),
            codec=_CODECS.get(cut.video_format.codec, cut.video_format.codec),
            notes=tuple(write_notes(cut, self._start_ms, self._end_ms, self._bookmark.at_ms)),
            poster_file=self._poster.key if self._poster.is_made else None,
        )

    def _keep_better(self, stretches: list[ContiguousRange]) -> None:
        """Raise JobFailed where the clip of before shows more of the range: footage goes with time, a clip does not."""
        before = self._bookmark
        if before.clip_file is None:
            return
        covered = sum(self._overlap(one.start_ms, one.end_ms) for one in stretches)
        shown = min(self._overlap(before.clip_start_ms, before.clip_end_ms), before.clip_seconds * 1000)
        if covered + WORTH_TELLING_MS < shown:
            raise JobFailed("no_footage", "there is less footage now than the clip shows: it stays as it is")

    def _overlap(self, start_ms: int, end_ms: int) -> int:
        return max(0, min(end_ms, self._end_ms) - max(start_ms, self._start_ms))

    def _now_ms(self) -> float:
        return self._clock.wall() * 1000


class _Tail:
    """A job's context whose progress begins where waiting has ended."""

    def __init__(self, context: JobContext) -> None:
        self.config, self.attempt, self.check = context.config, context.attempt, context.check
        self._context = context

    def report(self, progress: float, stage: str) -> None:
        self._context.report(_WAIT_SHARE + (1 - _WAIT_SHARE) * progress, stage)


def _fail(attempt: JobAttempt, bookmark: Bookmark, code: str, message: str | None = None) -> None:
    if retry_until_written(lambda: fail_clip(attempt, code, message)):
        fact = ClipFact(bookmark.id, reason=code, by_name=bookmark.created_by)
        report_fact("on_clip", device_id=bookmark.device_id, clip=fact)


def _result_of(bookmark_id: str, size: int, start_ms: int, end_ms: int, seconds: float) -> dict[str, Any]:
    return {
        "bookmark_id": bookmark_id,
        "size": size,
        "content_type": "video/mp4",
        "start_ms": start_ms,
        "end_ms": end_ms,
        "duration_seconds": seconds,
    }


@functools.cache
def _bus(url: str) -> MediaBus:
    return MediaBus(connect_redis(url))
