"""Runs a detector in a process of its own, for all devices of this process: one picture at a time, in turn.

The process is ended when it does not answer, grows too large or talks nonsense, and started again after a pause that
grows. Nobody waits for it: a device offers a picture, and takes the answer later.
"""

import contextlib
import fcntl
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.plugin_api import Detection, Frame
from plugins.ai_analytics.detectors.answers import check_detections
from plugins.ai_analytics.detectors.messages import BrokenMessage, encode_frame, encode_message, read_message

log = logging.getLogger(__name__)

OPEN_SECONDS = 90.0
ANSWER_SECONDS = 15.0
_FIRST_PAUSE, _MOST_PAUSE = 1.0, 60.0
#: A process that lived for so long was well: the next pause is short again.
_WELL_SECONDS = 120.0
_IDLE_SECONDS = 0.5
#: Pictures of a device that may wait: those of a batch.
_MOST_OFFERS = 3
_WINDOW_SECONDS = 10.0
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a detector saw in a picture."""

    at_ms: int
    detections: list[Detection] = field(default_factory=list)


class DetectorStopped(Exception):
    """The process ended or was ended; the message says why, for users."""


class DetectorRunner:
    """Starts its thread with the first picture, and the process with it. `close` ends both; may be called twice."""

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        memory_mb: int = 1024,
        answer_seconds: float = ANSWER_SECONDS,
        command: Callable[[str], list[str]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._options = dict(options)
        self._memory_bytes = memory_mb << 20
        self._answer_seconds = answer_seconds
        self._command = command or build_command
        self._clock = clock
        self._changed = threading.Condition()
        self._offers: OrderedDict[str, deque[Frame]] = OrderedDict()
        self._answers: dict[str, deque[Answer]] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen | None = None
        self._pause = _FIRST_PAUSE
        self._is_resting = False
        self._times: deque[tuple[float, float, float]] = deque()
        self.problem: str | None = None
        self.starts = 0

    def is_free(self, device_id: str) -> bool:
        """Whether a picture of the device would be taken now, or soon."""
        waiting = len(self._offers.get(device_id, ()))
        return waiting < _MOST_OFFERS and not self._is_resting and not self._closing.is_set()

    def offer(self, device_id: str, frame: Frame) -> bool:
        """Offer a picture; False while others of the device wait, or the detector rests."""
        with self._changed:
            if not self.is_free(device_id):
                return False
            self._offers.setdefault(device_id, deque()).append(frame)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"detector {self.name}", daemon=True)
                self._thread.start()
            self._changed.notify()
            return True

    def take(self, device_id: str) -> list[Answer]:
        """The answers for a device since the last call, in order."""
        with self._changed:
            return list(self._answers.pop(device_id, ()))

    def forget(self, device_id: str) -> None:
        """The device is no longer analysed."""
        with self._changed:
            self._offers.pop(device_id, None)
            self._answers.pop(device_id, None)

    def figures(self) -> dict[str, Any]:
        """Figures for users: pictures in a second, milliseconds for one, memory, what is wrong."""
        with self._changed:
            self._forget_times()
            times = list(self._times)
        process = self._process
        return {
            "name": self.name,
            "pictures_per_second": round(len(times) / _WINDOW_SECONDS, 2),
            "ms_per_picture": round(sum(one[1] for one in times) / len(times) * 1000, 2) if times else None,
            "cpu_ms_per_picture": round(sum(one[2] for one in times) / len(times), 2) if times else None,
            "memory_mb": round(_read_memory(process.pid) / (1 << 20)) if process is not None else None,
            "starts": self.starts,
            "problem": self.problem,
        }

    def close(self) -> None:
        """End the process and the thread."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._kill()
        if self._thread is not None:
            self._thread.join(5)

    # ---- in its thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            began = self._clock()
            try:
                self._serve()
            except DetectorStopped as stopped:
                reason = str(stopped)
            except Exception as error:
                log.exception("detector '%s' failed", self.name)
                reason = str(error) or type(error).__name__
            else:
                return
            finally:
                self._kill()
                with self._changed:
                    self._offers.clear()
            if self._closing.is_set():
                return
            self._pause = _FIRST_PAUSE if self._clock() - began > _WELL_SECONDS else min(_MOST_PAUSE, 2 * self._pause)
            if reason != self.problem:
                log.warning("detector '%s' is started again in %.0f s: %s", self.name, self._pause, reason)
            self.problem = reason
            self._is_resting = True
            self._closing.wait(self._pause)
            self._is_resting = False

    def _serve(self) -> None:
        """Start the process when a picture is offered, and pass it pictures. Returns when the runner is closed."""
        if not self._await_offer():
            return
        self._start()
        while self._await_offer():
            offer = self._take_offer()
            if offer is None:
                continue
            device_id, frame = offer
            began = self._clock()
            self._write(encode_frame(frame), self._answer_seconds)
            values = self._read(self._answer_seconds)
            self._note(device_id, frame, values, self._clock() - began)
            self._check_memory()

    def _await_offer(self) -> bool:
        """Wait for a picture; False when the runner is closed."""
        with self._changed:
            while not self._closing.is_set():
                if self._offers:
                    return True
                self._changed.wait(_IDLE_SECONDS)
        return False

    def _take_offer(self) -> tuple[str, Frame] | None:
        """The oldest picture of the device whose turn it is."""
        with self._changed:
            if not self._offers:
                return None
            device_id, frames = self._offers.popitem(last=False)
            frame = frames.popleft()
            if frames:
                self._offers[device_id] = frames
            return device_id, frame

    def _start(self) -> None:
        self.starts += 1
        self._process = subprocess.Popen(
            self._command(self.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(OSError):
            # A picture passes in one call.
            fcntl.fcntl(self._process.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._write(encode_message({"options": self._options}), self._answer_seconds)
        values = self._read(OPEN_SECONDS)
        if "failed" in values:
            raise DetectorStopped(f"it cannot be opened: {values['failed']}")
        log.info("detector '%s' is open", self.name)

    def _note(self, device_id: str, frame: Frame, values: dict[str, Any], seconds: float) -> None:
        detections, nonsense = check_detections(values.get("boxes"))
        problem = values.get("failed") or values.get("problem") or nonsense
        if problem is not None and problem != self.problem:
            log.warning("detector '%s': %s", self.name, problem)
        self.problem = problem
        cpu_ms = values.get("cpu_ms")
        with self._changed:
            now = self._clock()
            self._times.append((now, seconds, cpu_ms if isinstance(cpu_ms, int | float) else 0.0))
            self._forget_times()
            self._answers.setdefault(device_id, deque(maxlen=32)).append(Answer(frame.at_ms, detections))

    def _write(self, data: bytes, seconds: float) -> None:
        """Raises DetectorStopped."""
        end = self._clock() + seconds
        descriptor = self._process.stdin.fileno()
        view = memoryview(data)
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_WRITE)
            while view:
                left = end - self._clock()
                if left <= 0 or self._closing.is_set():
                    raise DetectorStopped(f"it did not read a picture within {seconds:.0f} s")
                if not selector.select(min(left, 0.5)):
                    continue
                try:
                    view = view[os.write(descriptor, view) :]
                except BrokenPipeError:
                    raise DetectorStopped(self._describe_end()) from None

    def _read(self, seconds: float) -> dict[str, Any]:
        """The next answer of the process. Raises DetectorStopped."""
        end = self._clock() + seconds
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)

            def read(size: int) -> bytes:
                data = bytearray()
                while len(data) < size:
                    if self._closing.is_set():
                        raise DetectorStopped("the analysis ends")
                    left = end - self._clock()
                    if left <= 0:
                        raise DetectorStopped(f"it did not answer within {seconds:.0f} s")
                    if not selector.select(min(left, 0.5)):
                        continue
                    chunk = os.read(descriptor, size - len(data))
                    if not chunk:
                        raise DetectorStopped(self._describe_end())
                    data += chunk
                return bytes(data)

            try:
                message = read_message(read)
            except BrokenMessage as error:
                raise DetectorStopped(f"its answer is no message: {error}") from None
        if message is None:
            raise DetectorStopped(self._describe_end())
        return message[0]

    def _describe_end(self) -> str:
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        return f"its process ended with {f'signal {-code}' if code < 0 else f'status {code}'}"

    def _check_memory(self) -> None:
        size = _read_memory(self._process.pid)
        if size > self._memory_bytes:
            raise DetectorStopped(
                f"it took {size >> 20} MB of memory, more than its limit of {self._memory_bytes >> 20} MB"
            )

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()
            except OSError:
                # What was not written yet is for nobody.
                log.debug("the pipe of detector '%s' is broken", self.name)
        try:
            os.killpg(process.pid, 9)
        except ProcessLookupError:
            log.debug("detector '%s' has ended", self.name)
        process.wait(10)

    def _forget_times(self) -> None:
        now = self._clock()
        while self._times and now - self._times[0][0] > _WINDOW_SECONDS:
            self._times.popleft()


def build_command(name: str) -> list[str]:
    """The command of a detector's process."""
    return [sys.executable, "-m", "plugins.ai_analytics.detectors.child", name, str(os.getpid())]


def _read_memory(pid: int) -> int:
    """The resident bytes of a process; 0 if it has ended."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
