"""The clip job of bookmarks: the footage around a moment as a separate file, with a picture of the moment.

The job waits for the footage after the moment. The clip contains what is available of the range then, and its notes
describe what is missing.
"""

import contextlib
import functools
import logging
import time
from typing import Any

from gateway import database
from gateway.captures.bookmarks import CLIP, READY, Bookmark
from gateway.captures.clips import CLIP_CANCELLED, ClipResult, fail_clip, read_clip_work, save_clip, save_poster
from gateway.captures.files import CaptureFiles
from gateway.clock import Clock
from gateway.errors import BusUnavailable, JobFailed, LeaseLost, NotFound, Unavailable, VasError
from gateway.footage.cuts import ContiguousRange, cut_footage
from gateway.footage.recordings import find_recording
from gateway.jobs.attempts import JobAttempt
from gateway.media import ClipFact
from gateway.mp4.movie_writer import estimate_index_bytes
from gateway.redis_client import connect_redis
from gateway.service_clock import ServiceClock
from gateway.states import DesiredState
from gateway.storage.footage_reader import FootageReader
from gateway.storage.interface import StorageUnavailable
from gateway.streams.bus import MediaBus
from gateway.streams.model import touch_demand
from gateway.streams.queries import read_stream_record
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from workers.clips.files import ClipFiles
from workers.clips.notes import MIN_NOTED_MS, describe_missing
from workers.clips.poster import ClipPoster
from workers.clips.source import BusSpool, join_footage
from workers.exporting.cut import Cut
from workers.exporting.source import inspect
from workers.exporting.writing import write_movie
from workers.facts import report_fact
from workers.footage import open_worker_footage
from workers.job_runner import JobCancelled, JobContext, retry_until_written

__all__ = ["CLIP", "run_clip"]

log = logging.getLogger(__name__)

#: The last part of a range may arrive this long after the range's end, because of the latency of the camera.
PATIENCE_MS = 5000
_BUS_WAIT_SECONDS = 0.5
_DEMAND_INTERVAL_SECONDS = 2.0
#: Share of the progress for receiving; the rest is for writing.
_RECEIVE_SHARE = 0.8
_RECEIVING = "receiving"
_CODECS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc"}


