"""`/events`: pages, following with a cursor, and the stream."""

import json
from itertools import islice

import pytest

from gateway import database
from gateway.api.events import stream as stream_module
from gateway.clock import to_ms, utc_now
from gateway.events import values
from gateway.events.bell import hang_bell, show_passing
from gateway.events.model import Event, change_event, prune_events, record_event, record_events
from gateway.tenancy.scopes import EVERY_TENANT
from gateway.tenancy.tenants import Tenant
from tests.conftest import wait_until

EVENTS = "/api/v1/events"
#: Noon of 30 November 2026, UTC.
NOON = 1_796_040_000_000
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OTHER_TENANT = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def record(device, scope):
    """`record(text, …)` stores an event of the device."""

    def store(text, kind="motion", **values):
        return record_event(scope.tenant_id, values.pop("device_id", device["id"]), kind, text, **values)

    return store


@pytest.fixture
def listen(client):
    """`listen(query, headers)` opens a stream; returns the answer and an iterator of messages."""
    opened = []

    def listen(query="", **headers):
        answer = client.get(f"{EVENTS}/stream{query}", headers=headers)
        opened.append(answer)
        assert answer.status_code == 200, answer.json
        return answer, messages_of(answer)

    yield listen
    for answer in opened:
        answer.close()


def messages_of(answer):
    rest = ""
    for piece in answer.iter_encoded():
        rest += piece.decode()
        *whole, rest = rest.split("\n\n")
        for block in whole:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "data" in fields:
                yield {**fields, "data": json.loads(fields["data"])}


def texts_until(messages, last):
    """The texts up to `last`, each once: while numbers are missing, events may come again."""
    found = []
    for message in messages:
        if message["event"] != "reset" and message["data"]["text"] not in found:
            found.append(message["data"]["text"])
        if found and found[-1] == last:
            return found
    raise AssertionError(f"the stream ended before {last!r}: {found}")


def texts(answer):
    assert answer.status_code == 200, answer.json
    return [event["text"] for event in answer.json if event["kind"] == "motion"]


def test_events_are_listed_newest_first_and_in_pages(client, record):
    ids = [record(str(number), start_ms=number * 1000) for number in range(5)]
    assert texts(client.get(f"{EVENTS}?kind=motion&page_size=2")) == ["4", "3"]
    assert texts(client.get(f"{EVENTS}?kind=motion&page_size=2&before={ids[3]}")) == ["2", "1"]
    assert texts(client.get(f"{EVENTS}?kind=motion&page_size=2&before={ids[0]}")) == []


def test_an_event_shows_its_columns(client, record, device):
    record(
        "x",
        label="person",
        zone="door",
        score=0.75,
        start_ms=NOON + 1000,
        end_ms=NOON + 2500,
        plugin="eyes",
        data={"a": [1]},
    )
    event = client.get(f"{EVENTS}?kind=motion").json[0]
    assert event["device_id"] == device["id"]
    assert (event["label"], event["zone"], event["score"], event["plugin"]) == ("person", "door", 0.75, "eyes")
    assert (event["start"], event["end"]) == ("2026-11-30T12:00:01.000Z", "2026-11-30T12:00:02.500Z")
    assert event["data"] == {"a": [1]}


def test_one_event_is_read_by_its_id(client, record):
    event_id = record("x", label="person", plugin="eyes")
    assert client.get(f"{EVENTS}/{event_id}").json == client.get(f"{EVENTS}?of_plugins=1").json[0]
    for unknown in (event_id + 1, 10**30):
        assert client.get(f"{EVENTS}/{unknown}").status_code == 404


@ON_SQLITE
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("label=person", ["b", "a"]),
        ("label=person&label=car", ["c", "b", "a"]),
        ("zone=door&label=person", ["a"]),
        ("min_score=0.5", ["b"]),
        ("plugin=ears", ["c"]),
        ("from=2026-11-30T12:00:02Z", ["d", "c", "b"]),
        ("to=2026-11-30T12:00:02Z", ["a"]),
        ("from=2026-11-30T12:00:02.5Z&to=2026-11-30T12:00:03Z", ["b"]),
        ("device_id=22222222-2222-4222-8222-222222222222", []),
        ("of_plugins=1", ["c", "b", "a"]),
        ("with_picture=1", ["b"]),
        ("with_picture=0", ["d", "c", "b", "a"]),
    ],
)
def test_filters(client, record, query, found):
    record("a", start_ms=NOON + 1000, label="person", zone="door", score=0.2, plugin="eyes")
    picture = "33333333-3333-4333-8333-333333333333"
    record("b", start_ms=NOON + 2000, end_ms=NOON + 2600, label="person", score=0.9, plugin="eyes", snapshot_id=picture)
    record("c", start_ms=NOON + 3000, label="car", plugin="ears")
    record("d", start_ms=NOON + 4000)
    assert texts(client.get(f"{EVENTS}?kind=motion&{query}")) == found


