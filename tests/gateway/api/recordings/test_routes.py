"""`/recordings`: settings, overrides, events, the storage."""

import time
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.clock import utc_now
from gateway.footage.recorder_pulse import RecorderPulse
from gateway.footage.recordings import Recording, claim_recording, observe_recording
from gateway.storage.clock_trust import read_row
from gateway.storage.local import ensure_storage
from gateway.storage.report import StorageReport, StorageReports
from gateway.streams.model import Stream, claim_next_run, transition
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import Tenant
from tests.factories import device_body, make_device
from tests.gateway.consumer_plugin import FakeRecorder, consumer_plugin
from tests.gateway.rows import DAY, HOUR, SIZE, make_rows

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NO_ZONE = "'time_zone' must be the IANA name of a time zone such as Europe/Berlin"
PLAN = {"monday": [["08:00", "12:00"], ["13:00", "18:00"]], "sunday": [["22:00", "24:00"]]}


@pytest.fixture
def config(config, tmp_path):
    """With its own storage."""
    return replace(config, recordings_dir=tmp_path / "recordings")


@pytest.fixture
def app(app):
    """With a plugin that records."""
    app.extensions["vas"].plugins.register(consumer_plugin(FakeRecorder("tape")))
    return app


@pytest.fixture
def url(device):
    return f"/api/v1/recordings/devices/{device['id']}"


def settings(**values):
    return {"mode": "continuous"} | values


def queued(app):
    return app.extensions["vas"].redis.llen("dramatiq:record")


def test_every_device_has_a_recording(client, device, url):
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.headers["ETag"].startswith('"1.')
    body = answer.json
    assert body.pop("since").endswith("Z")
    assert body == {
        "device_id": device["id"],
        "device_name": device["name"],
        "mode": "off",
        "time_zone": "UTC",
        "plan": {},
        "pre_roll_seconds": 5.0,
        "post_roll_seconds": 10.0,
        "keep_days": None,
        "keep_bytes": None,
        "archive_keep_days": None,
        "waits_for_copy": True,
        "archived_by": None,
        "override": None,
        "is_wanted": False,
        "cause": None,
        "observed": "off",
        "reason": {
            "code": "recording_off",
            "message": "recording is switched off",
            "remedy": "choose another recording mode",
        },
        "oldest": None,
        "newest": None,
        "bytes": 0,
        "local_bytes": 0,
        "archived_bytes": 0,
        "seconds": 0.0,
        "retention": {
            "keep_days": 14,
            "keep_bytes": None,
            "archive_keep_days": None,
            "free_bytes_floor": body["retention"]["free_bytes_floor"],
            "expected_seconds": None,
            "limit": None,
            "bin_hours": 24.0,
        },
    }


def test_settings_are_replaced_and_a_reply_can_be_sent_back(client, url):
    wanted = settings(
        mode="scheduled", plan=PLAN, time_zone="Europe/Berlin", keep_days=0, keep_bytes=1 << 40, post_roll_seconds=0.5
    )
    answer = client.put(url, json=wanted)
    assert answer.status_code == 200, answer.json
    assert {name: answer.json[name] for name in wanted} == wanted
    assert answer.json["retention"]["keep_days"] is None
    assert answer.headers["ETag"].startswith('"2.')
    again = client.put(url, json=client.get(url).json)
    assert (again.status_code, again.headers["ETag"][:3], again.json["plan"]) == (200, '"2.', PLAN)
    # Omitted fields get their default, except the time zone.
    short = client.put(url, json={"mode": "off"}).json
    assert (short["plan"], short["keep_days"], short["post_roll_seconds"]) == ({}, None, 10.0)
    assert short["time_zone"] == "Europe/Berlin"