def run_clip(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `clip` with the parameter `bookmark_id`; return the job's result.

    Raises JobFailed, and any exception of `context.check`. A job that is killed and run again makes the clip only once.
    """
    bookmark = read_clip_work(attempt)
    if bookmark.clip_state == READY:
        # The worker died after it saved the clip and before the job was finished.
        made = bookmark
        return _result_of(made.id, made.clip_size, made.clip_start_ms, made.clip_end_ms, made.clip_seconds)
    try:
        clip = ClipMaker(attempt, context, bookmark).make()
    except LeaseLost:
        raise
    except JobCancelled:
        _fail(attempt, bookmark, CLIP_CANCELLED.code)
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
        self._clock = clock or ServiceClock()
        self._start_ms = bookmark.at_ms - bookmark.before_ms
        self._end_ms = bookmark.at_ms + bookmark.after_ms
        self._files = CaptureFiles.from_config(context.config)
        self._attempt_files = ClipFiles(self._files, attempt, bookmark)
        self._poster = ClipPoster(self._files, self._attempt_files.poster_key, bookmark.at_ms, context.check)
        self._bus_error: BusUnavailable | None = None

    def make(self) -> ClipResult:
        """Make clip and poster, and save them. Raises VasError where there is no clip, and then leaves no files."""
        self._files.check_space(0, floor_bytes=self._context.config.free_bytes_floor)
        folder = self._attempt_files.prepare()
        try:
            storage = open_worker_footage(self._context.config)
        except StorageUnavailable as error:
            # Footage on the bus does not need the storage of recordings.
            log.warning("clip %s is made without recordings: %s", self._bookmark.id, error)
            storage = None
        is_saved = False
        try:
            with BusSpool(
                _connect_bus(self._context.config.bus_redis_url),
                self._bookmark.device_id,
                self._start_ms,
                self._end_ms,
                folder=folder,
                storage=storage,
            ) as spool:
                self._receive(spool)
                clip = self._write_available(spool, self._find_recorded() if storage else [])
            is_saved = retry_until_written(lambda: save_clip(self._attempt, clip))
            if not is_saved:
                raise LeaseLost(f"the clip of bookmark '{self._bookmark.id}' is made by another job")
        finally:
            if not is_saved:
                self._attempt_files.drop()
        self._attempt_files.remove_previous(clip)
        return clip

    # ---- footage from the bus ----

    def _receive(self, spool: BusSpool) -> None:
        """Save the range's parts from the bus until all were received, or no more are expected."""
        demanded_at = 0.0
        while not spool.is_complete:
            self._context.check()
            is_over = self._now_ms() > self._end_ms + PATIENCE_MS
            try:
                has_more = spool.take(0.0 if is_over else _BUS_WAIT_SECONDS)
                self._bus_error = None
            except BusUnavailable as error:
                log.debug("clip %s waits for the media bus: %s", self._bookmark.id, error)
                self._bus_error, has_more = error, False
                time.sleep(0.0 if is_over else _BUS_WAIT_SECONDS)
            if self._poster.make_early(spool):
                self._keep_poster(spool)
            if not has_more and (is_over or self._has_ended()):
                return
            if not is_over and self._clock.monotonic() - demanded_at > _DEMAND_INTERVAL_SECONDS:
                demanded_at = self._clock.monotonic()
                self._demand()
            self._context.report(self._progress(spool), _RECEIVING)

    def _keep_poster(self, spool: BusSpool) -> None:
        """Save the picture as the bookmark's, in place of an earlier one."""
        try:
            save_poster(self._attempt, self._poster.key, progress=self._progress(spool), stage=_RECEIVING)
        except Unavailable as error:
            log.debug("the picture of bookmark %s is saved with its clip: %s", self._bookmark.id, error)
            return
        if self._bookmark.poster_file:
            self._files.delete(self._bookmark.poster_file)
        self._bookmark.poster_file = self._poster.key

    def _has_ended(self) -> bool:
        """Whether no more parts are expected. A stream that is only interrupted may be back in time."""
        try:
            record = read_stream_record(self._bookmark.device_id)
        except Unavailable:
            return False
        return record is None or not record.enabled or record.desired != DesiredState.RUNNING

    def _demand(self) -> None:
        """Keep an on-demand stream running until the clip has all of its range."""
        with contextlib.suppress(Unavailable):
            touch_demand(EVERY_TENANT, self._bookmark.device_id, database.now())

    def _progress(self, spool: BusSpool) -> float:
        """The progress while receiving, by the share of the range that was received."""
        if spool.end_reached_ms is None:
            return 0.0
        received = (spool.end_reached_ms - self._start_ms) / (self._end_ms - self._start_ms)
        return _RECEIVE_SHARE * min(1.0, max(0.0, received))

    # ---- the clip ----

    def _find_recorded(self) -> list[ContiguousRange]:
        """The recorded footage of the range; retried while the database does not answer."""
        found: list[ContiguousRange] = []

        def cut_recorded() -> None:
            self._context.check()
            with contextlib.suppress(NotFound):
                recording = find_recording(TenantScope(self._attempt.tenant_id), self._bookmark.device_id)
                found[:] = cut_footage(recording, self._start_ms, self._end_ms)

        if not retry_until_written(cut_recorded):
            self._context.check()
            raise Unavailable("the database does not answer", reason="database_unavailable")
        return found

    def _write_available(self, spool: BusSpool, recorded: list[ContiguousRange]) -> ClipResult:
        """Write the clip; only from the saved parts where the storage of recordings is unavailable."""
        try:
            return self._write(spool, recorded)
        except StorageUnavailable as error:
            if not spool.pieces():
                raise
            log.warning("clip %s is made without recordings: %s", self._bookmark.id, error)
            return self._write(spool, [])

    def _write(self, spool: BusSpool, recorded: list[ContiguousRange]) -> ClipResult:
        ranges = join_footage(recorded, spool.pieces(), self._start_ms, self._end_ms)
        if not ranges:
            if self._bus_error is not None:
                raise self._bus_error
            raise JobFailed("no_footage", "none of it was recorded, and it is no longer on the media bus")
        self._refuse_less_footage(ranges)
        index_bytes = estimate_index_bytes(
            sum(one.frames for one in ranges),
            sum(one.parts for one in ranges),
            sum(one.end_ms - one.start_ms for one in ranges if one.has_audio) / 1000,
        )
        needed = sum(one.size for one in ranges) + index_bytes
        self._files.check_space(needed, floor_bytes=self._context.config.free_bytes_floor)
        self._poster.make(spool, recorded, ranges)
        reader = FootageReader(spool, self._context.check)
        source = inspect(ranges, reader, is_exact=False)
        if not source.ranges:
            raise JobFailed("footage_damaged", "nothing of this range can be read")
        with self._files.open(self._attempt_files.clip_key) as sink:
            cut = Cut(
                _WritingContext(self._context),
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
            file=self._attempt_files.clip_key,
            size=size,
            start_ms=cut.first_ms,
            end_ms=cut.last_ms,
            seconds=round(seconds, 3),
            codec=_CODECS.get(cut.video_format.codec, cut.video_format.codec),
            notes=tuple(describe_missing(cut, self._start_ms, self._end_ms, self._bookmark.at_ms)),
            poster_file=self._poster.key if self._poster.is_made else None,
        )

    def _refuse_less_footage(self, ranges: list[ContiguousRange]) -> None:
        """Raise JobFailed where the existing clip has more of the range: footage expires, a clip does not."""
        before = self._bookmark
        if before.clip_file is None:
            return
        covered = sum(self._overlap(one.start_ms, one.end_ms) for one in ranges)
        shown = min(self._overlap(before.clip_start_ms, before.clip_end_ms), before.clip_seconds * 1000)
        if covered + MIN_NOTED_MS < shown:
            raise JobFailed("no_footage", "there is less footage now than the clip shows: the clip is kept as it is")

    def _overlap(self, start_ms: int, end_ms: int) -> int:
        return max(0, min(end_ms, self._end_ms) - max(start_ms, self._start_ms))

    def _now_ms(self) -> float:
        return self._clock.wall() * 1000


class _WritingContext:
    """A job's context whose progress begins at the end of receiving."""

    def __init__(self, context: JobContext) -> None:
        self.config, self.attempt, self.check = context.config, context.attempt, context.check
        self._context = context

    def report(self, progress: float, stage: str) -> None:
        self._context.report(_RECEIVE_SHARE + (1 - _RECEIVE_SHARE) * progress, stage)


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
def _connect_bus(url: str) -> MediaBus:
    return MediaBus(connect_redis(url))
