"""Web push to an endpoint of our own."""

import asyncio
import base64
import json

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from plugins.notifications.senders.outcome import Message, Outcome
from plugins.notifications.senders.push import Subscriber, has_valid_keys, new_key, send_push
from tests.plugins.notifications.conftest import LOCAL

AUTH = bytes(range(16))
BROWSER = ec.generate_private_key(ec.SECP256R1())
MESSAGE = Message("msg_" + "7" * 32, "detection.began", 0, "Gate", "x" * 5000, snapshot_id="s", link="/devices/7")


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def subscriber(url: str, name: str = "1") -> Subscriber:
    point = BROWSER.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return Subscriber(name, url, encode(point), encode(AUTH))


@pytest.fixture
def key() -> tuple[str, str]:
    return new_key()


def send(key: tuple[str, str], *subscribers: Subscriber, message=MESSAGE, forgotten: list | None = None) -> Outcome:
    forgotten = [] if forgotten is None else forgotten
    return asyncio.run(
        send_push(
            message,
            subscribers,
            key_pem=key[0],
            contact="mailto:vas@example.org",
            policy=LOCAL,
            forget=forgotten.append,
        )
    )


def test_a_browser_decrypts_the_message_and_the_service_checks_the_key(receiver, key):
    assert send(key, subscriber(receiver.url())).ok
    (request,) = receiver.received
    text = http_ece.decrypt(request.body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
    content = json.loads(text)
    assert (content["title"], content["link"], content["snapshot_id"]) == ("Gate", "/devices/7", "s")
    assert len(request.body) < 4096
    assert request.headers["content-encoding"] == "aes128gcm"
    assert int(request.headers["ttl"]) > 0
    assert len(request.headers["topic"]) <= 32
    token, public = request.headers["authorization"].removeprefix("vapid t=").split(",k=")
    assert public.rstrip("=") == key[1]
    raw = base64.urlsafe_b64decode(key[1] + "=" * (-len(key[1]) % 4))
    jwk = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": encode(raw[1:33]), "y": encode(raw[33:])})
    claims = jwt.decode(token, jwk, algorithms=["ES256"]).claims
    assert claims["aud"] == f"http://127.0.0.1:{receiver.port}"
    assert claims["sub"] == "mailto:vas@example.org"


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_has_ended_is_forgotten(receiver, key, status):
    forgotten: list[str] = []
    outcome = send(
        key,
        subscriber(receiver.url(f"/status/{status}"), "old"),
        subscriber(receiver.url(), "new"),
        forgotten=forgotten,
    )
    assert forgotten == ["old"]
    assert (outcome.ok, outcome.progress) == (True, {"done": ["new"]})


def test_a_repetition_reaches_only_the_browsers_that_do_not_have_it_yet(receiver, key):
    both = subscriber(receiver.url(), "a"), subscriber(receiver.url("/status/500"), "b")
    first = send(key, *both)
    assert (first.ok, first.is_final, first.progress) == (False, False, {"done": ["a"]})
    receiver.received.clear()
    again = Message(MESSAGE.id, "t", 0, "x", "y", progress=first.progress)
    send(key, *both, message=again)
    assert [request.path for request in receiver.received] == ["/status/500"]


def test_without_a_browser_nothing_is_tried_again(key):
    outcome = send(key)
    assert (outcome.ok, outcome.reason, outcome.is_final) == (False, "no_subscribers", True)


def test_keys_of_a_subscription_are_checked():
    good = subscriber("https://push.example/x")
    assert has_valid_keys(good.endpoint, good.p256dh, good.auth)
    assert not has_valid_keys(good.endpoint, "nothing", good.auth)
    assert not has_valid_keys(good.endpoint, good.p256dh[:-4], good.auth)
    assert not has_valid_keys(good.endpoint, good.p256dh, "é")