def test_a_change_by_somebody_else_is_not_overwritten(client, url):
    seen = client.get(url).headers["ETag"]
    assert client.put(url, json=settings(), headers={"If-Match": seen}).status_code == 200
    lost = client.put(url, json=settings(mode="off"), headers={"If-Match": seen})
    assert (lost.status_code, lost.json["reason"]) == (412, "version_changed")
    assert client.put(url, json=settings(mode="off"), headers={"If-Match": "*"}).status_code == 200


@one_database
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "always"}, "must be one of off, continuous, scheduled, event"),
        ({"time_zone": "Mars/Olympus"}, f"{NO_ZONE}, not 'Mars/Olympus'"),
        ({"time_zone": "../etc/passwd"}, NO_ZONE),
        ({"time_zone": "Europe"}, NO_ZONE),
        # Files of the zone database that browsers do not know; those of `right/` count leap seconds.
        *(({"time_zone": name}, NO_ZONE) for name in ("right/UTC", "posix/UTC", "posixrules", "localtime", "Factory")),
        ({"plan": []}, "'plan' must be an object with lists of spans by weekday"),
        ({"plan": {"montag": []}}, "'plan.montag' is not a weekday: use monday, tuesday"),
        ({"plan": {"monday": "08:00"}}, "'plan.monday' must be a list of spans"),
        ({"plan": {"monday": [["08:00"]]}}, "'plan.monday[0]' must be a start and an end"),
        ({"plan": {"monday": [["08:00", 9]]}}, "'plan.monday[0]' must be a start and an end"),
        ({"plan": {"monday": [["08:00", "8:30"]]}}, "'plan.monday[0]': '8:30' must be a time such as 08:30"),
        ({"plan": {"monday": [["08:00", "25:00"]]}}, "'plan.monday[0]': '25:00' must be a time from 00:00 to 24:00"),
        ({"plan": {"monday": [["08:00", "08:60"]]}}, "'plan.monday[0]': '08:60' must be a time from 00:00 to 24:00"),
        ({"plan": {"monday": [["24:00", "08:00"]]}}, "'plan.monday[0]' must not begin at 24:00"),
        ({"plan": {"monday": [["08:00", "08:00"]]}}, "'plan.monday[0]' must not end at its start"),
        (
            {"plan": {"friday": [["08:00", "12:00"], ["11:00", "13:00"]]}},
            "'plan.friday' has overlapping spans: 08:00–12:00 and 11:00–13:00",
        ),
        ({"plan": {"friday": [["22:00", "06:00"], ["23:00", "23:30"]]}}, "'plan.friday' has overlapping spans"),
        ({"plan": {"monday": [["00:00", "00:01"]] * 25}}, "'plan.monday' must have at most 24 spans, not 25"),
        ({"mode": "scheduled"}, "'plan' must have a span if the mode is 'scheduled'"),
        ({"mode": "scheduled", "plan": {"monday": []}}, "'plan' must have a span if the mode is 'scheduled'"),
        ({"pre_roll_seconds": -1}, "'pre_roll_seconds' must be a number of seconds from 0 to 300"),
        ({"post_roll_seconds": "5"}, "'post_roll_seconds' must be a number of seconds from 0 to 3600"),
        ({"post_roll_seconds": True}, "'post_roll_seconds' must be a number of seconds"),
        ({"keep_days": 1.5}, "'keep_days' must be a whole number from 0 to 36500"),
        ({"keep_bytes": 1 << 60}, "'keep_bytes' must be a whole number"),
        ({"colour": "red"}, "is not a known field"),
    ],
)
def test_invalid_settings_get_an_exact_message(client, url, change, message):
    answer = client.put(url, json=settings() | change)
    assert answer.status_code == 422
    messages = [text for texts in answer.json["errors"]["json"].values() for text in texts]
    assert len(messages) == 1
    assert message in messages[0]
    assert client.get(url).json["mode"] == "off"


