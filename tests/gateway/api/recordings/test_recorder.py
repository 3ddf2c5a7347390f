"""A request that makes footage wanted goes to the plugin that records; without one it is only stored."""

from tests.gateway.consumer_plugin import FakeRecorder, consumer_plugin


def start(client, device) -> None:
    answer = client.post(f"/api/v1/recordings/devices/{device['id']}/start", json={})
    assert answer.status_code == 202
    assert answer.json["is_wanted"]


def messages(app) -> int:
    return app.extensions["vas"].redis.llen("dramatiq:record")


def register(app, *outputs) -> None:
    for number, output in enumerate(outputs):
        app.extensions["vas"].plugins.register(consumer_plugin(output), name=f"plugin {number}")


def test_the_output_with_the_role_is_asked(app, client, device):
    register(app, FakeRecorder("analyser", None), FakeRecorder("tape"))
    start(client, device)
    assert messages(app) == 1
    assert app.extensions["vas"].recorder() == "tape"


def test_without_a_recorder_the_request_is_stored_and_nobody_is_asked(app, client, device):
    register(app, FakeRecorder("analyser", None))
    start(client, device)
    assert messages(app) == 0


def test_the_second_of_two_recorders_is_set_aside_and_the_first_records(app, client, device, caplog):
    register(app, FakeRecorder("disk"), FakeRecorder("tape"))
    start(client, device)
    assert messages(app) == 1
    assert "'disk' and 'tape' both have the role 'recorder'" in caplog.text
