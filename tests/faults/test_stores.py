"""Redis and PostgreSQL go away and come back: live video does not stop, and everything works afterwards."""

import os
import signal
import time

AWAY_SECONDS = 10
#: Time after a store's return within which everything that needs it works again.
BACK_SECONDS = 15


def test_a_restart_of_redis_that_empties_it_does_not_stop_live_video(watched, report, add_camera, add_device):
    resume = lambda: assert_jobs_resume(watched.stack, add_camera, add_device)  # noqa: E731
    live_through(watched, report, "Redis restarted, empty", watched.stack.redis.restart, resume)


def test_an_outage_of_redis_for_ten_seconds_does_not_stop_live_video(watched, report, add_camera, add_device):
    def be_away() -> None:
        watched.stack.redis.stop()
        assert watched.viewer.frames_in(AWAY_SECONDS) > 8 * AWAY_SECONDS
        watched.stack.redis.start()

    resume = lambda: assert_jobs_resume(watched.stack, add_camera, add_device)  # noqa: E731
    live_through(watched, report, f"Redis away for {AWAY_SECONDS} s", be_away, resume)
    assert watched.bus().latest_group(watched.device_id) is not None


def test_footage_of_an_outage_of_redis_reaches_the_bus_afterwards(watched):
    moment = time.time()
    watched.stack.redis.stop()
    watched.viewer.frames_in(3)
    back = time.time()
    watched.stack.redis.start()
    watched.stack.wait_until(lambda: watched.has_parts_after(back), BACK_SECONDS, "the bus carries parts again")
    parts = watched.bus().read(watched.device_id, None, count=1000)
    missed = [part for part in parts if moment + 0.5 < part.start < back]
    assert sum(part.duration for part in missed) > 1.5
    assert [part.position for part in parts] == sorted(part.position for part in parts)


def test_a_restarted_database_does_not_stop_live_video(watched, report, add_camera, add_device):
    resume = lambda: assert_jobs_resume(watched.stack, add_camera, add_device)  # noqa: E731
    live_through(watched, report, "PostgreSQL restarted", watched.stack.postgres.restart, resume)


def test_an_ffmpeg_that_dies_without_the_database_is_replaced_in_the_same_run(watched, report):
    stack, old = watched.stack, watched.ffmpeg
    run = stack.stream(watched.device_id)["run"]
    stack.postgres.stop()
    moment = time.time()
    try:
        os.kill(old, signal.SIGKILL)
        stack.wait_until(lambda: watched.ffmpeg != old, 15, "a new FFmpeg")
        watched.viewer.wait_drawn_after(moment + 0.5, 15, count=10)
    finally:
        stack.postgres.start()
    recovery = watched.recover(moment, 20)
    report.add("kill -9 FFmpeg while PostgreSQL is away", recovery, watched.viewer.has_continued, 15)
    watched.assert_never_stops(moment)
    assert stack.stream(watched.device_id)["run"] == run


def live_through(watched, report, fault: str, do, resume) -> None:
    """Run `do`, then `resume` what needs the store; no picture may be missing in the page, FFmpeg must be the same."""
    ffmpeg, moment = watched.ffmpeg, time.time()
    do()
    back = time.time()
    watched.recover(back, BACK_SECONDS)
    resume()
    # Longer than the clock process waits, so that its mistakes would show.
    watched.stack.wait_until(lambda: time.time() - back > 6, 10, "the clock process has reconciled again")
    gap = watched.viewer.longest_gap(moment)
    report.add(fault, None if gap < 1 else gap, watched.viewer.has_continued)
    assert watched.ffmpeg == ffmpeg
    watched.assert_never_stops(moment)


def assert_jobs_resume(stack, add_camera, add_device) -> None:
    """A probe is answered and a new device starts."""
    url = add_camera("other")
    assert stack.api.post("/devices/probe", {"source_url": url})["reachable"]
    stack.wait_for_state(add_device(url), "running", 20)
