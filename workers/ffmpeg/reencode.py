"""Re-encodes recorded parts as H.264 that any player can decode, with one FFmpeg process, which ends with its job."""

import contextlib
import logging
import os
import selectors
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.config import Config
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import Samples, TrackFormat, parse_init, parse_part
from workers.ffmpeg.launch import Launcher

log = logging.getLogger(__name__)

#: Environment variable by which the processes of a job can be found.
JOB_MARK = "VAS_JOB_ID"

#: Timescale of the encoded video, in ticks per second.
TIMESCALE = 90_000

_READ_BYTES = 1 << 18
_LINES = 20
#: Live video on the same machine has priority.
_NICENESS = 10


class EncodingFailed(Exception):
    """FFmpeg could not be started, or ended with an error; the message is the end of its log."""


class EncoderMissing(EncodingFailed):
    """There is no ffmpeg program."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Encoder settings. `size` scales to width and height, with bars where the aspect ratio differs; None: no scaling.

    `parameter_id` is the id of the parameter sets. `from_seconds` leaves out frames presented before that media time.
    """

    preset: str = "veryfast"
    quality: int = 21
    size: tuple[int, int] | None = None
    parameter_id: int = 0
    from_seconds: float | None = None


class Encoder:
    """One FFmpeg process. A separate thread writes its input; `run` yields its output and may be closed at any time."""

    def __init__(self, config: Config, job_id: str, settings: EncoderSettings) -> None:
        self._command = build_command(config.ffmpeg_bin, settings)
        self._launcher = Launcher.from_config(config)
        self._job_id = job_id
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._input_error: BaseException | None = None
        self.format: TrackFormat | None = None

    def run(self, source: Iterable[bytes], check: Callable[[], None]) -> Iterator[Samples]:
        """Yield encoded frames in order, none depending on a later one; times are the source's, in TIMESCALE.

        `source` gives an init segment and then parts; its exceptions are raised here. `check` is called several times
        per second; an exception that it raises ends FFmpeg. Raises EncodingFailed.
        """
        process = self._start()
        input_thread = threading.Thread(
            target=self._write_input, args=(process, source), name="encoder input", daemon=True
        )
        log_thread = threading.Thread(target=self._read_log, args=(process,), name="encoder log", daemon=True)
        input_thread.start()
        log_thread.start()
        try:
            yield from self._read(process, check)
            code = _wait(process, check)
            input_thread.join(5)
            if self._input_error is not None:
                raise self._input_error
            if code:
                # The end of its log may not have been read yet.
                log_thread.join(5)
                raise EncodingFailed(" | ".join(self._lines) or f"ffmpeg ended with {code}")
        finally:
            end_process(process)
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
            input_thread.join(5)
            log_thread.join(5)

    def _start(self) -> subprocess.Popen:
        try:
            command = self._launcher.command(self._command, niceness=_NICENESS)
        except FileNotFoundError as error:
            raise EncoderMissing(f"'{error.filename}' is not installed: install ffmpeg or set FFMPEG_BIN") from error
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
            env=self._launcher.environment(**{JOB_MARK: self._job_id}),
        )

    def _write_input(self, process: subprocess.Popen, source: Iterable[bytes]) -> None:
        try:
            for data in source:
                view = memoryview(data)
                while view:
                    view = view[process.stdin.write(view) :]
        except (BrokenPipeError, ValueError) as error:
            log.debug("the encoder accepts no more input: %s", error)
        except BaseException as error:
            self._input_error = error
        finally:
            with contextlib.suppress(OSError, ValueError):
                process.stdin.close()

    def _read_log(self, process: subprocess.Popen) -> None:
        with process.stderr:
            for line in process.stderr:
                self._lines.append(line.decode("utf-8", "replace").strip()[:500])

    def _read(self, process: subprocess.Popen, check: Callable[[], None]) -> Iterator[Samples]:
        from workers.ffmpeg.fmp4 import Fmp4Reader, InitSegment

        reader, tracks = Fmp4Reader(), ()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                check()
                if not selector.select(timeout=0.25):
                    continue
                data = os.read(process.stdout.fileno(), _READ_BYTES)
                if not data:
                    return
                try:
                    for event in reader.feed(data):
                        if isinstance(event, InitSegment):
                            tracks = parse_init(event.data)
                            self.format = tracks[0]
                        else:
                            yield from parse_part(event.data, tracks)
                except InvalidMedia as error:
                    raise EncodingFailed(f"ffmpeg wrote {error}") from error


def build_command(program: str, settings: EncoderSettings) -> list[str]:
    """The arguments of the command; none of them comes from user input."""
    filters = []
    if settings.from_seconds is not None:
        filters.append(f"select=gte(t\\,{settings.from_seconds:.6f})")
    if settings.size is not None:
        width, height = settings.size
        filters += [
            f"scale={width}:{height}:force_original_aspect_ratio=decrease:out_range=tv",
            f"pad={width}:{height}:-1:-1",
            "setsar=1",
            # Runs that are joined must have the same parameter sets, whatever colours their cameras declare.
            "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
        ]
    filters.append("format=yuv420p" if settings.size else "format=yuv420p|yuvj420p")
    level = ["-level:v", _level_for(settings.size)] if settings.size else []
    return [
        program,
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-loglevel",
        "error",
        "-copyts",
        "-f",
        "mov",
        "-i",
        "pipe:0",
        "-map",
        "0:v:0",
        "-vf",
        ",".join(filters),
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        f"1:{TIMESCALE}",
        "-c:v",
        "libx264",
        "-preset",
        settings.preset,
        "-crf",
        str(settings.quality),
        "-bf",
        "0",
        "-g",
        "100",
        *level,
        "-x264-params",
        f"sps-id={settings.parameter_id}",
        "-f",
        "mp4",
        "-video_track_timescale",
        str(TIMESCALE),
        "-avoid_negative_ts",
        "disabled",
        # frag_discont: keep the times of the source instead of starting at 0.
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof+skip_trailer+frag_discont",
        "-frag_duration",
        "500000",
        "-flush_packets",
        "1",
        "pipe:1",
    ]


def _level_for(size: tuple[int, int]) -> str:
    """A level that allows any frame rate of a camera (H.264, table A-1)."""
    blocks = -(-size[0] // 16) * -(-size[1] // 16)
    return "4.0" if blocks <= 3600 else "4.2" if blocks <= 8160 else "5.2"


def end_process(process: subprocess.Popen) -> None:
    """Kill a child and its process group: it has no state to save."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    while True:
        try:
            process.wait(0.2)
            return
        except subprocess.TimeoutExpired:
            continue


def _wait(process: subprocess.Popen, check: Callable[[], None]) -> int:
    """Wait for the exit code in short waits, because Dramatiq's Shutdown reaches a thread only while it runs Python."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.2)
        check()
