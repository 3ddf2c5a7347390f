"""The stream of events of a running web process: no thread waits for listeners, and faults of others are bridged."""

import contextlib
import json
import socket
import time

import pytest
import requests

from gateway import database
from gateway.events.bell import hang_bell
from gateway.events.model import record_event, record_events
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.conftest import RedisServer, wait_until
from tests.factories import make_config

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
STREAM = "/api/v1/events/stream?kind=motion"


class Listener:
    """A client of the stream on a connection of its own."""

    def __init__(self, web, target=STREAM, *headers):
        self._client = web.connect()
        self._client.get(target, *headers)
        self._file = self._client.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value
        self.last_id = None

    def next(self, seconds=10.0):
        """The data of the next event; None at the end."""
        self._client.socket.settimeout(seconds)
        while (line := self._file.readline()) != b"":
            if line.startswith(b"id: "):
                self.last_id = line[4:].strip().decode()
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        return None

    def close(self):
        self._file.close()
        self._client.socket.close()


@pytest.fixture
def listen(request):
    opened = []

    def listen(*arguments):
        opened.append(Listener(*arguments))
        return opened[-1]

    yield listen
    for listener in opened:
        listener.close()


@pytest.fixture
def bell(bound_database, redis_url):
    bell = hang_bell(make_config(redis_url=redis_url))
    yield bell
    bell.close()


def record(text):
    return record_event(DEFAULT_TENANT_ID, None, "motion", text)


def test_many_listeners_hold_no_thread_and_get_everything_soon(web, bell, listen, note):
    listeners = [listen(web) for _ in range(60)]
    assert {listener.status for listener in listeners} == {200}
    assert listeners[0].headers["content-type"].startswith("text/event-stream")
    # With its two threads.
    assert requests.get(f"{web.url}/devices", timeout=10).ok
    for number in range(5):
        began = time.monotonic()
        record(str(number))
        assert {listener.next()["text"] for listener in listeners} == {str(number)}
        note(f"event {number} to all 60 listeners: {(time.monotonic() - began) * 1000:.0f} ms")


@ON_SQLITE
def test_a_burst_of_ten_thousand_events_reaches_a_listener_completely(web, bell, listen):
    listener = listen(web)
    one = {"tenant_id": DEFAULT_TENANT_ID, "device_id": None, "kind": "motion"}
    for start in range(0, 10_000, 1000):
        record_events([one | {"text": str(number)} for number in range(start, start + 1000)])
    expected = iter(range(10_000))
    found = listener.next()
    while found is not None and found["text"] != "9999":
        assert found["text"] == str(next(expected))
        found = listener.next()
        if found is None:  # cut off as too slow: it goes on where it was
            listener = listen(web, STREAM, f"Last-Event-ID: {listener.last_id}")
            found = listener.next()
    assert next(expected) == 9999


@ON_SQLITE
def test_a_listener_that_never_reads_is_cut_off_and_others_are_served(web, bell, listen):
    idle = web.connect(receive_bytes=65_536)
    idle.get(STREAM)
    listener = listen(web)
    for number in range(120):
        record_event(DEFAULT_TENANT_ID, None, "motion", str(number), data={"x": "y" * 60_000})
        assert listener.next()["text"] == str(number)
    # What was sent before it was cut off is still to be read.
    idle.socket.settimeout(20)
    received, end = 0, b""
    with contextlib.suppress(ConnectionError):
        # The reply ends with an empty chunk (RFC 9112, 7.1), or the connection with it.
        while not end.endswith(b"0\r\n\r\n") and (piece := idle.socket.recv(1 << 20)):
            received += len(piece)
            end = (end + piece)[-5:]
    assert received < 120 * 60_000


@ON_SQLITE
def test_a_stop_ends_all_streams_at_once_and_a_client_goes_on_after_it(start_web, bell, listen):
    web = start_web()
    listener = listen(web)
    record("a")
    assert listener.next()["text"] == "a"
    began = time.monotonic()
    web.stop()
    assert time.monotonic() - began < 10
    assert listener.next() is None
    record("while it was away")
    web = start_web()
    assert listen(web, STREAM, f"Last-Event-ID: {listener.last_id}").next()["text"] == "while it was away"


@ON_SQLITE
def test_there_is_a_limit_of_listeners(start_web, bell, listen):
    web = start_web(WEB_LISTENERS=5, WEB_LISTENERS_PER_CLIENT=3)
    listeners = [listen(web) for _ in range(3)]
    answer = requests.get(f"{web.url}/events/stream", timeout=10)
    assert (answer.status_code, answer.json()["reason"]) == (503, "too_many_listeners")
    assert answer.headers["Retry-After"]
    listeners[0].close()
    wait_until(lambda: listen(web).status == 200, "a place is free again")


@ON_SQLITE
def test_without_redis_events_come_a_little_later(start_web, bound_database, tmp_path, listen):
    redis = RedisServer(tmp_path)
    redis.start()
    web = start_web(REDIS_URL=redis.url)
    bell = hang_bell(make_config(redis_url=redis.url))
    listener = listen(web)
    record("with Redis")
    assert listener.next()["text"] == "with Redis"
    redis.stop()
    record("without Redis")
    assert listener.next(15)["text"] == "without Redis"
    redis.start()
    record("with Redis again")
    assert listener.next(15)["text"] == "with Redis again"
    redis.stop()
    bell.close()


@ON_SQLITE
def test_while_the_database_is_away_the_stream_stays(web, bell, listen, tmp_path, database_url):
    listener = listen(web)
    record("a")
    assert listener.next()["text"] == "a"
    with database.session() as db:
        db.execute_sql("ALTER TABLE events RENAME TO events_away")
    bell.ring()
    with pytest.raises(TimeoutError):
        listener.next(1.5)
    with database.session() as db:
        db.execute_sql("ALTER TABLE events_away RENAME TO events")
    record("b")
    # A file object that timed out cannot be read again: the connection is the same.
    listener._file = listener._client.socket.makefile("rb")
    assert listener.next(15)["text"] == "b"


def test_a_request_that_waits_is_answered_by_the_first_event(web, bell):
    cursor = requests.get(f"{web.url}/events", timeout=10).headers["X-Cursor"]
    client = web.connect()
    client.get(f"/api/v1/events?kind=motion&after={cursor}&wait=30")
    client.socket.settimeout(0.3)
    with pytest.raises(socket.timeout):
        client.socket.recv(1)
    record("a")
    client.socket.settimeout(10)
    assert client.read_reply().json[0]["text"] == "a"
