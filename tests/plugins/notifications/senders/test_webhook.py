"""Webhooks: signatures, and receivers with bad habits."""

import asyncio
import json

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from plugins.notifications import http_client
from plugins.notifications.network import AddressPolicy
from plugins.notifications.senders.outcome import Message, Outcome
from plugins.notifications.senders.webhook import check_secret, new_secret, send_webhook, sign
from tests.plugins.notifications.conftest import LOCAL

SECRET = new_secret()
MESSAGE = Message("msg_1", "detection.began", 1_795_341_600_000, "Gate: person", "10:00 ä", {"event": {"id": 7}})


def send(url: str, *, secrets=(SECRET,), policy=LOCAL, message=MESSAGE, **config) -> Outcome:
    return asyncio.run(send_webhook(message, {"url": url, **config}, secrets, policy))


def test_a_receiver_checks_the_signature_with_the_library_of_the_specification(receiver):
    assert send(receiver.url(), headers={"X-Own": "7"}) == Outcome(ok=True, status=200, answer="answer")
    (request,) = receiver.received
    content = Webhook(SECRET).verify(request.body, request.headers)
    assert content["type"] == "detection.began"
    assert content["timestamp"] == "2026-11-22T10:00:00.000Z"
    assert content["data"]["title"] == "Gate: person"
    assert content["data"]["event"] == {"id": 7}
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["x-own"] == "7"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", request.headers)


def test_while_a_secret_is_rotated_both_verify(receiver):
    old = new_secret()
    send(receiver.url(), secrets=(SECRET, old))
    (request,) = receiver.received
    assert Webhook(SECRET).verify(request.body, request.headers)
    assert Webhook(old).verify(request.body, request.headers)


def test_the_message_id_stays_and_the_time_of_the_signature_is_that_of_the_attempt():
    first, second = sign("msg_1", b"{}", [SECRET], 100.5), sign("msg_1", b"{}", [SECRET], 200)
    assert first["webhook-id"] == second["webhook-id"]
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("100", "200")


def test_a_redirect_is_not_followed(receiver):
    outcome = send(receiver.url("/redirect"))
    assert (outcome.ok, outcome.reason, outcome.status) == (False, "redirected", 302)
    assert [request.path for request in receiver.received] == ["/redirect"]


def test_of_an_answer_of_10_megabytes_64_kilobytes_are_read(receiver):
    outcome = send(receiver.url("/big"))
    assert outcome.ok
    assert len(outcome.answer) == 500
    assert receiver.sent_bytes < 10 << 20


def test_a_receiver_that_never_answers_costs_the_time_limit(receiver, monkeypatch):
    monkeypatch.setattr(http_client, "TIMEOUT_SECONDS", 0.3)
    outcome = send(receiver.url("/never"))
    assert (outcome.ok, outcome.reason, outcome.is_final) == (False, "timed_out", False)


def test_an_answer_that_never_ends_counts_by_its_status_after_the_time_limit(receiver, monkeypatch):
    monkeypatch.setattr(http_client, "TIMEOUT_SECONDS", 0.3)
    outcome = send(receiver.url("/drip"))
    assert (outcome.ok, outcome.status) == (True, 200)


def test_410_ends_the_channel_and_other_refusals_are_tried_again(receiver):
    gone = send(receiver.url("/status/410"))
    assert (gone.is_final, gone.is_gone) == (True, True)
    busy = send(receiver.url("/status/503"))
    assert (busy.ok, busy.is_final, busy.retry_after_seconds, busy.answer) == (False, False, 120, "answer")


def test_what_is_no_http_is_a_failure_in_words(receiver):
    outcome = send(receiver.url("/garbage"))
    assert not outcome.ok
    assert outcome.error


def test_a_closed_port_is_unreachable():
    outcome = send("http://127.0.0.1:1/")
    assert outcome.reason == "unreachable"


def test_an_address_that_became_private_is_refused_at_each_attempt(receiver):
    outcome = send(receiver.url(), policy=AddressPolicy())
    assert outcome.reason == "address_not_allowed"
    assert receiver.received == []


def test_the_connection_goes_to_the_address_that_was_checked(receiver):
    """A name that resolves to something else by then changes nothing."""
    answers = [["127.0.0.1"]]
    policy = AddressPolicy(["127.0.0.0/8"], resolve=lambda host: answers.pop())
    outcome = send(f"http://rebinding.example:{receiver.port}/ok", policy=policy)
    assert outcome.ok
    assert answers == []
    assert receiver.received[0].headers["host"] == f"rebinding.example:{receiver.port}"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_abc", "x" * 40, "whsec_" + "!" * 40, "whsec_" + "A" * 400])
def test_a_weak_or_malformed_secret_is_refused(secret: str):
    assert check_secret(secret)
    assert check_secret(new_secret()) is None


def test_texts_that_are_no_utf_8_do_not_stop_a_message(receiver):
    assert send(receiver.url(), message=Message("m", "t", 0, "a\ud800", "b")).ok
    assert json.loads(receiver.received[0].body)["data"]["title"] == "a?"
