"""Any one process is killed with SIGKILL: the service is back within its budget, and nobody reloads a page."""

import os
import signal
import time

import pytest

from tests.stack import procfs

BUDGET_SECONDS = 15
MARGIN_SECONDS = 5


def heal(watched, report, fault, kill, is_healed=lambda: True, budget=BUDGET_SECONDS):
    """Cause the fault, wait for the recovery, and compare it with the budget."""
    moment = time.time()
    kill()
    recovery = watched.recover(moment, budget + MARGIN_SECONDS, is_healed)
    report.add(fault, recovery, watched.viewer.has_continued, budget)
    assert (recovery or 0) <= budget + MARGIN_SECONDS
    return recovery


def test_a_killed_ffmpeg_is_replaced_and_viewers_notice_nothing(watched, report):
    old, moment = watched.ffmpeg, time.time()
    heal(watched, report, "kill -9 FFmpeg", lambda: os.kill(old, signal.SIGKILL), lambda: watched.ffmpeg != old)
    watched.assert_never_stops(moment)
    assert watched.events_since(moment) == [], "the stream ran all the time"


def test_a_killed_stream_worker_is_replaced(stack, watched, report):
    old, worker = watched.ffmpeg, stack.running_pid("stream")
    heal(
        watched,
        report,
        "kill -9 stream worker",
        lambda: os.kill(worker, signal.SIGKILL),
        lambda: watched.ffmpeg != old,
    )
    assert not procfs.is_alive(old)
    assert not procfs.is_alive(worker)


def test_a_killed_sfu_is_replaced(stack, watched, report):
    old = stack.process("sfu").pid
    heal(
        watched,
        report,
        "kill -9 SFU",
        lambda: stack.kill("sfu"),
        lambda: stack.process("sfu").pid not in (None, old) and stack.sfu_status()["viewers"] == 1,
    )


def test_a_killed_mediasoup_worker_is_replaced(stack, watched, report):
    workers = stack.sfu_status()["workers"]
    busy = next(worker for worker in workers if worker["rooms"])
    ffmpeg = watched.ffmpeg
    heal(
        watched,
        report,
        "kill -9 a mediasoup Worker",
        lambda: os.kill(busy["pid"], signal.SIGKILL),
        lambda: len(stack.pids("mediasoup")) == len(workers) and busy["pid"] not in stack.pids("mediasoup"),
    )
    assert watched.ffmpeg == ffmpeg, "FFmpeg continues: the room keeps its ports"


@pytest.mark.parametrize("name", ["clock", "jobs"])
def test_live_video_continues_without_a_process_that_it_does_not_need(stack, watched, report, name):
    old, ffmpeg, moment = stack.process(name).pid, watched.ffmpeg, time.time()
    heal(
        watched,
        report,
        f"kill -9 {name}",
        lambda: stack.kill(name),
        lambda: stack.process(name).pid not in (None, old),
    )
    watched.assert_never_stops(moment)
    assert watched.ffmpeg == ffmpeg


def test_a_killed_web_process_is_replaced_and_live_video_continues_meanwhile(stack, watched, report):
    ffmpeg, moment = watched.ffmpeg, time.time()
    stack.kill("web")
    stack.wait_until(lambda: stack.process("web").deaths, 5, "the death is detected")
    answers = lambda: stack.process("web").pid and stack.api.get("/health/live")  # noqa: E731
    stack.wait_until(answers, BUDGET_SECONDS + MARGIN_SECONDS, "the API answers")
    report.add(
        "kill -9 web (until the API answers)", time.time() - moment, watched.viewer.has_continued, BUDGET_SECONDS
    )
    watched.recover(moment, BUDGET_SECONDS)
    watched.assert_never_stops(moment)
    assert watched.ffmpeg == ffmpeg
    assert watched.viewer.state == "live"


def test_a_device_starts_even_if_its_worker_died_with_the_message(stack, add_camera, add_device, report):
    worker = stack.running_pid("stream")
    os.kill(worker, signal.SIGSTOP)
    device_id = add_device(add_camera())
    moment = time.time()
    os.kill(worker, signal.SIGKILL)
    stack.wait_for_state(device_id, "running", BUDGET_SECONDS + MARGIN_SECONDS)
    report.add("kill -9 stream worker with a start message", time.time() - moment, budget_seconds=BUDGET_SECONDS)
