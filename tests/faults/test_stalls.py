"""Processes that are suspended without dying are detected by their inactivity."""

import os
import signal
import time

import pytest

from gateway.leases import STREAM, WorkerSlots
from tests.faults.conftest import STALL_SECONDS
from tests.stack import FfmpegWatch, procfs

BUDGET_SECONDS = 15
MARGIN_SECONDS = 5
#: A worker reports its used slots every few seconds, and checks its leases more often.
YIELD_SECONDS = 15


def test_a_suspended_ffmpeg_is_replaced_and_viewers_notice_nothing(watched, report):
    old, moment = watched.ffmpeg, time.time()
    os.kill(old, signal.SIGSTOP)
    recovery = watched.recover(moment, BUDGET_SECONDS + MARGIN_SECONDS, lambda: not procfs.is_alive(old))
    report.add("SIGSTOP FFmpeg", recovery, watched.viewer.has_continued, BUDGET_SECONDS)
    watched.assert_never_stops(moment)
    assert watched.events_since(moment) == [], "the stream ran all the time"


@pytest.mark.parametrize("victim", ["sfu", "mediasoup worker"])
def test_a_suspended_sfu_stops_neither_the_stream_nor_its_parts(stack, watched, report, victim):
    workers = stack.sfu_status()["workers"]
    busy = next(worker for worker in workers if worker["rooms"])
    pid = stack.process("sfu").pid if victim == "sfu" else busy["pid"]
    ffmpeg, moment = watched.ffmpeg, time.time()
    os.kill(pid, signal.SIGSTOP)
    try:
        until = moment + STALL_SECONDS + 4
        stack.wait_until(lambda: watched.has_parts_after(until), STALL_SECONDS + 15, "parts go on")
    finally:
        if procfs.is_alive(pid):
            os.kill(pid, signal.SIGCONT)
    parts = [part for part in watched.bus().read(watched.device_id, None, count=1000) if part.start > moment - 2]
    assert len({part.run for part in parts}) == 1
    assert [part.sequence for part in parts] == list(range(parts[0].sequence, parts[0].sequence + len(parts)))
    recovery = watched.recover(time.time(), 30)
    report.add(f"SIGSTOP {victim} for {STALL_SECONDS + 4:.0f} s", recovery, watched.viewer.has_continued, 30)
    assert watched.ffmpeg == ffmpeg
    assert watched.events_since(moment) == [], "the stream ran all the time"


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
