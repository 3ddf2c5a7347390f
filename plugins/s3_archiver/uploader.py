"""The uploading service: threads that upload, a loop that finds what waits, and pauses while the storage is away."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from gateway.plugin_api import DatabaseUnavailable
from plugins.s3_archiver.bucket import Bucket
from plugins.s3_archiver.failures import StoreFailure
from plugins.s3_archiver.gone import GoneObjects
from plugins.s3_archiver.leftovers import clean_leftovers
from plugins.s3_archiver.limits import Bandwidth, Stopped, pause_after, seconds_until_open
from plugins.s3_archiver.outbox import Item, Outbox
from plugins.s3_archiver.settings import BucketSettings, Settings, UploadSettings
from plugins.s3_archiver.status import Meter, Status, Waiting, build_status
from plugins.s3_archiver.upload import upload_file

log = logging.getLogger(__name__)

#: How often the rows are asked for new files while nothing waits.
_POLL_SECONDS = 5.0
#: How often the backlog is counted and the state published.
_COUNT_SECONDS = 10.0
_STATUS_SECONDS = 2.0
#: How often objects are compared with what they belong to.
_GONE_SECONDS = 30.0
#: Multipart uploads of killed processes are looked for at the start and then this often.
_CLEAN_SECONDS = 6 * 3600.0
#: An upload that sends nothing for so long is reported; it ends by itself after minutes.
STALL_SECONDS = 120.0
#: A clock that differs by this much explains why a storage refuses every signature.
_SKEW_SECONDS = 300.0
_PERHAPS_SKEW = frozenset({"s3_wrong_credentials", "s3_access_denied", "s3_credentials_expired", "s3_clock_skew"})


class Options(Protocol):
    """What the service reads again and again."""

    def settings(self) -> Settings:
        """The options of the installation."""

    def devices(self) -> Mapping[str, Collection[str]]:
        """The ids of the devices whose objects are archived, by kind."""


@dataclass(slots=True)
class _Active:
    item: Item
    moved_at: float
    sent: int = 0


class Uploader:
    """Uploads until `stop` is set. `publish(status)` and `asked_to_retry()` connect it to the API."""

    def __init__(
        self,
        outbox: Outbox,
        options: Options,
        stop: threading.Event,
        *,
        open_bucket: Callable[[BucketSettings], Bucket] = Bucket,
        publish: Callable[[Status], None] = lambda status: None,
        asked_to_retry: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_seconds: float = 0.5,
    ) -> None:
        self._outbox, self._options, self._stop = outbox, options, stop
        self._open_bucket, self._publish, self._asked_to_retry = open_bucket, publish, asked_to_retry
        self._clock, self._now, self._look_seconds = clock, now, look_seconds
        self._bandwidth = Bandwidth(None, stop=stop, clock=clock)
        self._meter = Meter(clock)
        self._gone = GoneObjects(clock=now)
        self._lock = threading.Condition()
        self._queue: deque[Item] = deque()
        self._active: dict[tuple[str, Any], _Active] = {}
        self._ended: set[tuple[str, Any]] = set()
        self._threads: list[threading.Thread] = []
        self._settings = Settings(None, UploadSettings())
        self._bucket: Bucket | None = None
        self._devices: Mapping[str, Collection[str]] | None = None
        self._failures = 0
        self._failure: StoreFailure | None = None
        self._failed_since: datetime | None = None
        self._resume_at = 0.0
        self._is_probing = False
        self._due = dict.fromkeys(("find", "count", "status", "clean", "options", "gone"), 0.0)

    def run(self) -> None:
        """Upload until the stop; waits a moment for uploads under way, which end at their next bytes."""
        try:
            while not self._stop.is_set():
                try:
                    self.run_once()
                except DatabaseUnavailable as error:
                    log.warning("waiting for the database: %s", error)
                    self._stop.wait(4 * self._look_seconds)
        finally:
            self._stop.set()
            with self._lock:
                self._lock.notify_all()
            for thread in self._threads:
                thread.join(5)

    def run_once(self) -> None:
        """One look: options, work for idle threads, state. Then it waits a moment for the end of an upload."""
        if self._is_due("options", 1.0):
            self._read_options()
        if self._asked_to_retry():
            self._resume()
            self._outbox.retry_now()
        wait = self._seconds_to_wait()
        if self._bucket is not None and wait == 0:
            if self._is_due("clean", _CLEAN_SECONDS):
                self._clean()
            self._fill()
        if self._is_due("count", _COUNT_SECONDS) and self._devices is not None:
            self._meter.set_backlog(self._outbox.count())
        if self._is_due("gone", _GONE_SECONDS):
            self._gone.turn()
        if self._is_due("status", _STATUS_SECONDS):
            self._publish(self.status())
        with self._lock:
            self._lock.wait(self._look_seconds)

    def status(self) -> Status:
        """The present state, for the API and health."""
        with self._lock:
            active = [(one.item.kind, one.item.key, one.item.size, one.sent) for one in self._active.values()]
            moved = max((one.moved_at for one in self._active.values()), default=None)
            stalled = moved is not None and self._clock() - moved > STALL_SECONDS and not self._seconds_to_wait()
            failure = StoreFailure("s3_slow") if stalled else self._failure
            since = self._failed_since
        return build_status(
            settings=self._settings,
            failure=failure,
            failed_since=since,
            next_try_at=self._now() + timedelta(seconds=max(0.0, self._resume_at - self._clock())) if failure else None,
            opens_in=self._seconds_until_open(),
            active=active,
            meter=self._meter,
            now=self._now(),
        )

    # ---- the loop -------------------------------------------------------------------------------------------------

    def _read_options(self) -> None:
        settings, devices = self._options.settings(), self._options.devices()
        if settings != self._settings:
            bucket_changed = settings.bucket != self._settings.bucket
            self._settings = settings
            self._bandwidth.set_rate(settings.uploads.bytes_per_second)
            if bucket_changed:
                self._change_bucket()
        if self._bucket is None:
            devices = dict.fromkeys(devices, ())
        if devices != self._devices:
            self._outbox.assign(devices)
            self._devices = devices
            self._forget_queue()
        while len(self._threads) < settings.uploads.concurrency and self._bucket is not None:
            number = len(self._threads)
            thread = threading.Thread(target=self._work, args=(number,), name=f"upload {number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _change_bucket(self) -> None:
        self._forget_queue()
        self._bucket = None
        self._resume()
        if self._settings.bucket is not None:
            try:
                self._bucket = self._open_bucket(self._settings.bucket)
            except StoreFailure as failure:
                self._fail(failure)
        self._due["clean"] = 0.0

    def _forget_queue(self) -> None:
        with self._lock:
            self._queue.clear()
        self._due["find"] = 0.0

    def _seconds_until_open(self) -> float:
        uploads = self._settings.uploads
        return seconds_until_open(uploads.window, self._now(), uploads.time_zone)

    def _seconds_to_wait(self) -> float:
        return max(0.0, self._resume_at - self._clock(), self._seconds_until_open())

    def _clean(self) -> None:
        """Abort what killed processes left. Its own failure is no reason not to upload."""
        try:
            with self._lock:
                busy = {one.item.key for one in self._active.values()}
            clean_leftovers(self._bucket, busy)
        except StoreFailure as failure:
            log.info("left-over parts of uploads cannot be looked for now: %s", failure)

    def _fill(self) -> None:
        """Ask for more items when all are handed out."""
        with self._lock:
            if self._queue or not self._is_due("find", _POLL_SECONDS):
                return
            skip = set(self._active)
            self._ended.clear()
        found = self._outbox.pending(skip)
        with self._lock:
            # What ended while the rows were read may be among them, and is done or postponed by now.
            self._queue.extend(item for item in found if item.identity not in self._ended)
            if found:
                self._due["find"] = 0.0  # as soon as these are handed out
            elif self._meter.backlog != Waiting():
                self._due["count"] = 0.0
            self._lock.notify_all()

    # ---- the threads ----------------------------------------------------------------------------------------------

    def _work(self, number: int) -> None:
        while not self._stop.is_set():
            item = self._take(number)
            if item is None:
                continue
            try:
                self._upload(item)
            except Stopped:
                return
            except DatabaseUnavailable as error:
                log.warning("'%s' is uploaded again, its row could not be written: %s", item.key, error)
                self._stop.wait(4 * self._look_seconds)
            except Exception:
                log.exception("uploading '%s' failed", item.key)
                self._stop.wait(4 * self._look_seconds)
            finally:
                with self._lock:
                    self._active.pop(item.identity, None)
                    self._ended.add(item.identity)
                    self._is_probing = False
                    self._lock.notify_all()

    def _take(self, number: int) -> Item | None:
        """The next item; None if there is none now. After a failure of the storage one upload at a time probes it."""
        with self._lock:
            if (
                not self._queue
                or number >= self._settings.uploads.concurrency
                or self._seconds_to_wait() > 0
                or (self._failures and self._is_probing)
            ):
                self._lock.wait(4 * self._look_seconds)
                return None
            self._is_probing = bool(self._failures)
            item = self._queue.popleft()
            self._active[item.identity] = _Active(item, self._clock())
            return item

    def _upload(self, item: Item) -> None:
        bucket = self._bucket
        if bucket is None:
            return
        self._outbox.begin(item)
        try:
            uploaded = upload_file(
                bucket,
                item.path,
                item.key,
                size=item.size,
                content_type=item.content_type,
                take=lambda count: self._take_bytes(item, count),
            )
        except StoreFailure as failure:
            self._judge(item, failure, bucket)
            return
        self._outbox.save(item, uploaded)
        self._meter.done(item.size)
        self._succeed()

    def _take_bytes(self, item: Item, count: int) -> None:
        self._bandwidth.take(count)
        with self._lock:
            active = self._active.get(item.identity)
            if active is not None:
                active.moved_at, active.sent = self._clock(), active.sent + count
        self._meter.sent(count)

    def _judge(self, item: Item, failure: StoreFailure, bucket: Bucket) -> None:
        if failure.reason in _PERHAPS_SKEW:
            difference = bucket.clock_difference()
            if difference is not None and abs(difference) > _SKEW_SECONDS:
                failure = StoreFailure("s3_clock_skew", f"this machine is {difference:+.0f} s off; {failure.detail}")
        if failure.is_general:
            self._fail(failure)
            return
        log.warning("'%s' is not archived: %s", item.key, failure)
        self._outbox.postpone(item, failure)

    def _fail(self, failure: StoreFailure) -> None:
        with self._lock:
            if self._failure is None or self._failure.reason != failure.reason:
                log.warning("uploads wait: %s", failure)
            self._failures += 1
            self._failure = failure
            self._failed_since = self._failed_since or self._now()
            self._resume_at = self._clock() + pause_after(self._failures)

    def _succeed(self) -> None:
        with self._lock:
            if self._failure is not None:
                log.info("uploads go on")
            self._resume_locked()

    def _resume(self) -> None:
        with self._lock:
            self._resume_locked()

    def _resume_locked(self) -> None:
        self._failures, self._failure, self._failed_since, self._resume_at = 0, None, None, 0.0
        self._lock.notify_all()

    def _is_due(self, what: str, every: float) -> bool:
        now = self._clock()
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True
