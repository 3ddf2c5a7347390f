"""The options of plugins by the API."""

import json
import threading
import uuid

import pytest

from gateway import database
from gateway.app import create_app
from gateway.plugin_options.model import DevicePluginOptionsRow
from gateway.tenancy.scopes import EVERY_TENANT
from tests.factories import device_body
from tests.gateway.plugin_options.test_forms import RaisesWhenBuilt
from tests.options_plugin import NAME, DeviceSchema, options_plugin, with_options

HERE = f"/api/v1/plugins/{NAME}/options"


@pytest.fixture
def app(config):
    manager = with_options()
    manager.register(options_plugin(), name="without")
    app = create_app(config, manager)
    yield app
    database.close()


def of_device(device, name=NAME) -> str:
    return f"/api/v1/devices/{device['id']}/plugins/{name}"


def test_what_is_set_for_the_installation_is_read_back_with_its_schema(client):
    before = client.get(HERE)
    assert (before.status_code, before.json["values"], before.json["missing"]) == (200, {}, ["server"])
    assert before.headers["ETag"].startswith('"0.')
    answer = client.put(HERE, json={"values": {"server": "s", "volume": 3, "key": "k3y"}})
    assert answer.status_code == 200
    found = client.get(HERE)
    assert found.json == answer.json
    assert found.headers["ETag"] == answer.headers["ETag"]
    assert found.json["values"] == {"server": "s", "volume": 3}
    assert found.json["secrets"] == {"key": True, "pin": False}
    assert found.json["origins"]["volume"] == {"level": "installation", "tag": None, "other_tags": []}
    assert (found.json["changed_by"], found.json["missing"]) == ("127.0.0.1", [])
    assert found.json["schema"]["properties"]["key"]["writeOnly"] is True
    assert "k3y" not in found.text
    again = client.put(HERE, json=found.json)
    assert (again.status_code, again.headers["ETag"]) == (200, found.headers["ETag"])


def test_tags_and_devices_inherit_and_say_from_where(client):
    device = client.post("/api/v1/devices", json=device_body(tags=["gate", "north"])).json
    client.put(f"{HERE}/tags/gate", json={"values": {"volume": 1}})
    client.put(f"{HERE}/tags/north", json={"values": {"volume": 2, "pause": 5}})
    assert client.get(HERE).json["tags"] == ["gate", "north"]
    found = client.get(of_device(device)).json
    assert (found["level"], found["device_id"], found["tags"]) == ("device", device["id"], [])
    assert {name: found["effective"][name] for name in ("volume", "pause")} == {"volume": 1, "pause": 5}
    assert found["origins"]["volume"] == {"level": "tag", "tag": "gate", "other_tags": ["north"]}
    answer = client.put(of_device(device), json={"values": {"volume": 9}})
    assert (answer.json["origins"]["volume"]["level"], answer.json["inherited"]["volume"]) == ("device", 1)
    assert client.get(f"/api/v1/devices/{device['id']}/plugins").json == [answer.json]
    assert client.delete(f"{HERE}/tags/gate").status_code == 204
    assert client.delete(of_device(device)).status_code == 204
    assert client.delete(of_device(device)).status_code == 204
    assert client.get(of_device(device)).json["effective"]["volume"] == 2
    assert client.get(HERE).json["tags"] == ["north"]


@pytest.mark.parametrize("tag", ["gate%2Fnorth", "gate north", "%C3%BCber"])
def test_a_tag_may_have_any_characters_of_tags(client, tag):
    assert client.put(f"{HERE}/tags/{tag}", json={"values": {"volume": 1}}).status_code == 200
    assert client.get(f"{HERE}/tags/{tag}").json["values"] == {"volume": 1}


def test_what_is_no_tag_is_refused(client):
    for tag in ("x" * 51, "a%00b", "%20"):
        answer = client.put(f"{HERE}/tags/{tag}", json={"values": {}})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["path"])


