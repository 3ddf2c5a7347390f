"""Who waits for a picture gets the answer of whichever worker took the request, once; and nobody waits in vain."""

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
def ask(queue):
    """Asks from a thread of its own, which is ended with the test; gives where the answer will be."""
    threads = []

    def ask(asked: CaptureRequest, wait_seconds: float = 5) -> list:
        answers: list = []
        threads.append(threading.Thread(target=lambda: answers.append(queue.ask(asked, wait_seconds=wait_seconds))))
        threads[-1].start()
        return answers

    yield ask
    for thread in threads:
        thread.join(10)


def test_the_one_that_asked_gets_the_answer_with_its_picture(queue, ask):
    asked = request(kind="historical", at_ms=7, accuracy="exact", tags=("a", "b"), note="n", width=320, schedule_id=3)
    answers = ask(asked)
    taken = queue.take(wait_seconds=5)
    assert taken == asked
    # A picture may hold any bytes, also those between the facts and itself.
    given = CaptureAnswer(at_ms=7, picture=b"\xff\xd8\n{}\n\x00", nearest_after_ms=9, message="not here")
    queue.answer(taken.id, given)
    wait_until(lambda: answers, "the answer is there")
    assert answers == [given]


def test_each_request_is_taken_by_one_worker_the_oldest_first(queue):
    for number in range(3):
        queue.send(request(number), keep_seconds=5)
    assert queue.waiting() == 3
    assert [queue.take(wait_seconds=1) for _ in range(3)] == [request(number) for number in range(3)]
    assert queue.waiting() == 0


def test_what_nobody_waits_for_any_more_is_not_begun(queue):
    assert queue.ask(request(1), wait_seconds=0.05) is None
    queue.send(request(2), keep_seconds=5)
    assert queue.take(wait_seconds=1) is None
    assert queue.take(wait_seconds=1) == request(2)


def test_what_was_sent_without_waiting_is_passed_over_when_it_is_too_late(queue, client):
    queue.send(request(1, what=CLIP), keep_seconds=0.03)
    wait_until(lambda: not client.exists(f"vas:capture:{request(1).id}"), "it has expired")
    assert queue.take(wait_seconds=1) is None


def test_the_answer_to_what_was_sent_can_be_collected_once(queue):
    assert queue.collect(request().id) is None
    queue.answer(request().id, CaptureAnswer(reason="no_picture"))
    assert queue.collect(request().id) == CaptureAnswer(reason="no_picture")
    assert queue.collect(request().id) is None


def test_a_queue_that_nobody_serves_does_not_grow_without_end(queue, client):
    for number in range(2005):
        queue.send(request(number), keep_seconds=1)
    assert queue.waiting() == 2000


def test_a_request_of_a_newer_version_is_still_read(queue):
    assert CaptureRequest.from_dict({**request().to_dict(), "asked": {"note": "x"}}) == request()


def test_waits_are_shorter_than_the_time_limit_of_the_connection():
    queue = CaptureQueue.connect(make_config())
    assert queue._redis.connection_pool.connection_kwargs["socket_timeout"] > 10


def test_without_redis_everyone_is_told_at_once():
    queue = CaptureQueue(connect_redis("redis://127.0.0.1:1/0"))
    for call in (
        lambda: queue.ask(request(), wait_seconds=1),
        lambda: queue.take(wait_seconds=1),
        queue.waiting,
        lambda: queue.collect("x"),
        lambda: queue.answer("x", CaptureAnswer()),
    ):
        with pytest.raises(Unavailable) as raised:
            call()
        assert raised.value.reason == "redis_unavailable"
        assert raised.value.message == "the queue (Redis) does not answer"
