"""A watched device, by which the effect of every fault is measured."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.streams.bus import MediaBus
from tests.stack import BrowserViewer, Stack

#: Between two pictures; more is a visible break. Generous: the machine is busy with the fault itself.
GAP_SECONDS = 0.8
#: A break not caused by the load: a restart (FFmpeg, SFU, a page's connection) takes longer.
STOP_SECONDS = 1.5
#: Time for which everything must be well before it counts: longer than an undetected break can last.
STEADY_SECONDS = 1.0


@dataclass
class Watched:
    """`recover` waits until everything is well again after a fault and returns how long the picture was away."""

    stack: Stack
    device_id: str
    viewer: BrowserViewer

    @property
    def ffmpeg(self) -> int:
        """The id of the one FFmpeg process."""
        pids = self.stack.wait_until(lambda: self.stack.ffmpeg_pids(self.device_id), 20, "the device has an FFmpeg")
        assert len(pids) == 1
        return pids[0]

    def owning_worker(self, *names: str) -> str:
        """The one of the named stream workers that owns the device."""
        pid = int(self.stack.stream(self.device_id)["worker"].rpartition(":")[2])
        return next(name for name in names if pid in self.stack.pids(name))

    def recover(self, moment: float, seconds: float, is_healed: Callable[[], object] = lambda: True) -> float | None:
        """Wait until `is_healed`, the stream runs, the bus gets new parts and pictures flow in the page.

        Returns the seconds from `moment` (wall clock) to the end of the break, None without a break. Fails after
        `seconds`, and if the page was reloaded.
        """

        well_since = 0.0

        def is_well() -> bool:
            nonlocal well_since
            is_well = (
                is_healed()
                and self.stack.stream(self.device_id)["observed"] == "running"
                and self.has_parts_after(moment)
                and self.viewer.is_flowing(GAP_SECONDS)
            )
            well_since = (well_since or time.monotonic()) if is_well else 0.0
            return bool(is_well) and time.monotonic() - well_since >= STEADY_SECONDS

        self.stack.wait_until(is_well, seconds + STEADY_SECONDS + 1, f"device {self.device_id} is live again")
        assert self.viewer.has_continued, "the page was reloaded"
        recovery = self.viewer.recovery_after(moment, GAP_SECONDS)
        return recovery or None

    def has_parts_after(self, moment: float) -> bool:
        """Whether the bus holds footage later than a moment."""
        client = self.stack.redis.client()
        try:
            entries = client.xrevrange(f"vas:bus:{self.device_id}", count=1)
            return bool(entries) and float(entries[0][1][b"t"]) > moment
        finally:
            client.close()

    def assert_never_stops(self, since: float) -> None:
        """Fail if the pictures stopped since a moment, however busy the machine is."""
        assert self.viewer.has_continued
        assert self.viewer.longest_gap(since) <= STOP_SECONDS

    def events_since(self, moment: float) -> list[dict]:
        """The device's transitions since a moment, newest first."""
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        return [event for event in self.stack.api.get(f"/devices/{self.device_id}/events") if event["at"] >= start]

    def reasons_since(self, moment: float) -> list[str]:
        """The reason codes of the transitions since a moment."""
        return [event["reason"]["code"] for event in self.events_since(moment) if event["reason"]]

    def bus(self) -> MediaBus:
        """The bus, to read from."""
        return MediaBus(self.stack.redis.client())
