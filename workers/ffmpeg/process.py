"""An FFmpeg process on the asyncio loop: its output is split into parts, its log is kept, it is stopped in steps."""

import asyncio
import contextlib
import logging
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway.redaction import redact_text
from workers.ffmpeg.fmp4 import Fmp4Reader, Fragment, InitSegment, InvalidMedia
from workers.ffmpeg.launch import Launcher

log = logging.getLogger(__name__)

#: Environment variable by which a new owner finds orphaned processes (workers/streams/orphans.py).
DEVICE_MARK = "VAS_DEVICE_ID"

_READ_BYTES = 1 << 18
_STDERR_LINES = 60
_STDERR_LINE_LENGTH = 2000
#: Such as `Stream #0:1: Audio: pcm_alaw, 8000 Hz, mono` (av_dump_format).
_INPUT_AUDIO = re.compile(r"Stream #0:\d+\S*: Audio: (\w+)")


@dataclass(frozen=True, slots=True)
class Ended:
    """FFmpeg has ended. `lines` are the last lines of its log, redacted."""

    return_code: int | None
    lines: list[str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event and the wall clock (seconds since 1970) of its arrival, before any queue."""

    event: InitSegment | Fragment | Ended
    wall: float


class FfmpegProcess:
    """Runs one FFmpeg process on the loop; `emit` is called there with each event, the last of which is Ended.

    FFmpeg has its own process group, so that a signal to the worker's group does not reach it before the worker has
    decided, and the kernel kills it when the worker dies. `folders`: what it may read and write beside its pipes.
    """

    def __init__(
        self,
        command: list[str],
        device_id: str,
        emit: Callable[[Arrived], None],
        *,
        launcher: Launcher | None = None,
        folders: tuple[str, ...] = (),
    ) -> None:
        self._command = command
        self._launcher = launcher or Launcher()
        self._folders = folders
        self._device_id = device_id
        self._emit = emit
        self._process: asyncio.subprocess.Process | None = None
        self._lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._is_about_input = True
        self.input_audio: str | None = None
        self._started = asyncio.Event()
        self._done = asyncio.Event()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def run(self) -> None:
        """Start FFmpeg and wait until it has ended; the end is an event, never an exception."""
        problem = None
        return_code = None
        try:
            await self._start()
            self._started.set()
            stderr = asyncio.create_task(self._read_stderr())
            problem = await self._read_stdout()
            if problem is not None:
                self._signal(signal.SIGKILL)
            return_code = await self._process.wait()
            await stderr
        except FileNotFoundError as error:
            problem = f"program not found: {error.filename}"
        except OSError as error:
            problem = f"program cannot be started: {error.strerror}"
        except Exception:
            log.exception("the output of device %s cannot be read", self._device_id)
            problem = "ffmpeg wrote output that cannot be read"
            self._signal(signal.SIGKILL)
        finally:
            self._started.set()
            self._done.set()
            self._emit(Arrived(Ended(return_code, list(self._lines), problem), time.time()))

    async def stop(self, term_seconds: float = 3.0) -> None:
        """Send SIGTERM, then SIGKILL, to the process group; return when FFmpeg has ended."""
        if self._stopping:
            await self._wait_done(term_seconds + 5)
            return
        self._stopping = True
        # If it is just being started, there is no process to signal yet.
        await self._started.wait()
        self._signal(signal.SIGTERM)
        # A stopped (SIGSTOP) process handles SIGTERM only after SIGCONT.
        self._signal(signal.SIGCONT)
        if not await self._wait_done(term_seconds):
            self._signal(signal.SIGKILL)
            await self._wait_done(5)

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._launcher.command(self._command, folders=self._folders),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_READ_BYTES,
            env=self._launcher.environment(**{DEVICE_MARK: self._device_id}),
        )

    async def _read_stdout(self) -> str | None:
        reader = Fmp4Reader()
        while data := await self._process.stdout.read(_READ_BYTES):
            now = time.time()
            try:
                for event in reader.feed(data):
                    self._emit(Arrived(event, now))
            except InvalidMedia as error:
                return f"ffmpeg wrote {error}"
        return None

    async def _read_stderr(self) -> None:
        """Read the log until its end: a full pipe would block FFmpeg."""
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:
                continue
            if not line:
                return
            # Redacted before it is cut: half of a URL does not show where its password ends.
            text = redact_text(line.decode("utf-8", "replace").rstrip())[:_STDERR_LINE_LENGTH]
            self._lines.append(text)
            if self._is_about_input:
                self._read_about_input(text)
            if "[error]" in text or "[fatal]" in text:
                log.debug("ffmpeg of device %s: %s", self._device_id, text)

    def _read_about_input(self, line: str) -> None:
        """Find the audio codec: FFmpeg lists the tracks of its first input before any output."""
        if (found := _INPUT_AUDIO.search(line)) and found[1] != "none":
            self.input_audio = found[1]
        self._is_about_input = "Output #0" not in line

    async def _wait_done(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._done.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
