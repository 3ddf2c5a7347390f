"""The recorder is the output with that role, whatever its name; its leases tell which devices are recorded."""

import pytest

from gateway.leases import Leases
from gateway.plugin_manager import create_plugin_manager
from gateway.redis_client import connect_redis
from gateway.storage.recorders import LivingRecorders, find_recorder
from tests.factories import make_config, no_plugins
from tests.gateway.consumer_plugin import FakeRecorder, consumer_plugin

DEVICE = "00000000-0000-4000-8000-0000000000d1"


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


def find(*outputs: FakeRecorder) -> str | None:
    plugins = no_plugins()
    for number, output in enumerate(outputs):
        plugins.register(consumer_plugin(output), name=f"plugin {number}")
    return find_recorder(plugins, make_config())


def test_the_output_with_the_role_is_the_recorder():
    assert find(FakeRecorder("analyser", None), FakeRecorder("tape"), FakeRecorder("archiver", "archive")) == "tape"


def test_without_such_an_output_there_is_no_recorder():
    assert find() is None
    assert find(FakeRecorder("analyser", None), FakeRecorder("other analyser", None)) is None


def test_of_two_recorders_the_first_one_is_used_and_the_other_plugin_is_named(caplog):
    assert find(FakeRecorder("disk"), FakeRecorder("tape")) == "disk"
    assert "outputs 'disk' and 'tape' both have the role 'recorder'" in caplog.text


def test_a_device_is_recorded_while_the_recorder_holds_its_lease(client):
    leases = Leases(client)
    is_recorded = LivingRecorders(client, "tape")
    assert not is_recorded(DEVICE)
    leases.take("output:tape", DEVICE, "worker", 60)
    assert is_recorded(DEVICE)
    assert not LivingRecorders(client, "disk")(DEVICE)


def test_without_a_recorder_no_device_is_recorded(client):
    assert not LivingRecorders(client, None)(DEVICE)


def test_the_recorder_that_is_installed_holds_the_leases_it_always_held(client):
    recorder = find_recorder(create_plugin_manager(), make_config())
    Leases(client).take("output:hls_recorder", DEVICE, "worker", 60)
    assert LivingRecorders(client, recorder)(DEVICE)
