"""A camera that counts its frames, while it is recorded: what every fault of recording is measured by."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.cameras import CounterCamera
from tests.cameras.footage import Exactness, judge
from tests.faults.report import Loss, RecoveryReport
from tests.stack import Stack
from tests.stack.playback import Played, play
from tests.stack.store import CLOSED, OPEN, Store, assert_store_is_consistent

#: So much footage of before a fault is looked at as well: what was written must not be harmed.
BEFORE_SECONDS = 3.0
#: Times in a playlist are right within so much: a part is stamped when it arrives, on a busy machine.
CLOCK_SECONDS = 0.7
#: Footage lost by no fault of ours: none.
NOTHING = 0.0


@dataclass
class Recorded:
    """A device that is recorded without a pause."""

    stack: Stack
    device_id: str
    camera: CounterCamera

    @property
    def store(self) -> Store:
        """Its rows and files as they are now."""
        return Store.of(self.stack, self.device_id)

    def indexed_until(self) -> float:
        """The end of the newest footage that has a row, in seconds since 1970; 0 without any."""
        return max((row.end_ms for row in self.store.segments() if row.state in (OPEN, CLOSED)), default=0) / 1000

    def wait_indexed(self, moment: float, seconds: float) -> float:
        """Wait until footage of later than a moment has a row; gives the moment at which it was so."""
        self.stack.wait_until(
            lambda: self.indexed_until() > moment,
            seconds,
            f"footage of later than {moment:.1f} is in the index",
        )
        return time.time()

    def wait_observed(self, observed: str, reason: str | None, seconds: float) -> None:
        """Wait until the API tells this state, with this reason's code where one is given."""

        def look() -> bool:
            told = self.stack.api.get(f"/recordings/devices/{self.device_id}")
            code = (told["reason"] or {}).get("code")
            return told["observed"] == observed and (reason is None or code == reason)

        self.stack.wait_until(look, seconds, f"the recording is {observed} {reason or ''}")

    def worker(self, name: str = "record") -> int:
        """The process of a record worker."""
        return self.stack.running_pid(name)

    def owner_pid(self) -> int:
        """The process that records the device, by its row."""
        worker = self.store.worker
        return int(worker.rpartition(":")[2])

    def play(self, since: float, until: float | None = None) -> Played:
        """Play back by the API's playlist."""
        return play(self.stack, self.device_id, since, until, camera=self.camera)


@dataclass
class Fault:
    """One fault of a recording: what is done, and what is held against its budget.

        with Fault(recorded, report, "kill -9 record worker", budget=0) as fault:
            os.kill(recorded.worker(), signal.SIGKILL)
        assert fault.exactness.is_exact

    At the end of the block recording must come back within `seconds`; then all footage from before the fault until
    now is played back, counted, and compared with the rows.
    """

    recorded: Recorded
    report: RecoveryReport
    name: str
    budget: float = NOTHING
    seconds: float = 25.0
    began: float = 0.0
    back_seconds: float = 0.0
    exactness: Exactness | None = None
    reasons: tuple[str, ...] = ()

    def __enter__(self) -> Fault:
        self.recorded.wait_indexed(time.time() - 5, 15)
        self.began = time.time()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._measure()

    def _measure(self) -> None:
        recorded, camera = self.recorded, self.recorded.camera
        over = time.time()
        self.back_seconds = recorded.wait_indexed(over + 0.5, self.seconds) - self.began
        assert_store_is_consistent(recorded.stack, recorded.device_id)
        # Without an end the playlist would grow, and leave out what is being written just now.
        played = recorded.play(self.began - BEFORE_SECONDS, recorded.indexed_until())
        self.exactness = judge(played.counters)
        lost = self.exactness.missing_frames / camera.settings.fps
        self.reasons = self._gap_reasons()
        self.report.add_loss(Loss(self.name, lost, self.budget, self.back_seconds, self.reasons))
        assert camera.wall_clock(played.counters[0]) < self.began, "the footage of before the fault is gone"
        assert camera.wall_clock(played.counters[-1]) > over, "the footage of after the fault is not played"
        assert not self.exactness.repeated, self.exactness
        assert not self.exactness.misplaced, self.exactness
        assert lost <= self.budget, self.exactness
        assert max(abs(error) for error in played.clock_errors) < CLOCK_SECONDS
        if lost > 1:
            assert self.reasons, "what was lost has no reason"

    def _gap_reasons(self) -> tuple[str, ...]:
        since = self.began * 1000 - BEFORE_SECONDS * 1000
        gaps = [gap for gap in self.recorded.store.gaps() if (gap.end_ms or gap.start_ms) > since]
        return tuple(dict.fromkeys(gap.reason_code for gap in gaps))


def start_recording(stack: Stack, camera: CounterCamera, name: str) -> Recorded:
    """A device of its own for a camera, with footage in the index."""
    device_id = stack.add_device(name, camera.url)["id"]
    stack.api.post(f"/recordings/devices/{device_id}/start")
    recorded = Recorded(stack, device_id, camera)
    stack.wait_for_state(device_id, "running")
    recorded.wait_indexed(time.time() + 1, 25)
    return recorded


def wait_for_frames(camera: CounterCamera, frames: int) -> None:
    """Until the camera has counted so many more: what is away stays away for so long."""
    until = camera.counter + frames
    while camera.counter < until:
        time.sleep(0.05)
