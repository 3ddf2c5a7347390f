"""The snapshot worker: threads that take picture requests from the capture queue and answer them immediately.

Dramatiq is not used here: its Redis broker polls an idle queue every quarter of a second. Clips are started here too,
because their pre-roll is on the bus for a few seconds only; they mostly wait, so they have slots of their own.
"""

import contextlib
import logging
import os
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
from gateway.events.bell import hang_bell, take_bell_down
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports
from gateway.isolation.threads import note_slow_calls
from gateway.leases import SNAPSHOT, WorkerSlots
from gateway.redis_client import connect_redis
from workers.captures.captures import Captures, ForeignDevice, Taken, format_failure
from workers.clips.clips import run_clip
from workers.job_runner import JobRunner
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: Threads per decoding thread: a capture mostly waits for Redis, the disk and the database.
_THREADS_EACH = 4
_MAX_THREADS = 64
_TAKE_SECONDS = 2.0
_REPORT_SECONDS = 3.0
_AWAY_SECONDS = 0.5
#: Platforms kill a process half a minute after SIGTERM.
_END_SECONDS = 10.0
#: Clips that are made at once: nearly all of them wait for the footage after the bookmark.
CLIP_SLOTS = 32


class SnapshotWorker:
    """Serves requests until it is closed. `run_clip_job` runs the job of a clip by its id; it may take minutes."""

    def __init__(
        self,
        queue: CaptureQueue,
        capture: Callable[[CaptureRequest], Taken],
        run_clip_job: Callable[[str], None],
        *,
        threads: int,
        take_seconds: float = _TAKE_SECONDS,
    ) -> None:
        """`take_seconds`: how long a thread waits for a request before it checks whether the worker is closing."""
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
        """The number of threads that take a picture."""
        return self._busy

    @property
    def is_closing(self) -> bool:
        return self._closing.is_set()

    def start(self) -> None:
        """Start the threads."""
        for thread in self._takers:
            thread.start()

    def close(self) -> None:
        """Take no new requests, finish pictures, hand clips back; returns within seconds. May be called twice."""
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
        last_error = ""
        while not self.is_closing:
            try:
                request = self._queue.take(wait_seconds=self._take_seconds)
                last_error = ""
            except Unavailable as error:
                if str(error) != last_error:
                    log.warning("picture requests cannot be taken now: %s", error)
                last_error = str(error)
                self._closing.wait(_AWAY_SECONDS)
                continue
            except Exception:
                log.exception("a picture request could not be read")
                continue
            if request is None:
                continue
            try:
                self._serve(request)
            except Exception:
                # For example a plugin that cannot be loaded. The thread must survive, to take further requests.
                log.exception("the %s of device %s was not finished", request.what, request.device_id)

    def _serve(self, request: CaptureRequest) -> None:
        if request.what == CLIP:
            self._start_clip(request.id)
            return
        with self._lock:
            self._busy += 1
        try:
            taken = self._take_picture(request)
            with contextlib.suppress(Unavailable):
                self._queue.answer(request.id, taken.answer)
            taken.report()
        finally:
            with self._lock:
                self._busy -= 1

    def _take_picture(self, request: CaptureRequest) -> Taken:
        started = time.monotonic()
        try:
            taken = self._capture(request)
        except VasError as error:
            if isinstance(error, ForeignDevice):
                self._queue.refuse("its device belongs to another tenant")
            log.info("no %s of device %s: %s: %s", request.what, request.device_id, error.reason, error.message)
            return Taken(format_failure(error))
        except Exception:
            log.exception("the %s of device %s failed", request.what, request.device_id)
            return Taken(
                CaptureAnswer("job_failed", "the picture could not be taken: see the log of the snapshot worker")
            )
        log.debug("%s of device %s in %.0f ms", request.what, request.device_id, (time.monotonic() - started) * 1000)
        return taken

    def _start_clip(self, job_id: str) -> None:
        thread = threading.Thread(target=self._run_clip, args=(job_id,), name=f"clip {job_id[:8]}", daemon=True)
        with self._lock:
            self._clips = [clip for clip in self._clips if clip.is_alive()] + [thread]
        thread.start()

    def _run_clip(self, job_id: str) -> None:
        try:
            self._run_clip_job(job_id)
        except Shutdown:
            log.info("the clip of job %s is handed back: this worker stops", job_id)
        except VasError as error:
            # The clock process finds the job and sends it to a jobs worker.
            log.warning("the clip of job %s cannot be started now: %s", job_id, error)
        except Exception:
            log.exception("the clip of job %s failed", job_id)


def run_snapshots(config: Config) -> None:
    """Serve picture requests until SIGTERM."""
    stop = StopSignal()
    database.connect(config)
    hang_bell(config)
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
    client = connect_redis(config.redis_url)
    slots, reports = WorkerSlots(client), ProblemReports(client)
    worker.start()
    log.info("snapshot worker %s started with %d threads", name, worker.threads)
    while not stop.is_set():
        try:
            note_slow_calls()
            slots.report(SNAPSHOT, name, worker.busy, worker.threads)
            reports.report(SNAPSHOT, name, GUARD.problems.list())
        except redis.RedisError as error:
            log.debug("the slots cannot be reported now: %s", error)
        stop.wait(_REPORT_SECONDS)
    with contextlib.suppress(redis.RedisError):
        slots.withdraw(SNAPSHOT, name)
    worker.close()
    take_bell_down()
    database.close()
    log.info("snapshot worker %s stopped", name)
