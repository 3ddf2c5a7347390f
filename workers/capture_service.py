"""The snapshot worker: threads that take requests for pictures from the capture queue and answer them at once.

No Dramatiq here: its Redis broker looks into an idle queue every quarter of a second. Clips are begun here too, because
their pre-roll is on the bus for a few seconds only; they mostly wait, so they have seats of their own.
"""

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

import redis
from dramatiq.middleware import Shutdown
from dramatiq.threading import raise_thread_exception

from gateway import database
from gateway.captures.queue import CLIP, CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.config import Config
from gateway.errors import Unavailable, VasError
from gateway.leases import SNAPSHOT, WorkerSlots
from gateway.redis_client import connect_redis
from workers.captures.captures import Captures, Taken, format_failure
from workers.clips.clips import run_clip
from workers.job_runner import JobRunner

log = logging.getLogger(__name__)

#: Most of the time of a capture is waiting for Redis, the disk and the database: so many threads wait for each that
#: decodes.
_THREADS_EACH = 4
_MAX_THREADS = 64
_TAKE_SECONDS = 2.0
_REPORT_SECONDS = 3.0
_AWAY_SECONDS = 0.5
#: A platform kills what has not ended half a minute after SIGTERM.
_END_SECONDS = 10.0
#: Clips that are made at once: nearly all of them wait for what happens after the bookmark.
CLIP_SLOTS = 32


class SnapshotWorker:
    """Takes requests until it is closed. `run_clip_job` runs the clip's job with an id; it may take minutes."""

    def __init__(
        self,
        queue: CaptureQueue,
        capture: Callable[[CaptureRequest], Taken],
        run_clip_job: Callable[[str], None],
        *,
        threads: int,
        take_seconds: float = _TAKE_SECONDS,
    ) -> None:
        """A thread waits `take_seconds` for a request before it looks whether it is to end."""
        self._queue = queue
        self._capture = capture
        self._run_clip_job = run_clip_job
        self._take_seconds = take_seconds
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._busy = 0
        self._clips: list[threading.Thread] = []
        self.threads = threads
        self._takers = [
            threading.Thread(target=self._run, name=f"capture {number}", daemon=True) for number in range(threads)
        ]

    @property
    def busy(self) -> int:
        """Threads that are at a picture."""
        return self._busy

    @property
    def is_closing(self) -> bool:
        return self._closing.is_set()

    def start(self) -> None:
        """Begin to take requests."""
        for thread in self._takers:
            thread.start()

    def close(self) -> None:
        """Take nothing new, finish the pictures, give the clips back; ends within seconds. May be called twice."""
        self._closing.set()
        deadline = time.monotonic() + _END_SECONDS
        with self._lock:
            clips, self._clips = self._clips, []
        for thread in clips:
            if thread.is_alive():
                raise_thread_exception(thread.ident, Shutdown)
        for thread in (*self._takers, *clips):
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        complaint = ""
        while not self.is_closing:
            try:
                request = self._queue.take(wait_seconds=self._take_seconds)
                complaint = ""
            except Unavailable as error:
                if str(error) != complaint:
                    log.warning("no requests for pictures can be taken now: %s", error)
                complaint = str(error)
                self._closing.wait(_AWAY_SECONDS)
                continue
            except Exception:
                log.exception("a request for a picture could not be read")
                continue
            if request is None:
                continue
            try:
                self._serve(request)
            except Exception:
                # Such as a plugin that cannot be loaded: a thread that ends here takes no more requests.
                log.exception("the %s of device %s was not finished", request.what, request.device_id)

    def _serve(self, request: CaptureRequest) -> None:
        if request.what == CLIP:
            self._begin_clip(request.id)
            return
        with self._lock:
            self._busy += 1
        try:
            taken = self._take_picture(request)
            with contextlib.suppress(Unavailable):
                self._queue.answer(request.id, taken.answer)
            taken.tell()
        finally:
            with self._lock:
                self._busy -= 1

    def _take_picture(self, request: CaptureRequest) -> Taken:
        started = time.monotonic()
        try:
            taken = self._capture(request)
        except VasError as error:
            log.info("no %s of device %s: %s: %s", request.what, request.device_id, error.reason, error.message)
            return Taken(format_failure(error))
        except Exception:
            log.exception("the %s of device %s failed", request.what, request.device_id)
            return Taken(
                CaptureAnswer("job_failed", "the picture could not be taken: see the log of the snapshot worker")
            )
        log.debug("%s of device %s in %.0f ms", request.what, request.device_id, (time.monotonic() - started) * 1000)
        return taken

    def _begin_clip(self, job_id: str) -> None:
        thread = threading.Thread(target=self._run_clip, args=(job_id,), name=f"clip {job_id[:8]}", daemon=True)
        with self._lock:
            self._clips = [one for one in self._clips if one.is_alive()] + [thread]
        thread.start()

    def _run_clip(self, job_id: str) -> None:
        try:
            self._run_clip_job(job_id)
        except Shutdown:
            log.info("the clip of job %s is given up: this worker stops", job_id)
        except VasError as error:
            # The clock process finds the job and sends it to a jobs worker.
            log.warning("the clip of job %s cannot be begun now: %s", job_id, error)
        except Exception:
            log.exception("the clip of job %s failed", job_id)


def run_snapshots(config: Config, *, stop: threading.Event | None = None) -> None:
    """Serve requests for pictures until SIGTERM."""
    stop = stop or threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database.connect(config)
    name = f"{socket.gethostname()}:{os.getpid()}"
    runner = JobRunner(
        config, name, {CLIP: run_clip}, threading.BoundedSemaphore(CLIP_SLOTS), lambda: worker.is_closing
    )
    worker = SnapshotWorker(
        CaptureQueue.connect(config),
        Captures.from_config(config).capture,
        runner.run,
        threads=min(_MAX_THREADS, _THREADS_EACH * config.snapshot_threads),
    )
    slots = WorkerSlots(connect_redis(config.redis_url))
    worker.start()
    log.info("snapshot worker %s started with %d threads", name, worker.threads)
    while not stop.is_set():
        try:
            slots.report(SNAPSHOT, name, worker.busy, worker.threads)
        except redis.RedisError as error:
            log.debug("the slots cannot be reported now: %s", error)
        stop.wait(_REPORT_SECONDS)
    with contextlib.suppress(redis.RedisError):
        slots.withdraw(SNAPSHOT, name)
    worker.close()
    database.close()
    log.info("snapshot worker %s stopped", name)
