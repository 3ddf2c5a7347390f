"""Fixtures of the recorder's tests."""

import pytest

from gateway.footage.recordings import change_settings, find_recording
from tests.factories import make_config, make_device
from tests.plugins.hls_recorder.world import World


@pytest.fixture
def world(bound_database, scope, box, tmp_path) -> World:
    """A device that is recorded all the time, and a record worker; on each kind of database."""
    config = make_config(database_url=bound_database, recordings_dir=tmp_path / "recordings")
    device = make_device(scope, box)
    row = find_recording(scope, device.id)
    values = {name: getattr(row, name) for name in ("time_zone", "pre_roll_seconds", "post_roll_seconds")}
    change_settings(
        scope, device.id, values | {"mode": "continuous", "plan": {}, "keep_days": None, "keep_bytes": None}
    )
    return World(config, scope, device)
