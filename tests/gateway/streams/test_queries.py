"""Queries of workers and the clock process about streams."""

import uuid

import pytest

from gateway.inventory import DeviceValues, replace_device
from gateway.states import StreamState
from gateway.streams.model import request_start, transition
from gateway.streams.queries import (
    read_desired,
    read_device_settings,
    read_stream_record,
    streams_to_reconcile,
    streams_wanted,
)
from tests.factories import PASSWORD, SOURCE_URL, make_device

pytestmark = pytest.mark.usefixtures("bound_database")


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


def test_a_disabled_device_is_not_wanted(scope, box, device):
    request_start(scope, device.id)
    assert [record.device_id for record in streams_wanted()] == [device.id]
    replace_device(scope, device.id, DeviceValues(device.name, None, enabled=False), box)
    assert streams_wanted() == []
    assert read_desired(device.id).reason == "device_disabled"


def test_reconciliation_reads_streams_that_should_run_or_are_not_stopped(scope, box):
    idle, wanted, leftover = (make_device(scope, box) for _ in range(3))
    request_start(scope, wanted.id)
    transition(leftover.id, StreamState.STARTING)
    assert {record.device_id for record in streams_to_reconcile()} == {wanted.id, leftover.id}
    assert idle.id


def test_settings_open_the_source_and_hide_it_from_repr(scope, box, device):
    settings = read_device_settings(device.id, box)
    assert settings.source_url == SOURCE_URL
    assert PASSWORD not in repr(settings)
    assert settings.source_version == 1


def test_unknown_devices_are_no_error_for_workers():
    unknown = str(uuid.uuid4())
    assert read_desired(unknown) is None
    assert read_stream_record(unknown) is None
    assert not transition(unknown, StreamState.STARTING)
