"""The bell of a process: what is due is sent at its end, and it leaves no thread."""

import threading

from gateway.events.bell import WAKE_CHANNEL, hang_bell, ring, take_bell_down
from gateway.redis_client import connect_redis
from tests.conftest import wait_until
from tests.factories import make_config


def bells() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "events-bell"]


def test_a_process_has_one_bell_and_at_its_end_none(redis_url):
    config = make_config(redis_url=redis_url)
    for _ in range(3):
        hang_bell(config)
        ring()
    assert len(bells()) == 1, "the ones before have ended"
    take_bell_down()
    take_bell_down()
    assert bells() == []
    ring()
    assert bells() == []


def test_what_was_rung_last_is_heard(redis_url):
    client = connect_redis(redis_url)
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(WAKE_CHANNEL)
    wait_until(lambda: client.pubsub_numsub(WAKE_CHANNEL)[0][1] == 1, "it listens")
    hang_bell(make_config(redis_url=redis_url))
    ring()
    take_bell_down()
    wait_until(lambda: listener.get_message(timeout=1), "it hears the bell")
    listener.close()
    client.close()
