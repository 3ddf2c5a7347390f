"""Three deaths in a minute set a plugin aside, for longer each time; one of a vital process is enough."""

import pytest

from gateway.isolation.deaths import MAX_PAUSE_SECONDS, Deaths
from gateway.isolation.marks import Death, Suspect


class World:
    def __init__(self, folder) -> None:
        self.now = 1_000_000.0
        self.folder = folder

    def die(self, *plugins: str, kind: str = "outputs", step: str = "take", is_certain: bool = True) -> None:
        suspects = tuple(Suspect(plugin, step) for plugin in plugins)
        self.deaths().count(Death(kind, suspects, is_certain))

    def deaths(self) -> Deaths:
        """The record as another process reads it."""
        return Deaths(self.folder, wall=lambda: self.now)

    def is_aside(self, plugin: str = "bad") -> bool:
        return self.deaths().aside(plugin) is not None


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def test_the_third_death_within_a_minute_sets_aside(world):
    for _ in range(2):
        world.die("bad")
        world.now += 20
    assert not world.is_aside()
    world.die("bad")
    assert world.deaths().aside("bad").describe() == "it ended 3 processes, the last in 'take' (outputs)"
    assert not world.is_aside("good")


def test_deaths_far_apart_do_not(world):
    for _ in range(10):
        world.die("bad")
        world.now += 31
    assert not world.is_aside()


@pytest.mark.parametrize("kind", ["stream", "record"])
def test_one_certain_death_of_a_process_that_all_cameras_need_is_enough(world, kind):
    world.die("perhaps", kind=kind, is_certain=False)
    assert not world.is_aside("perhaps")
    world.die("bad", kind=kind)
    assert world.is_aside()


def test_the_pause_grows_and_a_quiet_time_forgives(world):
    pauses = []
    for _ in range(8):
        world.die("bad", kind="stream")
        began = world.now
        while world.is_aside():
            world.now += 5
        pauses.append(world.now - began)
    assert pauses[:3] == [60, 120, 240]
    assert pauses[-1] == MAX_PAUSE_SECONDS
    world.now += 3 * MAX_PAUSE_SECONDS
    world.die("bad", kind="stream")
    world.now += 61
    assert not world.is_aside()


@pytest.mark.parametrize(("step", "is_loaded"), [("load", False), ("register_blueprints", False), ("take", True)])
def test_a_plugin_that_died_while_it_started_is_not_even_loaded(world, step, is_loaded):
    world.die("bad", kind="stream", step=step)
    assert world.deaths().aside("bad").is_of_loading is not is_loaded


def test_a_clock_that_was_set_back_sets_nothing_aside_for_days(world):
    world.die("bad", kind="stream")
    world.now -= 86_400
    assert not world.is_aside()


def test_a_plugin_can_be_forgiven(world):
    world.die("bad", kind="stream")
    world.deaths().forget("bad")
    assert not world.is_aside()


@pytest.mark.parametrize("garbage", ["", "[]", '{"bad": 7}', '{"bad": {"deaths": 1}}', "\0"])
def test_a_record_that_was_damaged_is_begun_anew(world, garbage):
    (world.folder / "deaths.json").write_text(garbage)
    assert not world.is_aside()
    world.die("bad", kind="stream")
    assert world.is_aside()


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    world = World(tmp_path / "file")
    world.die("bad", kind="stream")
    assert not world.is_aside()
    assert "cannot be counted" in caplog.text
