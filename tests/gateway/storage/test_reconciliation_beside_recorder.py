"""A recorder is killed repeatedly while its rows and files are reconciled: no part is lost or indexed twice."""

import random

import pytest

from gateway.clock import DAY_MS
from gateway.storage.folders import list_folders
from gateway.storage.local import open_storage
from gateway.storage.range_deletion import delete_range
from gateway.storage.reconciliation import Reconciliation, Scan
from gateway.storage.retention import Retention
from tests.plugins.hls_recorder.conftest import world
from tests.plugins.hls_recorder.world import NOON, World

__all__ = ["world"]

#: The bus of the tests holds 15 s: whoever is back earlier has lost nothing.
MAX_OUTAGE_SECONDS = 8


class Drill:
    """Random steps of a recorder and of reconciliation. `doubt`: how often a living recorder is taken for dead."""

    def __init__(self, world: World, seed: int, doubt: float) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.doubt = doubt
        self.storage = open_storage(world.config)
        # Files are younger than the fake clock thinks: none is spared for having been written a moment ago.
        self.reconciliation = Reconciliation(self.storage, world.clock, is_recorded=self.is_recorded)
        self.waiting: list[Scan] = []

    def is_recorded(self, device_id: str) -> bool:
        return self.world.recorder is not None and self.dice.random() >= self.doubt

    def scan(self) -> None:
        """Compare now; the mismatches are repaired later."""
        self.waiting += [self.reconciliation.scan(folder) for folder in list_folders(self.now_ms())]

    def repair(self) -> None:
        while self.waiting:
            self.reconciliation.repair(self.waiting.pop(0))

    def now_ms(self) -> int:
        return int(self.world.clock.wall() * 1000)

    def kill_and_return(self) -> None:
        """The recorder is stopped or killed; another one starts soon."""
        if self.dice.random() < 0.3:
            self.world.detach("worker_stopped")
        self.world.kill()
        outage = self.dice.uniform(0.5, MAX_OUTAGE_SECONDS)
        for _ in range(3):
            self.world.record(outage / 3)
            if self.dice.random() < 0.5:
                self.dice.choice((self.scan, self.repair))()
        self.world.attach()

    def step(self) -> None:
        self.world.index_every = self.dice.choice((1, 1, 4, 20))
        act = self.dice.choices(
            (lambda: self.world.record(self.dice.uniform(1, 90)), self.scan, self.repair, self.kill_and_return),
            (5, 3, 3, 2),
        )[0]
        act()

    def finish(self) -> None:
        """Stop the recorder, and reconcile everything twice."""
        self.world.index_every = 1
        self.world.record(1)
        self.world.detach("worker_stopped")
        self.world.output.index.work()
        for _ in range(2):
            self.scan()
            self.repair()


@pytest.mark.parametrize("doubt", [0.0, 0.5], ids=["a lease that is right", "a lease that is wrong half of the time"])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_part_is_lost_or_indexed_twice(world: World, seed: int, doubt: float):
    drill = Drill(world, seed, doubt)
    world.attach()
    world.record(5)
    for _ in range(25):
        drill.step()
    drill.finish()
    world.check()
    sent = [(1, number + 1) for number in range(world.sequence)]
    assert world.recorded() == sent
    assert not list((world.config.recordings_dir / ".quarantine").glob("**/*.mp4"))


def test_deletions_between_scan_and_repair_bring_nothing_back(world: World):
    drill = Drill(world, 7, 0.0)
    keeper = Retention(world.config, drill.storage, world.clock)
    world.attach()
    for _ in range(15):
        world.record(drill.dice.uniform(20, 70))
        drill.scan()
        start_ms = drill.now_ms() - drill.dice.randrange(200_000)
        delete_range(world.scope, world.device.id, start_ms, start_ms + drill.dice.randrange(1, 150_000), "Ann")
        if drill.dice.random() < 0.5:
            drill.repair()
        keeper.run()
        drill.repair()
    drill.finish()
    keeper.run()
    world.check()
    assert {reason for _, _, reason, _ in world.gaps()} <= {"deleted_by_person", "worker_stopped", "recorder_restarted"}
    assert int(NOON * 1000) // DAY_MS in {segment.start_ms // DAY_MS for segment in world.segments()}