def test_unknown_devices_and_those_of_another_tenant_have_no_recording(client, device, bound_database, box):
    from gateway import database
    from gateway.clock import utc_now

    tenant_id = str(uuid.uuid4())
    with database.transaction():
        Tenant.insert(id=tenant_id, name="other", created_at=utc_now()).execute()
    stranger = make_device(TenantScope(tenant_id), box)
    for device_id in (uuid.uuid4(), stranger.id):
        url = f"/api/v1/recordings/devices/{device_id}"
        range_ = "start=2026-11-22T10:00:00Z&end=2026-11-22T11:00:00Z"
        answers = [
            client.get(url),
            client.put(url, json=settings()),
            client.post(f"{url}/start"),
            client.post(f"{url}/stop"),
            client.post(f"{url}/resume"),
            client.get(f"{url}/events"),
            client.post(f"{url}/events", json={"label": "x"}),
            client.get(f"{url}/dates"),
            client.get(f"{url}/dates/2026-11-22/segments"),
            client.get(f"{url}/coverage"),
            client.get(f"{url}/timeline?{range_}"),
            client.get(f"{url}/playlist?{range_}"),
            client.get(f"{url}/playlist"),
            client.get(f"{url}/segments/1.mp4"),
            client.get(f"{url}/segments/1/init.mp4"),
            client.get(f"{url}/segments/1/sound/900-10.m4s"),
            client.delete(f"{url}/footage?{range_}"),
            client.get(f"{url}/protections"),
            client.delete(f"{url}/protections/1"),
            client.post(f"{url}/protections", json={"start": "2026-11-22T10:00:00Z", "end": "2026-11-22T11:00:00Z"}),
        ]
        assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert [item["device_id"] for item in client.get("/api/v1/recordings").json] == [device["id"]]
    assert {item["device_id"] for item in client.get("/api/v1/recordings/coverage").json} == {device["id"]}


def test_recording_is_started_stopped_and_resumed_by_hand(app, client, url):
    for _ in range(2):
        started = client.post(f"{url}/start")
        assert started.status_code == 202
        assert (started.json["is_wanted"], started.json["cause"]) == (True, "manual")
        assert started.json["override"]["wish"] == "on"
    assert queued(app) == 1
    stopped = client.post(f"{url}/stop", json={}).json
    assert (stopped["is_wanted"], stopped["override"]["wish"], stopped["override"]["by"]) == (False, "off", "127.0.0.1")
    assert stopped["reason"]["code"] == "stopped_by_person"
    assert stopped["reason"]["message"] == "recording was stopped by 127.0.0.1"
    resumed = client.post(f"{url}/resume").json
    assert (resumed["override"], resumed["reason"]["code"]) == (None, "recording_off")


