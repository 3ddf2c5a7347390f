"""Real values for `on_*` hooks: `trial.facts.bookmark(title="Parcel")` makes one and calls the plugin's hook."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.media import BookmarkFact, ClipFact, EventFact, SegmentFact, SnapshotFact
from gateway.states import REASONS, StreamState
from gateway.testing.clip import FILM, HEIGHT, WIDTH
from gateway.testing.footage import record_segment
from gateway.testing.ground import TrialGround

_numbers = itertools.count(1)


class TrialFacts:
    """Each method calls one `on_*` hook of the plugin, with values that may be overridden, and returns the fact."""

    def __init__(self, ground: TrialGround, own_device: Callable[[], str]) -> None:
        self._ground, self._own_device = ground, own_device

    def stream_state(self, state: str = "running", reason: str | None = None, *, device_id: str | None = None) -> str:
        """`on_stream_state`: the stream of a device has another state."""
        StreamState(state)
        assert reason is None or reason in REASONS, f"'{reason}' is no code of gateway.states.REASONS"
        self._ground.call("on_stream_state", device_id=self._of(device_id), state=state, reason=reason)
        return state

    def segment(self, seconds: float = 4.0, *, moving: bool = True, device_id: str | None = None) -> SegmentFact:
        """`on_segment`: a file of footage, which is recorded now: real file, real row."""
        device = self._ground.find_device(self._of(device_id))
        parts = list(self._ground.film(device.id).take_many(seconds, moving=moving))
        self._ground.clock.advance(seconds)
        segment = record_segment(self._ground.config, device, parts)
        self._ground.call("on_segment", is_optional=True, device_id=device.id, segment=segment)
        return segment

    def snapshot(self, *, device_id: str | None = None, **values: Any) -> SnapshotFact:
        """`on_snapshot`: a picture was stored. `path` is that of a film, unless `values` name a picture."""
        made = SnapshotFact(str(uuid.uuid4()), "live", self._now(), WIDTH, HEIGHT, FILM.stat().st_size, path=str(FILM))
        return self._report("on_snapshot", device_id, snapshot=replace(made, **values))

    def bookmark(self, *, device_id: str | None = None, **values: Any) -> BookmarkFact:
        """`on_bookmark`: a bookmark was created, or what `change` says."""
        made = BookmarkFact(str(uuid.uuid4()), "created", self._now(), "A parcel", ("parcel",), "Trial")
        return self._report("on_bookmark", device_id, bookmark=replace(made, **values))

    def clip(self, *, device_id: str | None = None, **values: Any) -> ClipFact:
        """`on_clip`: the clip of a bookmark is ready, or has failed for a `reason`."""
        now = self._now()
        made = ClipFact(str(uuid.uuid4()), now - 8000, now, 8.0, FILM.stat().st_size, str(FILM), by_name="Trial")
        return self._report("on_clip", device_id, clip=replace(made, **values))

    def event(self, kind: str = "motion", *, device_id: str | None = None, **values: Any) -> EventFact:
        """`on_event`: an event of another plugin, or of the product, was recorded or changed."""
        device = self._ground.find_device(self._of(device_id))
        number, now = next(_numbers), self._now()
        made = EventFact(number, number, "recorded", device.tenant_id, device.id, kind, now, now, plugin="trial")
        event = replace(made, **values)
        self._ground.call("on_event", event=event)
        return event

    def _report(self, hook: str, device_id: str | None, **fact: Any) -> Any:
        self._ground.call(hook, device_id=self._of(device_id), **fact)
        return next(iter(fact.values()))

    def _of(self, device_id: str | None) -> str:
        return device_id or self._own_device()

    def _now(self) -> int:
        return round(self._ground.clock.wall() * 1000)