def test_values_that_do_not_fit_are_named_by_field(client, device):
    answer = client.put(of_device(device), json={"values": {"volume": 101, "pin": 5, "melody": "x"}})
    assert answer.status_code == 422
    assert set(answer.json["errors"]["json"]["values"]) == {"volume", "pin", "melody"}
    answer = client.put(of_device(device), json={"values": {"server": "s", "colour": 1}})
    assert set(answer.json["errors"]["json"]["values"]) == {"server", "colour"}
    assert answer.json["reason"] == "invalid_value"


ODD_BODIES = [
    "[]",
    "{}",
    "null",
    '{"values": null}',
    '{"values": 7}',
    '{"values": {}, "more": 1}',
    '{"values": {"volume": NaN}}',
    '{"values": {"volume": 1e999}}',
    '{"values": {"volume": "\\u0000"}}',
    '{"values": {"\\ud800": 1}}',
    '{"values": {"pin": ' + "[" * 50 + "]" * 50 + "}}",
    '{"values": {"places": [' + '{"a":' * 40 + "1" + "}" * 40 + "]}}",
    '{"values": {"names": ["' + "x" * 900_000 + '"]}}',
    '{"values": {"places": [{"a": "' + "x" * 100_000 + '"}]}}',
    '{"values": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
    '{"values": {"volume": 1' + "0" * 5000 + "}}",
    '{"values": {"' + "x" * 10_000 + '": 1}}',
]


def test_odd_bodies_are_refused_and_change_nothing(client, device):
    for body in ODD_BODIES:
        answer = client.put(of_device(device), data=body, content_type="application/json")
        assert answer.status_code in (400, 413, 422), body[:100]
        assert len(answer.text) < 3000
    assert client.get(of_device(device)).json["values"] == {}


def test_a_secret_with_half_a_character_is_stored_as_it_came(client, device):
    body = json.dumps({"values": {"pin": "\ud800", "names": ["\ud800"]}})
    answer = client.put(of_device(device), data=body, content_type="application/json")
    assert answer.status_code in (200, 422), answer.text
    assert client.get(of_device(device)).status_code == 200


def test_unknown_plugins_and_plugins_without_options_are_not_found(client, device):
    for method in (client.get, client.delete):
        answer = method(of_device(device, "nobody"))
        assert (answer.status_code, answer.json["message"]) == (404, "no plugin 'nobody' is installed")
    for address in ("/api/v1/plugins/without/options", of_device(device, "without")):
        answer = client.get(address)
        assert (answer.status_code, answer.json["message"]) == (404, "plugin 'without' has no options")
    gone = {"id": str(uuid.uuid4())}
    for answer in (
        client.get(of_device(gone)),
        client.put(of_device(gone), json={"values": {}}),
        client.delete(of_device(gone)),
        client.get(f"/api/v1/devices/{gone['id']}/plugins"),
    ):
        assert (answer.status_code, "no device" in answer.json["message"]) == (404, True)


def test_a_plugin_with_options_of_the_installation_alone_has_none_for_devices(config):
    client = create_app(config, with_options(DeviceSchema, None)).test_client()
    device = client.post("/api/v1/devices", json=device_body()).json
    assert client.get(HERE).status_code == 200
    for address in (of_device(device), f"{HERE}/tags/gate"):
        answer = client.get(address)
        assert (answer.status_code, "no options for devices" in answer.json["message"]) == (404, True)
    assert client.get(f"/api/v1/devices/{device['id']}/plugins").json == []
    database.close()


