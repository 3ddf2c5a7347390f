"""A request is taken by one worker, its caller gets the answer once, and every wait is limited."""

import threading

import pytest

from gateway.captures.queue import CLIP, CaptureAnswer, CaptureQueue, CaptureRequest
from gateway.errors import Unavailable
from gateway.redis_client import connect_redis
from tests.conftest import wait_until
from tests.factories import make_config


@pytest.fixture
def queue(client) -> CaptureQueue:
    return CaptureQueue(client)


def request(number: int = 1, **values) -> CaptureRequest:
    return CaptureRequest(id=f"00000000-0000-4000-8000-{number:012}", tenant_id="t", device_id="d", **values)


@pytest.fixture
def send_and_wait(queue):
    """Send a request from a thread, which is joined at the end; returns the list for its answer."""
    threads = []

    def send_and_wait(sent: CaptureRequest, wait_seconds: float = 5) -> list:
        answers: list = []
        threads.append(threading.Thread(target=lambda: answers.append(queue.request(sent, wait_seconds=wait_seconds))))
        threads[-1].start()
        return answers

    yield send_and_wait
    for thread in threads:
        thread.join(10)


def test_the_caller_gets_the_answer_with_its_picture(queue, send_and_wait):
    sent = request(kind="historical", at_ms=7, accuracy="exact", tags=("a", "b"), note="n", width=320, schedule_id=3)
    answers = send_and_wait(sent)
    taken = queue.take(wait_seconds=5)
    assert taken == sent
    # A picture may contain any bytes, also the separator.
    given = CaptureAnswer(at_ms=7, picture=b"\xff\xd8\n{}\n\x00", nearest_after_ms=9, message="not here")
    queue.answer(taken.id, given)
    wait_until(lambda: answers, "the answer is there")
    assert answers == [given]


def test_each_request_is_taken_by_one_worker_oldest_first(queue):
    for number in range(3):
        queue.send(request(number), keep_seconds=5)
    assert queue.waiting() == 3
    assert [queue.take(wait_seconds=1) for _ in range(3)] == [request(number) for number in range(3)]
    assert queue.waiting() == 0


def test_a_request_that_timed_out_is_not_started(queue):
    assert queue.request(request(1), wait_seconds=0.05) is None
    queue.send(request(2), keep_seconds=5)
    assert queue.take(wait_seconds=1) is None
    assert queue.take(wait_seconds=1) == request(2)


def test_a_request_sent_without_waiting_is_skipped_when_it_is_too_old(queue, client):
    queue.send(request(1, what=CLIP), keep_seconds=0.03)
    wait_until(lambda: not client.exists(f"vas:capture:{request(1).id}"), "it has expired")
    assert queue.take(wait_seconds=1) is None


def test_the_answer_to_a_sent_request_is_collected_once(queue):
    assert queue.collect(request().id) is None
    queue.answer(request().id, CaptureAnswer(reason="no_picture"))
    assert queue.collect(request().id) == CaptureAnswer(reason="no_picture")
    assert queue.collect(request().id) is None


def test_a_queue_without_workers_does_not_grow_without_limit(queue, client):
    for number in range(2005):
        queue.send(request(number), keep_seconds=1)
    assert queue.waiting() == 2000


def test_a_request_of_a_newer_version_is_still_read(queue):
    assert CaptureRequest.from_dict({**request().to_dict(), "asked": {"note": "x"}}) == request()


def test_waits_are_shorter_than_the_timeout_of_the_connection():
    queue = CaptureQueue.connect(make_config())
    assert queue._redis.connection_pool.connection_kwargs["socket_timeout"] > 10


def test_without_redis_every_method_fails_immediately():
    queue = CaptureQueue(connect_redis("redis://127.0.0.1:1/0"))
    for call in (
        lambda: queue.request(request(), wait_seconds=1),
        lambda: queue.take(wait_seconds=1),
        queue.waiting,
        lambda: queue.collect("x"),
        lambda: queue.answer("x", CaptureAnswer()),
    ):
        with pytest.raises(Unavailable) as raised:
            call()
        assert raised.value.reason == "redis_unavailable"
        assert raised.value.message == "the queue (Redis) does not answer"