def test_an_override_may_have_an_end(client, url):
    answer = client.post(f"{url}/start", json={"until": "2199-01-01T00:00:00+01:00"})
    assert answer.json["override"]["until"] == "2198-12-31T23:00:00.000Z"
    past = client.post(f"{url}/stop", json={"until": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json["message"]) == (422, "'until' must be in the future")
    assert client.post(f"{url}/stop", json={"until": "2199-01-01T00:00:00"}).status_code == 422


def test_a_disabled_device_cannot_be_recorded(client):
    device = client.post("/api/v1/devices", json=device_body(enabled=False)).json
    url = f"/api/v1/recordings/devices/{device['id']}"
    answer = client.post(f"{url}/start")
    assert (answer.status_code, answer.json["reason"]) == (409, "device_disabled")
    assert client.put(url, json=settings()).json["reason"]["code"] == "device_disabled"


def test_a_new_mode_cancels_the_override(client, url):
    client.post(f"{url}/stop")
    assert client.put(url, json=settings()).json["override"] is None


def test_wanted_footage_is_requested_from_a_recorder_at_once(app, client, url):
    assert client.put(url, json=settings()).json["is_wanted"]
    assert queued(app) == 1


def test_without_redis_an_override_is_still_stored(config, redis_server, url, client, app):
    redis_server.stop()
    try:
        assert client.put(url, json=settings()).status_code == 200
        assert client.post(f"{url}/start").status_code == 202
        assert client.get("/api/v1/recordings/storage").status_code == 200
    finally:
        redis_server.start()
    assert client.get(url).json["override"]["wish"] == "on"


def test_the_reason_comes_from_the_recorder_while_footage_is_wanted(app, client, device, url):
    client.put(url, json=settings())
    assert client.get(url).json["reason"]["code"] == "recorder_away"
    claimed = claim_recording(device["id"], "host:1")
    observe_recording(claimed.recording_id, claimed.fencing_token, "interrupted", reason="disk_full")
    shown = client.get(url).json
    assert (shown["observed"], shown["reason"]["code"]) == ("interrupted", "disk_full")
    observe_recording(claimed.recording_id, claimed.fencing_token, "recording")
    run_stream(client, device)
    wired = app.extensions["vas"]
    wired.slots.report("record", "host:1", 1, 8)
    RecorderPulse(wired.redis).beat({device["id"]: 0.4})
    assert client.get(url).json["reason"] is None
    shown = client.get(f"/api/v1/devices/{device['id']}").json["recording"]
    assert shown.pop("since")
    assert shown == {"mode": "continuous", "observed": "recording", "is_wanted": True, "reason": None}
    assert client.get("/api/v1/streams").json[0]["recording"]["observed"] == "recording"
    client.post(f"{url}/stop")
    assert client.get("/api/v1/streams").json[0]["recording"]["observed"] == "off"


def test_a_killed_recorder_is_noticed_in_every_view(app, client, device, url):
    client.put(url, json=settings())
    claimed = claim_recording(device["id"], "host:1")
    observe_recording(claimed.recording_id, claimed.fencing_token, "recording")
    run_stream(client, device)
    EVERY_TENANT.update(Stream, since=utc_now() - timedelta(seconds=60)).execute()
    for slots, reason in (((), "recorder_away"), ((1, 8), "recorder_starting"), ((8, 8), "recorder_busy")):
        if slots:
            app.extensions["vas"].slots.report("record", "host:1", *slots)
        views = [
            client.get(url).json,
            client.get("/api/v1/recordings").json[0],
            client.get(f"/api/v1/devices/{device['id']}").json["recording"],
            client.get("/api/v1/devices").json[0]["recording"],
            client.get("/api/v1/streams").json[0]["recording"],
            client.get(f"/api/v1/streams/{device['id']}").json["recording"],
        ]
        assert {view["observed"] == "recording" for view in views} == {False}
        assert {view["reason"]["code"] for view in views} == {reason}


def run_stream(client, device) -> None:
    client.post(f"/api/v1/rtsp/streams/{device['id']}/start")
    run = claim_next_run(device["id"], "host:1")
    transition(device["id"], "starting", run=run)
    transition(device["id"], "running", run=run)


def test_recordings_are_listed_by_page_text_and_device(client):
    devices = [client.post("/api/v1/devices", json=device_body(name=name)).json for name in ("c", "a", "b")]

    def names(query=""):
        return [item["device_name"] for item in client.get(f"/api/v1/recordings{query}").json]

    assert names() == ["a", "b", "c"]
    assert names("?page=2&page_size=2") == ["c"]
    assert names("?q=B") == ["b"]
    assert names(f"?device={devices[0]['id']}&device={devices[1]['id']}") == ["a", "c"]
    assert client.get("/api/v1/recordings?device=7").status_code == 422
    assert '"total": 3' in client.get("/api/v1/recordings").headers["X-Pagination"]


def test_an_event_opens_the_window_of_its_mode(app, client, url):
    client.put(url, json=settings(mode="event", post_roll_seconds=30))
    assert client.get(url).json["reason"]["code"] == "no_event"
    answer = client.post(f"{url}/events", json={"label": "door", "note": "a\nb", "duration_seconds": 20})
    assert answer.status_code == 201
    event = answer.json
    assert (event["label"], event["note"], event["source"]) == ("door", "a\nb", "api")
    assert event["end"] > event["at"]
    shown = client.get(url).json
    assert (shown["is_wanted"], shown["cause"]) == (True, "event")
    assert queued(app) == 1
    assert client.get(f"{url}/events").json == [event]


def test_events_are_listed_newest_first_in_a_range(client, url):
    for hour in (9, 10, 11):
        body = {"label": str(hour), "at": f"2026-03-01T{hour:02d}:00:00Z", "duration_seconds": 600}
        assert client.post(f"{url}/events", json=body).status_code == 201

    def labels(query):
        return [event["label"] for event in client.get(f"{url}/events{query}").json]

    assert labels("") == ["11", "10", "9"]
    assert labels("?start=2026-03-01T09:05:00Z&end=2026-03-01T10:30:00Z") == ["10", "9"]
    assert labels("?start=2026-03-01T09:10:00Z") == ["11", "10"]
    assert labels("?page_size=1&page=2") == ["10"]


@one_database
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'label' is required"),
        ({"label": ""}, "must have 1 to 100 characters"),
        ({"label": "x", "at": "2199-01-01T00:00:00Z"}, "'at' must not be in the future"),
        ({"label": "x", "at": "2026-01-01T00:00:00"}, "'at' must be a time with an offset"),
        ({"label": "x", "at": "yesterday"}, "'at' must be a time such as"),
        ({"label": "x", "at": "0001-01-01T00:00:00+14:00"}, "'at' must be after 1970 and before 2200"),
        ({"label": "x", "duration_seconds": -1}, "'duration_seconds' must be a number of seconds from 0 to 86400"),
        ({"label": "x", "duration_seconds": 1e9}, "'duration_seconds' must be a number of seconds"),
    ],
)
def test_invalid_events_get_an_exact_message(client, url, body, message):
    answer = client.post(f"{url}/events", json=body)
    assert answer.status_code == 422
    assert message in answer.json["message"]


