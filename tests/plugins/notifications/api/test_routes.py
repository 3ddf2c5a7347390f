"""The resources of the plugin, by HTTP."""

import pytest

from gateway import database
from gateway.app import create_app
from gateway.events.model import record_event
from gateway.migrations import POSTGRESQL_TYPES, SQLITE_TYPES
from gateway.plugin_loading import build_parts
from gateway.plugin_manager import create_plugin_manager
from plugins import notifications
from plugins.notifications import options
from plugins.notifications.migrations import create_tables
from plugins.notifications.options import Settings
from plugins.notifications.senders.webhook import new_secret
from tests.factories import make_device
from tests.plugins.notifications.conftest import TABLES

ROOT = "/api/v1/notifications"
WEBHOOK = {
    "name": "Hook",
    "kind": "webhook",
    "webhook": {"url": "http://127.0.0.1:9/x", "headers": {"X-Key": "k3y-secret"}},
}
MAIL = {
    "name": "Mail",
    "kind": "mail",
    "mail": {
        "host": "127.0.0.1",
        "username": "vas",
        "password": "pa55-secret",
        "sender": "vas@example.org",
        "recipients": ["guard@example.org"],
    },
}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def client(config, monkeypatch):
    monkeypatch.setattr(options.Settings, "from_options", classmethod(lambda cls, _: Settings(("127.0.0.0/8",))))
    monkeypatch.setattr(options, "read_settings", lambda plugin: Settings(("127.0.0.0/8",)))
    monkeypatch.setattr("plugins.notifications.api.routes.read_settings", lambda plugin: Settings(("127.0.0.0/8",)))
    manager = create_plugin_manager(config, lambda context: build_parts(context, manager), with_installed=False)
    manager.register(notifications, name="notifications")
    app = create_app(config, manager)
    with database.transaction() as db:
        create_tables(db.execute_sql, POSTGRESQL_TYPES if database.is_postgresql() else SQLITE_TYPES)
    yield app.test_client()
    with database.transaction() as db:
        for table in TABLES:
            db.execute_sql(f"DROP TABLE notifications_{table}")
    database.close()


def create(client, body=WEBHOOK, kind="channels", **values) -> dict:
    answer = client.post(f"{ROOT}/{kind}", json=body | values)
    assert answer.status_code == 201, answer.json
    return answer.json