def test_the_stream_obeys_the_filters_by_plugin_and_picture(record, listen):
    _answer, messages = listen("?of_plugins=1&with_picture=1&passing=1")
    picture = "33333333-3333-4333-8333-333333333333"
    record("a", plugin="eyes")
    record("b", snapshot_id=picture)
    record("c", plugin="eyes", snapshot_id=picture)
    assert next(messages)["data"]["text"] == "c"


def test_the_values_of_plugins_events_are_listed_for_filters(client, record, device, monkeypatch):
    for number in range(3):
        record(str(number), start_ms=NOON + number, plugin="eyes", label="person", zone="door" if number else None)
    record("x", start_ms=NOON + 10, plugin="ears", label="barking", kind="sound")
    record("y", kind="state", label="ours")
    answer = client.get(f"{EVENTS}/values").json
    assert answer == {
        "kinds": [{"value": "motion", "events": 3}, {"value": "sound", "events": 1}],
        "labels": [{"value": "person", "events": 3}, {"value": "barking", "events": 1}],
        "zones": [{"value": "door", "events": 2}],
        "is_complete": True,
    }
    later = client.get(f"{EVENTS}/values?device_id={device['id']}&from=2026-11-30T12:00:00.010Z").json
    assert [value["value"] for value in later["labels"]] == ["barking"]
    monkeypatch.setattr(values, "LOOKED_AT", 2)
    newest = client.get(f"{EVENTS}/values").json
    assert ([value["value"] for value in newest["labels"]], newest["is_complete"]) == (["barking", "person"], False)


@ON_SQLITE
@pytest.mark.parametrize(
    "query",
    [
        "before=1&after=1",
        "before=99999",
        "wait=5",
        "after=-1",
        "after=x",
        "after=1&wait=31",
        "of_plugins=2",
        "with_picture=yes",
        "min_score=nan",
        "min_score=inf",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "device_id=x",
        "kind=" + "x" * 65,
        "colour=red",
        "page_size=0",
    ],
)
def test_bad_queries_are_refused(client, query):
    assert client.get(f"{EVENTS}?{query}").status_code == 422


def test_a_client_that_goes_on_with_the_cursor_misses_nothing(client, record):
    cursor = client.get(EVENTS).headers["X-Cursor"]
    first = record("a", goes_on=True)
    record("b")
    answer = client.get(f"{EVENTS}?after={cursor}&kind=motion&page_size=1")
    assert texts(answer) == ["a"]
    answer = client.get(f"{EVENTS}?after={answer.headers['X-Cursor']}&kind=motion")
    assert texts(answer)[-1] == "b"
    change_event(EVERY_TENANT, first, end_ms=to_ms(utc_now()) + 5000)
    answer = client.get(f"{EVENTS}?after={answer.headers['X-Cursor']}&kind=motion")
    assert texts(answer)[-1] == "a"
    assert answer.json[-1]["change"] == "ended"


def test_a_request_waits_for_the_first_event(client, record, device):
    cursor = client.get(EVENTS).headers["X-Cursor"]
    assert client.get(f"{EVENTS}?after={cursor}&wait=1&kind=motion").json == []
    record("a")
    assert texts(client.get(f"{EVENTS}?after={cursor}&wait=30&kind=motion")) == ["a"]


def test_events_of_another_tenant_do_not_exist(client, record, listen):
    with database.transaction():
        Tenant.insert(id=OTHER_TENANT, name="other", created_at=utc_now()).execute()
    record_event(OTHER_TENANT, None, "motion", "theirs")
    hidden = record_event(OTHER_TENANT, None, "motion", "theirs", plugin="eyes", label="theirs")
    assert client.get(f"{EVENTS}/values").json["labels"] == []
    assert texts(client.get(EVENTS)) == []
    assert texts(client.get(f"{EVENTS}?after=0")) == []
    assert client.get(f"{EVENTS}?before={hidden}").status_code == 422
    assert client.get(f"{EVENTS}/{hidden}").status_code == 404
    _, messages = listen("?last_event_id=0&kind=motion")
    record("ours")
    assert texts_until(messages, "ours") == ["ours"]
    with database.transaction():
        EVERY_TENANT.delete(Event).execute()
        Tenant.delete().where(Tenant.id == OTHER_TENANT).execute()


def test_the_stream_sends_what_comes_and_goes_on_where_it_was(record, listen):
    _, messages = listen("?kind=motion")
    record("a")
    record("b")
    first, second = islice(messages, 2)
    assert (first["event"], first["data"]["text"], second["data"]["text"]) == ("motion", "a", "b")
    record("c")
    _, messages = listen("?kind=motion", **{"Last-Event-ID": first["id"]})
    assert texts_until(messages, "c")[-2:] == ["b", "c"]
    _, messages = listen(f"?kind=motion&last_event_id={second['id']}")
    assert texts_until(messages, "c")[-1] == "c"