def test_the_storage_shows_its_free_space(client, config, app):
    before = client.get("/api/v1/recordings/storage").json
    assert (before["state"], before["total_bytes"]) == ("ok", None)
    with app.app_context():
        ensure_storage(config)
    found = client.get("/api/v1/recordings/storage").json
    assert found["total_bytes"] > found["free_bytes"] > 0
    assert found["floor_bytes"] > 0
    assert (found["used_by_recordings_bytes"], found["bytes_per_day"], found["days_left"]) == (0, 0, None)


def test_the_storage_shows_the_growth_per_day_and_the_days_left(client, config, app, scope, box):
    with app.app_context():
        ensure_storage(config)
    rows = make_rows(scope, box)
    url = f"/api/v1/recordings/devices/{rows.device_id}"
    now = time.time_ns() // 1_000_000
    rows.record(now - 3 * DAY, 2)
    rows.record(now - HOUR, 10, run=2)
    client.put(url, json=settings(keep_days=0))
    found = client.get("/api/v1/recordings/storage").json
    assert (found["used_by_recordings_bytes"], found["bytes_per_day"]) == (12 * SIZE, 10 * SIZE)
    assert found["days_left"] == pytest.approx((found["free_bytes"] - found["floor_bytes"]) / (10 * SIZE), rel=0.01)
    # Footage that is deleted by age, or by the limit of its device, never needs that space.
    for limit in ({"keep_days": 14}, {"keep_days": 0, "keep_bytes": 50 * SIZE}):
        client.put(url, json=settings(**limit))
        assert client.get("/api/v1/recordings/storage").json["days_left"] is None