def test_a_schema_that_raises_costs_its_plugin_alone(config):
    manager = with_options(None, RaisesWhenBuilt)
    manager.register(options_plugin(), name="without")
    client = create_app(config, manager).test_client()
    answer = client.get(HERE)
    assert (answer.status_code, answer.json["reason"]) == (409, "options_unusable")
    assert "no engine" in answer.json["message"]
    plugins = {one["name"]: one for one in client.get("/api/v1/plugins").json}
    assert "no engine" in plugins[NAME]["options_fault"]
    assert (plugins["without"]["options"], plugins["without"]["options_fault"]) == ([], None)
    health = client.get("/api/v1/health").json["components"]["plugin_options"]
    assert (health["status"], NAME in health["reason"]) == ("degraded", True)
    assert client.get("/api/v1/openapi.json").status_code == 200
    database.close()


def test_stored_values_that_no_longer_fit_are_named_by_reply_and_health(client, device):
    client.put(of_device(device), json={"values": {"volume": 7}})
    assert client.get("/api/v1/health").json["components"]["plugin_options"]["status"] == "ok"
    with database.transaction():
        EVERY_TENANT.update(DevicePluginOptionsRow, content='{"volume": 700, "colour": 1}').execute()
    found = client.get(of_device(device)).json
    assert found["effective"]["volume"] == 50
    assert [(one["name"], one["level"]) for one in found["problems"]] == [("volume", "device"), ("colour", "device")]
    assert found["values"] == {"volume": 700, "colour": 1}


def test_a_stale_version_is_refused(client, device):
    tag = client.get(of_device(device)).headers["ETag"]
    answer = client.put(of_device(device), json={"values": {"volume": 1}}, headers={"If-Match": tag})
    assert answer.status_code == 200
    for refused in (
        client.put(of_device(device), json={"values": {"volume": 2}}, headers={"If-Match": tag}),
        client.delete(of_device(device), headers={"If-Match": tag}),
    ):
        assert (refused.status_code, refused.json["reason"]) == (412, "version_changed")
    assert client.get(of_device(device), headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    newest = {"If-Match": answer.headers["ETag"]}
    assert client.delete(of_device(device), headers=newest).status_code == 204


def test_writers_at_once_lose_nothing_that_they_were_told_is_stored(app, device):
    address, done = of_device(device), []

    def write(number: int) -> None:
        client = app.test_client()
        for _ in range(5):
            seen = client.get(address)
            values = seen.json["values"]
            names = [*values.get("names", []), str(number)]
            answer = client.put(
                address, json={"values": {**values, "names": names}}, headers={"If-Match": seen.headers["ETag"]}
            )
            assert answer.status_code in (200, 412), answer.text
            if answer.status_code == 200:
                done.append(str(number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(app.test_client().get(address).json["values"]["names"]) == sorted(done)


def test_the_options_of_a_deleted_device_return_with_it(client, device):
    client.put(of_device(device), json={"values": {"volume": 7, "pin": "4711"}})
    assert client.delete(f"/api/v1/devices/{device['id']}").status_code == 204
    assert client.get(of_device(device)).status_code == 404
    assert client.post(f"/api/v1/devices/{device['id']}/restore").status_code == 200
    found = client.get(of_device(device)).json
    assert (found["values"], found["secrets"], found["problems"]) == ({"volume": 7}, {"pin": True}, [])


def test_the_document_has_typed_operations_for_each_plugin(client):
    document = client.get("/api/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    values = schemas["DoorBellDeviceValuesRequest"]
    assert values["additionalProperties"] is False
    assert (values["properties"]["volume"]["type"], values["properties"]["volume"]["maximum"]) == (
        ["integer", "null"],
        100,
    )
    assert "pin" in values["properties"]
    assert "pin" not in schemas["DoorBellDeviceValues"]["properties"]
    assert "server" in schemas["DoorBellInstallationValues"]["properties"]
    operation = document["paths"][f"/api/v1/devices/{{device_id}}/plugins/{NAME}"]["put"]
    assert operation["operationId"] == "replace_device_door_bell_options"
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert body.endswith("/DoorBellDeviceOptionsRequest")
    assert {part["name"] for part in operation["parameters"]} == {"If-Match"}
