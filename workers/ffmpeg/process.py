"""An FFmpeg process on the asyncio loop: it is fed, its output is split into parts, it is stopped in steps."""

import asyncio
import contextlib
import fcntl
import logging
import os
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
_INPUT_BUFFER_BYTES = 1 << 18
_STDERR_LINES = 60
_STDERR_LINE_LENGTH = 2000


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
    decided, and the kernel kills it when the worker dies. Its standard input is what `feed` writes. `folders`: what it
    may read and write beside its pipes. `writes_parts`: its standard output is fragmented MP4; otherwise it is ignored.
    """

    def __init__(
        self,
        command: list[str],
        device_id: str,
        emit: Callable[[Arrived], None],
        *,
        launcher: Launcher | None = None,
        folders: tuple[str, ...] = (),
        writes_parts: bool = True,
    ) -> None:
        self._command = command
        self._launcher = launcher or Launcher()
        self._folders = folders
        self._device_id = device_id
        self._emit = emit
        self._process: asyncio.subprocess.Process | None = None
        self._lines: deque[str] = deque(maxlen=_STDERR_LINES)
        self._writes_parts = writes_parts
        #: What was fed before the process had started; None afterwards.
        self._unfed: list[bytes] | None = []
        self._is_input_closed = False
        self._started = asyncio.Event()
        self._done = asyncio.Event()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def waiting_bytes(self) -> int:
        """How much of its input FFmpeg has not taken."""
        if self._unfed is not None:
            return sum(map(len, self._unfed))
        transport = self._process.stdin.transport if self._process is not None and self._process.stdin else None
        return transport.get_write_buffer_size() if transport is not None else 0

    def feed(self, data: bytes) -> None:
        """Write to FFmpeg's standard input, or keep it until FFmpeg has started. Never blocks; see `waiting_bytes`."""
        if self._unfed is not None:
            self._unfed.append(data)
        elif self._process is not None and not self._is_input_closed:
            stdin = self._process.stdin
            if stdin is not None and not stdin.transport.is_closing():
                stdin.write(data)

    def close_input(self) -> None:
        """End FFmpeg's input: it writes what it has and ends."""
        self._is_input_closed = True
        if self._process is not None and self._process.stdin is not None and self._unfed is None:
            self._process.stdin.close()

    async def run(self) -> None:
        """Start FFmpeg and wait until it has ended; the end is an event, never an exception."""
        problem = None
        return_code = None
        try:
            await self._start()
            self._begin_input()
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

    def kill(self) -> None:
        """End FFmpeg at once, whatever it does; `run` then reports its end."""
        self._signal(signal.SIGKILL)

    async def stop(self, term_seconds: float = 3.0) -> None:
        """Send SIGTERM, then SIGKILL, to the process group; return when FFmpeg has ended."""
        if self._stopping:
            await self._wait_done(term_seconds + 5)
            return
        self._stopping = True
        # If it is just being started, there is no process to signal yet.
        await self._started.wait()
        # FFmpeg handles a signal after the read in which it is: of an input that is silent, at its end.
        self.close_input()
        self._signal(signal.SIGTERM)
        # A stopped (SIGSTOP) process handles SIGTERM only after SIGCONT.
        self._signal(signal.SIGCONT)
        if not await self._wait_done(term_seconds):
            self._signal(signal.SIGKILL)
            await self._wait_done(5)

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._launcher.command(self._command, folders=self._folders),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if self._writes_parts else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_READ_BYTES,
            env=self._launcher.environment(**{DEVICE_MARK: self._device_id}),
        )

    def _begin_input(self) -> None:
        """Write what was fed meanwhile."""
        waiting, self._unfed = self._unfed or [], None
        stdin = self._process.stdin
        # A camera's picture fits, so that most are written by one system call.
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(stdin.get_extra_info("pipe"), fcntl.F_SETPIPE_SZ, _INPUT_BUFFER_BYTES)
        # The size of the backlog is watched by the caller; the transport itself never refuses.
        if waiting:
            stdin.write(b"".join(waiting))
        if self._is_input_closed:
            stdin.close()

    async def _read_stdout(self) -> str | None:
        if self._process.stdout is None:
            return None
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
            if "[error]" in text or "[fatal]" in text:
                log.debug("ffmpeg of device %s: %s", self._device_id, text)

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
