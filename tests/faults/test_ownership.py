"""One device has one FFmpeg: with two workers, on a hand-over, and at the end of a worker."""

import os
import signal
import time

from gateway.streams.messages import RUN_STREAM, STREAM_QUEUE
from tests.stack import FfmpegWatch, Stack, procfs


def test_with_two_workers_and_many_start_messages_a_device_has_one_ffmpeg(stack, second_worker, add_camera, add_device):
    device_id = add_device(add_camera(), start_mode="manual")
    with FfmpegWatch(device_id) as ffmpegs:
        stack.api.post(f"/rtsp/streams/{device_id}/start")
        for _ in range(10):
            enqueue_start(stack, device_id)
        stack.wait_for_state(device_id, "running")
        enqueue_start(stack, device_id)
        os.kill(stack.ffmpeg_pids(device_id)[0], signal.SIGKILL)
        stack.wait_until(lambda: len(ffmpegs.pids) > 1, 10, "another FFmpeg has started")
        stack.wait_for_state(device_id, "running")
        queue_is_empty = lambda: stack.redis.client().llen(f"dramatiq:{STREAM_QUEUE}") == 0  # noqa: E731
        stack.wait_until(queue_is_empty, 10, "all start messages are taken")
        stack.wait_until(lambda: ffmpegs.samples > 50, 20, "it was looked often enough")
    assert ffmpegs.samples > 50
    assert ffmpegs.doubles == []


def test_sigterm_hands_streams_over_to_another_worker_and_leaves_no_ffmpeg(stack, second_worker, watched, report):
    leaving = watched.owning_worker("stream", second_worker)
    old, moment = watched.ffmpeg, time.time()
    with FfmpegWatch(watched.device_id) as ffmpegs:
        took = stack.stop(leaving)
        try:
            assert not procfs.is_alive(old)
            recovery = watched.recover(moment, 15, lambda: watched.ffmpeg != old)
        finally:
            if leaving == "stream":
                stack.resume(leaving)
    report.add(f"SIGTERM stream worker (it ended in {took:.1f} s)", recovery, watched.viewer.has_continued, 15)
    assert took < 20
    assert ffmpegs.doubles == []
    assert "worker_stopped" in watched.reasons_since(moment)


def test_sigterm_of_the_only_worker_leaves_no_ffmpeg_and_the_next_one_takes_over(stack, watched, report):
    old, moment = watched.ffmpeg, time.time()
    took = stack.stop("stream")
    assert took < 20
    assert not procfs.is_alive(old)
    assert stack.ffmpeg_pids(watched.device_id) == []
    stack.resume("stream")
    recovery = watched.recover(moment, 20)
    report.add("SIGTERM of the only stream worker, then a new one", recovery, watched.viewer.has_continued, 15)


def test_a_signal_to_the_process_group_leaves_no_ffmpeg(stack, watched):
    old, head = watched.ffmpeg, stack.process("stream").pid
    stack.process("stream").is_wanted = False
    os.killpg(head, signal.SIGTERM)
    stack.wait_until(lambda: stack.process("stream").pid is None, 20, "the worker ends")
    assert not procfs.is_alive(old)
    stack.resume("stream")
    watched.recover(time.time(), 20)


def enqueue_start(stack: Stack, device_id: str) -> None:
    """Send a start message past the mark that keeps the queue short, like a repeated delivery."""
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=stack.redis.url, middleware=[])
    broker.declare_queue(STREAM_QUEUE)
    broker.enqueue(
        dramatiq.Message(queue_name=STREAM_QUEUE, actor_name=RUN_STREAM, args=(device_id,), kwargs={}, options={})
    )
    broker.close()