@ON_SQLITE
def test_the_header_of_a_browser_that_comes_again_is_newer_than_its_address(record, listen):
    _, messages = listen("?kind=motion")
    record("a")
    record("b")
    first, second = islice(messages, 2)
    record("c")
    _, messages = listen(f"?kind=motion&last_event_id={first['id']}", **{"Last-Event-ID": second["id"]})
    assert texts_until(messages, "c") == ["c"]


def test_a_client_that_was_away_gets_everything_in_order(record, listen, scope):
    record("first")
    one = {"tenant_id": scope.tenant_id, "device_id": None, "kind": "motion"}
    record_events([one | {"text": str(number)} for number in range(1200)])
    _, messages = listen("?kind=motion&last_event_id=0")
    assert texts_until(messages, "1199") == ["first", *map(str, range(1200))]


@ON_SQLITE
@pytest.mark.parametrize("value", ["x", "-1", "1" * 17, "1.5", "1,2", "٣"])
def test_a_last_event_id_that_the_stream_never_sent_is_refused(client, value):
    answer = client.get(f"{EVENTS}/stream", headers={"Last-Event-ID": value.encode().decode("latin-1")})
    assert answer.status_code == 422


def test_an_id_of_the_future_begins_anew_and_says_so(record, listen):
    _, messages = listen("?kind=motion", **{"Last-Event-ID": "9007199254740000"})
    assert next(messages) == {"event": "reset", "data": {"reason": "unknown_id"}}
    record("a")
    assert next(messages)["data"]["text"] == "a"


def test_an_id_whose_events_are_gone_says_so(record, listen):
    record("old")
    prune_events(utc_now())
    record("new")
    _, messages = listen("?kind=motion&last_event_id=1")
    assert next(messages) == {"event": "reset", "data": {"reason": "no_longer_kept"}}
    assert next(messages)["data"]["text"] == "new"


def test_passing_facts_come_to_those_who_ask(app, config, listen, device, scope):
    bell = hang_bell(config)
    _, plain = listen("?kind=boxes&kind=motion")
    _, messages = listen("?kind=boxes&passing=1")
    _, jobs = listen("?passing=1&passing_kind=job&passing_kind=snapshot")
    feed = app.extensions["vas_events"].feed
    wait_until(lambda: feed._redis.pubsub_numsub("vas:events:passing")[0][1], "the feed listens")
    show_passing(scope.tenant_id, device["id"], "boxes", {"n": 1}, plugin="eyes")
    message = next(messages)
    assert message["event"] == "boxes"
    assert "id" not in message
    assert message["data"] == {
        "kind": "boxes",
        "device_id": device["id"],
        "plugin": "eyes",
        "data": {"n": 1},
        "change": "passing",
    }
    record_event(scope.tenant_id, device["id"], "motion", "a")
    assert next(plain)["data"]["text"] == "a"
    # The boxes before did not come to it.
    assert next(jobs)["data"]["text"] == "a"
    bell.close()


def test_a_listener_that_reads_too_slowly_is_cut_off(app, record, listen, monkeypatch):
    monkeypatch.setattr(stream_module, "MAX_WAITING_BYTES", 10_000)
    answer, messages = listen("?kind=motion")
    record("a")
    assert next(messages)["data"]["text"] == "a"
    for _ in range(3):
        record("b", data={"x": "y" * 5000})
    feed = app.extensions["vas_events"].feed
    feed.position()
    assert len(list(messages)) <= 1
    answer.close()
    wait_until(lambda: app.extensions["vas_events"].places.taken == 0, "its place is free")


def test_there_are_so_many_places_in_all_and_for_each_client():
    places = stream_module.ListenerPlaces(3, 2)
    first, second = places.take("a"), places.take("a")
    assert second is not None
    assert places.take("a") is None
    assert places.take("b") is not None
    assert places.take("c") is None
    first()
    assert places.take("c") is not None


def test_a_head_request_takes_no_place(app, client):
    answer = client.head(f"{EVENTS}/stream")
    assert answer.status_code == 200
    answer.close()
    assert app.extensions["vas_events"].places.taken == 0


def test_the_stream_must_not_be_kept_or_held_back(listen):
    answer, _ = listen()
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.mimetype == "text/event-stream"
    assert "Content-Length" not in answer.headers


def test_the_history_of_a_device_has_the_same_shape(client, record, device):
    record("a", label="person")
    event = client.get(f"/api/v1/devices/{device['id']}/events").json[0]
    assert event == client.get(EVENTS).json[0]
