"""What the bus carries gets into files of a minute, each part once, and the index says so."""

import pytest

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_parts_become_files_of_a_minute(world):
    world.attach()
    world.record(150)
    world.detach()
    assert [row.parts for row in world.segments()] == [120, 120, 60]
    world.check()
