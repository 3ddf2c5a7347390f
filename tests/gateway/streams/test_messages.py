"""Messages carry ids to the right queue, and a start is requested once until it is taken."""

import dramatiq
import pytest

from gateway.errors import Unavailable
from gateway.streams.messages import ACTORS, PROBE_SOURCE, RUN_STREAM, Messages
from tests.factories import make_config


@pytest.fixture
def messages(redis_url) -> Messages:
    return Messages.connect(make_config(redis_url=redis_url))


def queued(client, queue: str) -> list[dramatiq.Message]:
    return [dramatiq.Message.decode(data) for data in client.hvals(f"dramatiq:{queue}.msgs")]


def test_a_start_goes_to_the_stream_queue_with_nothing_but_the_id(client, messages):
    assert messages.start_stream("d1")
    message = queued(client, "stream")[0]
    assert (message.actor_name, message.args, message.kwargs) == (RUN_STREAM, ("d1",), {})


def test_a_start_is_sent_once_until_a_worker_has_taken_it(client, messages):
    assert messages.start_stream("d1")
    assert not messages.start_stream("d1")
    assert messages.start_stream("d2")
    messages.start_taken("d1")
    assert messages.start_stream("d1")
    assert sorted(message.args[0] for message in queued(client, "stream")) == ["d1", "d1", "d2"]


def test_a_start_that_no_worker_took_may_be_sent_again_after_some_time(client, messages):
    messages.start_stream("d1")
    assert 0 < client.pttl("vas:pending:d1") <= 10_000


def test_a_probe_goes_to_the_jobs_queue(client, messages):
    messages.probe_source("p1")
    assert [(m.actor_name, m.args) for m in queued(client, "jobs")] == [(PROBE_SOURCE, ("p1",))]


def test_an_outage_of_the_queue_is_reported_as_such():
    messages = Messages.connect(make_config(redis_url="redis://127.0.0.1:1/0"))
    for ask in (lambda: messages.start_stream("d1"), lambda: messages.probe_source("p1")):
        with pytest.raises(Unavailable) as raised:
            ask()
        assert raised.value.reason == "redis_unavailable"
        # Callers see the message; the address is for the log.
        assert raised.value.message == "the queue (Redis) does not answer"
        assert "127.0.0.1:1" in str(raised.value)
    messages.start_taken("d1")


def test_every_message_has_a_queue():
    assert set(ACTORS.values()) == {"stream", "record", "outputs", "jobs"}


def test_a_start_that_could_not_be_sent_may_be_retried_at_once(messages, monkeypatch):
    def fail(*_, **__):
        raise Unavailable("the queue (Redis) does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(messages, "_send", fail)
        with pytest.raises(Unavailable):
            messages.start_stream("d1")
    assert messages.start_stream("d1")