def test_a_channel_is_created_read_changed_and_deleted(client):
    channel = create(client)
    assert channel["state"] == "ok"
    assert channel["webhook"] == {
        "url": "http://127.0.0.1:9/x", "header_names": ["X-Key"], "previous_valid_until": None
    }  # fmt: skip
    path = f"{ROOT}/channels/{channel['id']}"
    read = client.get(path)
    changed = client.put(path, json=read.json | {"name": "Other"}, headers={"If-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.json["name"]) == (200, "Other")
    assert changed.json["webhook"]["header_names"] == ["X-Key"]
    assert client.put(path, json=read.json, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert [one["id"] for one in client.get(f"{ROOT}/channels").json] == [channel["id"]]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_secrets_are_never_shown(client):
    create(client)
    create(client, MAIL)
    create(client, {"name": "Push", "kind": "push"})
    text = client.get(f"{ROOT}/channels").get_data(as_text=True)
    for secret in ("k3y-secret", "pa55-secret", "whsec_", "PRIVATE"):
        assert secret not in text
    assert '"has_password":true' in text.replace(" ", "")


def test_a_secret_that_is_omitted_stays_and_null_removes_it(client):
    channel = create(client, MAIL)
    path = f"{ROOT}/channels/{channel['id']}"
    assert client.put(path, json=client.get(path).json).json["mail"]["has_password"]
    body = client.get(path).json
    body["mail"] |= {"password": None, "username": None}
    assert not client.put(path, json=body).json["mail"]["has_password"]


def test_a_webhook_secret_is_shown_by_its_rotation_alone(client):
    channel = create(client)
    answer = client.post(f"{ROOT}/channels/{channel['id']}/rotate")
    assert answer.json["secret"].startswith("whsec_")
    shown = client.get(f"{ROOT}/channels/{channel['id']}").json["webhook"]
    assert shown["previous_valid_until"] == answer.json["previous_valid_until"]
    assert client.post(f"{ROOT}/channels/{create(client, MAIL)['id']}/rotate").status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (WEBHOOK | {"webhook": {"url": "http://10.0.0.1/"}}, "webhook.url"),
        (WEBHOOK | {"webhook": {"url": "http://169.254.169.254/"}}, "webhook.url"),
        (WEBHOOK | {"webhook": {"url": "ftp://x.example/"}}, "webhook.url"),
        (WEBHOOK | {"webhook": {"url": "https://u:p@x.example/"}}, "webhook.url"),
        (WEBHOOK | {"webhook": {"url": "http://127.0.0.1/", "headers": {"Host": "x"}}}, "webhook.headers"),
        (WEBHOOK | {"webhook": {"url": "http://127.0.0.1/", "headers": {"X": "a\r\nY: b"}}}, "webhook.headers"),
        (WEBHOOK | {"webhook": {"url": "http://127.0.0.1/", "secret": "short"}}, "webhook.secret"),
        (WEBHOOK | {"webhook": None}, "webhook"),
        (WEBHOOK | {"mail": MAIL["mail"]}, "mail"),
        (WEBHOOK | {"kind": "pigeon"}, "kind"),
        (MAIL | {"mail": MAIL["mail"] | {"recipients": ["x"]}}, "mail"),
        (MAIL | {"mail": MAIL["mail"] | {"recipients": []}}, "mail"),
        (MAIL | {"mail": MAIL["mail"] | {"host": "10.0.0.1"}}, "mail.host"),
        ({"name": "B", "kind": "mqtt", "mqtt": {"host": "127.0.0.1", "prefix": "a/+/b"}}, "mqtt.prefix"),
        ({"name": "B", "kind": "mqtt", "mqtt": {"host": "127.0.0.1", "ca_certificate": "x"}}, "mqtt.ca_certificate"),
    ],
)
def test_what_cannot_be_right_is_refused_by_its_field(client, body, field):
    answer = client.post(f"{ROOT}/channels", json=body)
    assert answer.status_code == 422, answer.json
    assert field.split(".")[0] in str(answer.json["errors"])


def test_names_are_taken_once_and_kinds_do_not_change(client):
    channel = create(client)
    assert client.post(f"{ROOT}/channels", json=WEBHOOK | {"name": "hook"}).json["reason"] == "name_taken"
    assert client.put(f"{ROOT}/channels/{channel['id']}", json=MAIL).status_code == 422


def test_a_test_is_a_delivery_that_can_be_followed_and_repeated(client):
    channel = create(client)
    answer = client.post(f"{ROOT}/channels/{channel['id']}/test")
    assert (answer.status_code, answer.json["state"], answer.json["type"]) == (202, "pending", "test")
    assert client.get(answer.headers["Location"]).json["message_id"] == answer.json["message_id"]
    assert client.post(f"{answer.headers['Location']}/retry").status_code == 202
    listed = client.get(f"{ROOT}/deliveries?state=pending&channel_id={channel['id']}")
    assert [one["id"] for one in listed.json] == [answer.json["id"]]
    assert client.get(f"{ROOT}/deliveries?state=failed").json == []
    client.put(f"{ROOT}/channels/{channel['id']}", json=WEBHOOK | {"enabled": False})
    assert client.post(f"{ROOT}/channels/{channel['id']}/test").json["reason"] == "disabled"
    assert client.get(f"{ROOT}/deliveries/99999").status_code == 404


def test_a_rule_keeps_what_was_set_and_shows_its_counts(client):
    channel = create(client)
    body = {
        "name": "Night",
        "kinds": ["detection"],
        "labels": ["person"],
        "min_score": 0.5,
        "quiet_hours": {"monday": [["08:00", "18:00"]]},
        "time_zone": "Europe/Berlin",
        "cooldown_seconds": 60,
        "channel_ids": [channel["id"]],
    }
    rule = create(client, body, "rules")
    assert {name: rule[name] for name in body} == body
    assert rule["last_day"] == {"sent": 0, "cooldown": 0, "quiet": 0, "late": 0}
    path = f"{ROOT}/rules/{rule['id']}"
    assert client.put(path, json=client.get(path).json | {"moment": "ended"}).json["moment"] == "ended"
    assert client.delete(path).status_code == 204


@pytest.mark.parametrize(
    "values",
    [
        {"title": "{nothing}"},
        {"text": "{"},
        {"min_score": 2},
        {"min_score": True},
        {"time_zone": "Nowhere/City"},
        {"quiet_hours": {"monday": [["8", "9"]]}},
        {"cooldown_seconds": -1},
        {"moment": "sometimes"},
        {"kinds": ["x"] * 31},
        {"device_ids": ["x"]},
    ],
)
def test_a_rule_that_cannot_be_right_is_refused(client, values):
    assert client.post(f"{ROOT}/rules", json={"name": "R"} | values).status_code == 422


def test_a_rule_names_channels_that_exist(client):
    body = {"name": "R", "channel_ids": ["5f3f5a0e-6d4e-4b53-8b51-3f6a1f0c2f11"]}
    assert client.post(f"{ROOT}/rules", json=body).status_code == 404


def test_a_preview_says_what_a_rule_would_have_done(client, scope, box):
    device = make_device(scope, box, name="Gate")
    for _ in range(3):
        record_event(scope.tenant_id, device.id, "detection", "seen", label="person", score=0.9)
    record_event(scope.tenant_id, device.id, "detection", "seen", label="car", score=0.9)
    body = {"name": "R", "labels": ["person"], "cooldown_seconds": 60}
    shown = client.post(f"{ROOT}/rules/preview", json=body).json
    assert (shown["matched"], shown["notifications"]) == (3, 1)
    assert shown["newest"][0]["title"] == "Gate: person"
    assert client.get(f"{ROOT}/rules").json == []


def test_browsers_subscribe_to_push_channels_alone(client, monkeypatch):
    channel = create(client, {"name": "Push", "kind": "push"})
    assert len(channel["push"]["public_key"]) > 80
    monkeypatch.setattr(
        "plugins.notifications.api.channels.routes.has_valid_keys", lambda **keys: keys["auth"] == "good"
    )
    path = f"{ROOT}/channels/{channel['id']}/subscriptions"
    body = {"endpoint": "https://127.0.0.1/secret-endpoint", "p256dh": "x", "auth": "good", "browser": "Phone"}
    first = client.post(path, json=body)
    assert first.status_code == 201
    assert client.post(path, json=body).json["id"] == first.json["id"]
    assert "secret-endpoint" not in client.get(path).get_data(as_text=True)
    assert client.get(f"{ROOT}/channels/{channel['id']}").json["push"]["browsers"] == 1
    assert client.post(path, json=body | {"auth": "bad"}).status_code == 422
    assert client.post(path, json=body | {"endpoint": "https://10.0.0.1/"}).status_code == 422
    assert client.delete(f"{path}/{first.json['id']}").status_code == 204
    hook = create(client, WEBHOOK | {"name": "Hook 2", "webhook": {"url": "http://127.0.0.1/", "secret": new_secret()}})
    assert client.post(f"{ROOT}/channels/{hook['id']}/subscriptions", json=body).status_code == 409


def patch(client, kind, row, body, **headers):
    headers = {"Content-Type": "application/merge-patch+json"} | headers
    return client.patch(f"{ROOT}/{kind}/{row['id']}", json=body, headers=headers)


def test_a_patch_of_a_channel_keeps_its_secrets_and_what_is_not_sent(client):
    before = create(client, MAIL)
    found = patch(client, "channels", before, {"name": "Guards", "mail": {"port": 2525}}).json
    assert (found["name"], found["mail"]["port"], found["mail"]["host"]) == ("Guards", 2525, "127.0.0.1")
    assert found["mail"]["has_password"] is True
    assert found["version"] == before["version"] + 1
    assert patch(client, "channels", before, {"mail": {"password": None}}).json["mail"]["has_password"] is False
    assert patch(client, "channels", before, {"kind": "push"}).status_code == 422
    assert patch(client, "channels", before, {"mail": None}).status_code == 422
    assert patch(client, "channels", before, {"nothing": 1}).status_code == 422


def test_a_patch_of_a_rule_changes_what_is_sent(client):
    before = create(client, {"name": "Night", "labels": ["person"], "cooldown_seconds": 60}, kind="rules")
    found = patch(client, "rules", before, {"labels": ["car"], "cooldown_seconds": None}).json
    assert (found["name"], found["labels"], found["cooldown_seconds"]) == ("Night", ["car"], 0)
    etag = client.get(f"{ROOT}/rules/{before['id']}").headers["ETag"]
    assert patch(client, "rules", before, {"name": "Day"}, **{"If-Match": etag}).status_code == 200
    assert patch(client, "rules", before, {"name": "Noon"}, **{"If-Match": etag}).status_code == 412
    assert patch(client, "rules", before, {"min_score": 2}).status_code == 422


@pytest.mark.parametrize(("kind", "body"), [("channels", WEBHOOK), ("rules", {"name": "Night"})])
def test_a_repeated_request_creates_nothing_new(client, kind, body):
    first, second = (client.post(f"{ROOT}/{kind}", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert first.headers["ETag"] == second.headers["ETag"]
    assert len(client.get(f"{ROOT}/{kind}").json) == 1
    other = client.post(f"{ROOT}/{kind}", json=body | {"name": "Other"}, headers={"Idempotency-Key": "one"})
    assert (other.status_code, other.json["reason"]) == (409, "key_reused")


def test_a_repeated_test_of_a_channel_sends_one(client):
    channel = create(client)
    first, second = (
        client.post(f"{ROOT}/channels/{channel['id']}/test", headers={"Idempotency-Key": "one"}) for _ in range(2)
    )
    assert first.json["id"] == second.json["id"]
    assert first.headers["Location"] == second.headers["Location"]
    assert len(client.get(f"{ROOT}/deliveries").json) == 1
