"""Real processes on the loop: they are fed, their parts arrive, and every end is reported and complete."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.fragmented_media import FRAGMENTED, H264
from tests.workers.conftest import RunningProcess
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.process import DEVICE_MARK, Arrived, Ended, FfmpegProcess
from workers.streams.loop import MediaLoop

LIVE = [
    "ffmpeg",
    "-v",
    "level+error",
    "-nostdin",
    "-re",
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=320x180:rate=10",
]


def program(*lines: str) -> list[str]:
    """A process other than FFmpeg that misbehaves as `lines` say."""
    return [sys.executable, "-S", "-c", "\n".join(["import os, signal, sys, time", *lines])]


def next_of(running: RunningProcess, kind: type, seconds: float = 10) -> Arrived:
    """The next event of a kind; earlier events of other kinds are skipped."""

    def take() -> Arrived | None:
        arrived = running.next_event(0.5)
        return arrived if arrived and isinstance(arrived.event, kind) else None

    return wait_until(take, f"a {kind.__name__} arrives", seconds)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_parts_of_a_live_ffmpeg_arrive_as_they_are_written(start):
    before = time.time()
    running = start([*LIVE, *H264, "-bf", "0", *FRAGMENTED])
    assert next_of(running, InitSegment).event.video.codec == "avc1"
    arrived = next_of(running, Fragment)
    assert arrived.event.is_key
    assert before < arrived.wall <= time.time()
    assert next_of(running, Fragment).wall > arrived.wall


def test_the_end_of_a_process_carries_its_return_code_and_last_lines(start):
    ended = next_of(start(program("print('[error] no such thing', file=sys.stderr)", "sys.exit(3)")), Ended).event
    assert (ended.return_code, ended.lines, ended.problem) == (3, ["[error] no such thing"], None)


def test_the_last_lines_contain_no_secrets(start):
    line = "print('[error] rtsp://viewer:s3cr3t@10.0.0.1/a failed', file=sys.stderr)"
    ended = next_of(start(program(line)), Ended).event
    assert ended.lines == ["[error] rtsp://***@10.0.0.1/a failed"]


def test_a_secret_is_removed_before_a_long_line_is_cut(start):
    line = "print('[error] ' + 'x' * 1970 + ' rtsp://viewer:s3cr3t' + 'y' * 100 + '@10.0.0.1/a', file=sys.stderr)"
    [line] = next_of(start(program(line)), Ended).event.lines
    assert len(line) == 2000
    assert "s3cr3t" not in line


def test_endless_output_is_drained_and_only_the_last_lines_are_kept(start):
    running = start(
        program(
            "for n in range(5000): print(n, 'x' * 60, file=sys.stderr)",
            "print('y' * 600_000, file=sys.stderr)",
            "print('the last', file=sys.stderr)",
        )
    )
    lines = next_of(running, Ended, 20).event.lines
    assert lines[-1] == "the last"
    assert len(lines) <= 60
    assert all(len(line) <= 2000 for line in lines)


def test_a_program_that_is_missing_is_named(start):
    ended = next_of(start(["/no/such/ffmpeg", "-version"]), Ended).event
    assert ended.problem == "program not found: /no/such/ffmpeg"
    assert ended.return_code is None


def test_a_program_that_is_not_on_the_path_is_named(start):
    assert next_of(start(["no-such-ffmpeg"]), Ended).event.problem == "program not found: no-such-ffmpeg"


def test_output_that_is_not_media_ends_the_process(start):
    running = start(
        program("sys.stdout.write('HTTP/1.1 200 OK, and then some')", "sys.stdout.flush()", "time.sleep(60)")
    )
    ended = next_of(running, Ended).event
    assert ended.problem.startswith("ffmpeg wrote a box of")
    assert ended.return_code == -signal.SIGKILL


def test_a_failing_reader_ends_the_process_and_is_reported(start, monkeypatch):
    def fail(*_):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("workers.ffmpeg.process.Fmp4Reader.feed", fail)
    running = start(program("print('x', flush=True)", "time.sleep(60)"))
    assert next_of(running, Ended).event.problem
    wait_until(lambda: not is_alive(running.pid), "the process is killed")


def test_stop_sends_sigterm_first(start):
    running = start(
        program(
            "signal.signal(signal.SIGTERM, lambda *_: (os.write(2, b'asked\\n'), sys.exit(0)))",
            "print('ready', file=sys.stderr, flush=True)",
            "time.sleep(60)",
        )
    )
    wait_until(lambda: "ready" in running._process._lines, "the process is ready")
    running.stop()
    assert not is_alive(running.pid)
    assert list(running._process._lines) == ["ready", "asked"]


def test_stop_ends_the_input_for_a_process_that_waits_for_it(start):
    """FFmpeg sees a signal when its read of the input returns, which for a camera without pictures it does not."""
    running = start(
        program(
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
            "print('ready', file=sys.stderr, flush=True)",
            "sys.stdin.buffer.read()",
            "print('the input has ended', file=sys.stderr, flush=True)",
        )
    )
    wait_until(lambda: "ready" in running._process._lines, "the process is ready")
    running.stop()
    assert list(running._process._lines) == ["ready", "the input has ended"]


def test_stop_kills_a_process_that_ignores_sigterm(media_loop: MediaLoop):
    seen: list[Arrived] = []

    async def run() -> int:
        process = FfmpegProcess(
            program(
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
                "print('deaf', file=sys.stderr, flush=True)",
                "time.sleep(60)",
            ),
            "d1",
            seen.append,
        )
        task = asyncio.create_task(process.run())
        while "deaf" not in process._lines:
            await asyncio.sleep(0.01)
        await process.stop(term_seconds=0.2)
        await task
        return process.pid

    pid = media_loop.run(run(), timeout_seconds=10)
    assert not is_alive(pid)
    assert seen[-1].event.return_code == -signal.SIGKILL


def test_stop_ends_a_suspended_process(start):
    running = start([*LIVE, *H264, *FRAGMENTED])
    next_of(running, InitSegment)
    os.kill(running.pid, signal.SIGSTOP)
    running.stop()
    assert not is_alive(running.pid)
    assert running._process._process.returncode == 255, "it was resumed and ended by SIGTERM, not killed"


def test_a_process_that_is_stopped_while_it_starts_is_ended(media_loop: MediaLoop):
    seen: list[Arrived] = []

    async def run() -> int | None:
        process = FfmpegProcess(program("time.sleep(60)"), "d1", seen.append)
        task = asyncio.create_task(process.run())
        await process.stop(term_seconds=0.5)
        await asyncio.wait_for(task, 2)
        return process.pid

    pid = media_loop.run(run(), timeout_seconds=10)
    assert not is_alive(pid)
    assert seen[-1].event.return_code == -signal.SIGTERM, "SIGTERM is sent as soon as the process exists"


def test_stop_may_be_called_twice_and_after_the_end(start):
    running = start(program("pass"))
    next_of(running, Ended)
    running.stop()
    running.stop()


def test_the_process_is_marked_with_its_device_and_has_a_group_of_its_own(start):
    running = start([*LIVE, *H264, *FRAGMENTED])
    next_of(running, InitSegment)
    assert f"{DEVICE_MARK}=d1".encode() in Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")
    assert os.getpgid(running.pid) == running.pid


@pytest.mark.parametrize(("said", "kept"), [(None, "131072"), ("65536", "65536")])
def test_the_process_returns_freed_memory_unless_the_environment_prevents_it(start, monkeypatch, said, kept):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    if said is not None:
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", said)
    running = start([*LIVE, *H264, *FRAGMENTED])
    next_of(running, InitSegment)
    words = Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")
    assert [word for word in words if word.startswith(b"MALLOC_")] == [f"MALLOC_TRIM_THRESHOLD_={kept}".encode()]


def test_what_is_fed_is_its_standard_input_also_before_it_has_started(start):
    running = start(program("print(sys.stdin.buffer.read().decode(), file=sys.stderr)"), feed=b"first ")
    running.feed(b"second")
    running.close_input()
    assert next_of(running, Ended).event.lines == ["first second"]


def test_input_that_nobody_reads_is_counted_and_blocks_nobody(start):
    running = start(program("time.sleep(60)"))
    for _ in range(40):
        running.feed(bytes(1 << 20))
    wait_until(lambda: running.waiting_bytes > 30 << 20, "what is left is counted")


def test_input_after_the_end_is_dropped(start):
    running = start(program("pass"))
    next_of(running, Ended)
    running.feed(b"late")
    running.close_input()


def test_a_process_that_writes_no_parts_may_write_anything(start):
    running = start(program("print('not media')"), writes_parts=False)
    ended = next_of(running, Ended).event
    assert (ended.return_code, ended.problem) == (0, None)
