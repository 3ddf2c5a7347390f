"""Processes that are suspended without dying are detected by their inactivity."""

import os
import signal
import time

from gateway.leases import STREAM, WorkerSlots
from tests.faults.conftest import STALL_SECONDS
from tests.stack import FfmpegWatch, procfs

BUDGET_SECONDS = 15
MARGIN_SECONDS = 5
#: A worker reports its used slots every few seconds, and checks its leases more often.
YIELD_SECONDS = 15


def test_a_suspended_ffmpeg_is_detected_as_a_stall_and_replaced(watched, report):
    old, moment = watched.ffmpeg, time.time()
    os.kill(old, signal.SIGSTOP)
    recovery = watched.recover(moment, BUDGET_SECONDS + MARGIN_SECONDS, lambda: not procfs.is_alive(old))
    report.add(
        f"SIGSTOP FFmpeg (STALL_SECONDS={STALL_SECONDS})", recovery, watched.viewer.has_continued, BUDGET_SECONDS
    )
    assert recovery <= BUDGET_SECONDS + MARGIN_SECONDS
    assert {"stalled", "output_stalled"} & set(watched.reasons_since(moment))


def test_a_worker_suspended_for_longer_than_its_lease_yields_to_the_new_owner(stack, second_worker, watched, report):
    suspended = stack.running_pid(watched.owning_worker("stream", second_worker))
    old, owner = watched.ffmpeg, stack.stream(watched.device_id)["worker"]
    with FfmpegWatch(watched.device_id) as ffmpegs:
        moment = time.time()
        os.kill(suspended, signal.SIGSTOP)
        try:
            recovery = watched.recover(moment, BUDGET_SECONDS + MARGIN_SECONDS, lambda: watched.ffmpeg != old)
        finally:
            os.kill(suspended, signal.SIGCONT)
        taken_over, awake = watched.ffmpeg, time.time()
        # Resumed, it must see within a renewal or two that it no longer owns the device: then it has no slot in use.
        slots = WorkerSlots(stack.redis.client())
        stack.wait_until(
            lambda: slots.read(STREAM).get(owner, (1, 0))[0] == 0, YIELD_SECONDS, "the suspended worker yields"
        )
        watched.recover(awake, 10)
    report.add("SIGSTOP stream worker beyond its lease", recovery, watched.viewer.has_continued, BUDGET_SECONDS)
    assert recovery <= BUDGET_SECONDS + MARGIN_SECONDS
    assert watched.ffmpeg == taken_over
    assert stack.stream(watched.device_id)["worker"] != owner
    assert procfs.is_alive(suspended), "the worker that yields stays alive for its other devices"
    assert ffmpegs.samples > 50
    assert ffmpegs.doubles == []
    watched.assert_never_stops(awake)