def test_the_forecast_uses_the_first_hour_of_a_recording(client, config, app, scope, box):
    with app.app_context():
        ensure_storage(config)
    rows = make_rows(scope, box)
    client.put(f"/api/v1/recordings/devices/{rows.device_id}", json=settings(keep_days=0))
    rows.record(time.time_ns() // 1_000_000 - HOUR, 60)
    found = client.get("/api/v1/recordings/storage").json
    assert found["bytes_per_day"] == 60 * SIZE
    room = found["free_bytes"] - found["floor_bytes"]
    assert found["days_left"] == pytest.approx(room / (24 * 60 * SIZE), rel=0.02)


def test_the_limits_of_all_devices_and_how_long_footage_lasts_are_shown(client, app, config, scope, box):
    with app.app_context():
        ensure_storage(config)
    rows = make_rows(scope, box)
    url = f"/api/v1/recordings/devices/{rows.device_id}"
    rows.record(time.time_ns() // 1_000_000 - DAY, 20)
    app.extensions["vas"] = replace(app.extensions["vas"], config=replace(config, keep_bytes=10 * SIZE))
    storage = client.get("/api/v1/recordings/storage").json
    assert (storage["keep_bytes"], storage["tenant_keep_bytes"]) == (10 * SIZE, None)
    found = client.get(url).json["retention"]
    assert (found["keep_days"], found["limit"]) == (14, "store")
    assert found["expected_seconds"] == pytest.approx(43_200, rel=0.03)
    client.put(url, json=settings(keep_bytes=SIZE))
    assert client.get(url).json["retention"]["limit"] == "size"


def test_shorter_limits_can_be_tried(client, scope, box):
    rows = make_rows(scope, box)
    url = f"/api/v1/recordings/devices/{rows.device_id}"
    rows.record(time.time_ns() // 1_000_000 - 5 * DAY, 15)
    before = client.get(url).json
    found = client.get(f"{url}/expiring", query_string={"keep_days": 3}).json
    assert (found["bytes"], found["seconds"]) == (15 * SIZE, 900)
    assert client.get(f"{url}/expiring").json["bytes"] == 0
    assert client.get(f"{url}/expiring", query_string={"keep_days": -1}).status_code == 422
    assert client.get(url).json == before


def test_the_storage_shows_the_report_of_housekeeping_and_its_own_unavailability(client, config, app):
    wired = app.extensions["vas"]
    with app.app_context():
        ensure_storage(config)
    StorageReports(wired.redis).write(
        StorageReport(state="full", reason="disk_full", message="no room", at=time.time())
    )
    found = client.get("/api/v1/recordings/storage").json
    assert (found["state"], found["reason"]["code"], found["reason"]["message"]) == ("full", "disk_full", "no room")
    (config.recordings_dir / ".vas-storage").unlink()
    away = client.get("/api/v1/recordings/storage").json
    assert (away["state"], away["reason"]["code"], away["total_bytes"]) == ("unavailable", "storage_unmounted", None)


def test_a_person_confirms_the_clock(client, config, app):
    wired = app.extensions["vas"]
    with app.app_context():
        ensure_storage(config)
    reports = StorageReports(wired.redis)
    reports.write(StorageReport(state="suspicious", reason="clock_doubted", message="the clock shows 2027"))
    found = client.get("/api/v1/recordings/storage").json
    assert (found["state"], found["reason"]["code"]) == ("suspicious", "clock_doubted")
    assert "vas storage trust-clock" in found["reason"]["remedy"]
    for _ in range(2):
        answer = client.post("/api/v1/recordings/storage/trust-clock")
        assert (answer.status_code, answer.json["state"], answer.json["reason"]) == (200, "ok", None)
    with app.app_context():
        assert abs(read_row().confirmed_ms / 1000 - time.time()) < 60
    reports.write(StorageReport(state="full", reason="disk_full", message="no room"))
    assert client.post("/api/v1/recordings/storage/trust-clock").json["state"] == "full", "another problem stays"


def test_a_deleted_device_has_no_recording(client, device, url):
    assert client.delete(f"/api/v1/devices/{device['id']}").status_code == 204
    assert client.get(url).status_code == 404
    assert client.get("/api/v1/recordings").json == []
    assert EVERY_TENANT.select(Recording).where(Recording.deleted_at.is_null(False)).count() == 1
