"""Decides which tracks are events: objects that move, long enough, in a zone; and when motion itself is one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from plugins.ai_analytics.kinds import MOTION, OBJECT
from plugins.ai_analytics.motion import COLUMNS, ROWS, Motion
from plugins.ai_analytics.options import DeviceOptions
from plugins.ai_analytics.tracker import Sighting, Track
from plugins.ai_analytics.zones import draw_mask

#: An object that stands still for so long has arrived: its event ends, and begins anew when it moves.
STILL_SECONDS = 10.0
#: Motion that pauses for less is one event.
_MOTION_PAUSE_SECONDS = 4.0
#: Pictures with motion, after each other, that begin an event.
_MOTION_PICTURES = 2
#: Sightings of an object before it is believed.
_LEAST_HITS = 3
#: Its box has moved by this share of its size.
_TRAVEL = 0.35


@dataclass(slots=True, eq=False)
class Incident:
    """An event that goes on. `fresh`: sightings that are not stored yet."""

    kind: str
    label: str
    start_ms: int
    last_ms: int
    score: float
    zones: list[str]
    best: Sighting | None
    detector: str = ""
    fresh: list[Sighting] = field(default_factory=list)
    is_ended: bool = False

    @property
    def zone(self) -> str | None:
        """The first zone that it was in."""
        return self.zones[0] if self.zones else None


class ObjectIncidents:
    """The incidents of one detector's tracks."""

    def __init__(self, options: DeviceOptions, detector: str) -> None:
        self._options = options
        self._detector = detector
        self._open: dict[int, Incident] = {}
        self._taken: dict[int, int] = {}

    @property
    def open(self) -> list[Incident]:
        return list(self._open.values())

    def find(self, track: Track) -> Incident | None:
        """The incident of a track, while it goes on."""
        return self._open.get(track.number)

    def update(self, at_ms: int, tracks: Iterable[Track], ended: Iterable[Track]) -> tuple[list[Incident], ...]:
        """Returns incidents that began, went on with new sightings, and ended."""
        began, changed, over = [], [], []
        for track in tracks:
            incident = self._open.get(track.number)
            zones = self._zones(track.last, track.label)
            if incident is None:
                if self._is_event(track):
                    incident = self._begin(track)
                    began.append(incident)
            elif at_ms - track.moved_ms > STILL_SECONDS * 1000:
                self._end(track, incident)
                over.append(incident)
                continue
            elif self._collect(track, incident):
                changed.append(incident)
            if incident is not None:
                incident.zones += [name for name in zones if name not in incident.zones]
        for track in ended:
            incident = self._open.get(track.number)
            if incident is not None:
                self._end(track, incident)
                over.append(incident)
            self._taken.pop(track.number, None)
        return began, changed, over

    def close(self) -> list[Incident]:
        """End all incidents."""
        over = list(self._open.values())
        for incident in over:
            incident.is_ended = True
        self._open.clear()
        return over

    def _is_event(self, track: Track) -> bool:
        options = self._options
        if track.hits < _LEAST_HITS or track.score < options.min_score or track.last.at_ms - track.moved_ms > 2000:
            return False
        if options.labels and track.label not in options.labels:
            return False
        since = self._taken.get(track.number, track.first.at_ms)
        if track.last.at_ms - since < options.min_seconds * 1000:
            return False
        size = max(track.best.height, track.best.width)
        if size < options.min_size or track.travelled < _TRAVEL or track.liveliness < 0.5:
            return False
        return not options.zones or any(self._zones(seen, track.label) for seen in track.sightings[-5:])

    def _begin(self, track: Track) -> Incident:
        start = self._taken.get(track.number, 0)
        seen = [one for one in track.sightings if one.at_ms >= max(start, track.moved_ms if start else 0)]
        incident = Incident(
            OBJECT, track.label, seen[0].at_ms, track.last.at_ms, track.score, [], track.best, self._detector, seen
        )
        for one in seen:
            incident.zones += [name for name in self._zones(one, track.label) if name not in incident.zones]
        self._open[track.number] = incident
        del track.sightings[:-1]
        return incident

    def _collect(self, track: Track, incident: Incident) -> bool:
        """Take what was seen since; False if nothing was."""
        seen = [one for one in track.sightings if one.at_ms > incident.last_ms]
        if not seen:
            return False
        incident.fresh += seen
        incident.last_ms, incident.score, incident.label = track.last.at_ms, track.score, track.label
        incident.best = track.best
        del track.sightings[:-1]
        return True

    def _end(self, track: Track, incident: Incident) -> None:
        self._collect(track, incident)
        incident.is_ended = True
        self._open.pop(track.number, None)
        self._taken[track.number] = track.last.at_ms

    def _zones(self, seen: Sighting, label: str) -> list[str]:
        return [zone.name for zone in self._options.zones if zone.holds(label, *seen.foot)]


class MotionIncidents:
    """The incident of a device's motion: at most one at a time."""

    def __init__(self, options: DeviceOptions) -> None:
        self._options = options
        self._areas = [
            (zone.name, draw_mask([zone.points], COLUMNS, ROWS))
            for zone in options.zones
            if not zone.labels or MOTION in zone.labels
        ]
        self._pictures = 0
        self._first_ms = 0
        self.incident: Incident | None = None

    def update(self, at_ms: int, motion: Motion) -> tuple[list[Incident], ...]:
        """As ObjectIncidents.update."""
        zones = [name for name, area in self._areas if (motion.cells & area).any()] if motion.regions else []
        is_moving = bool(motion.regions) and bool(zones or not self._options.zones)
        incident = self.incident
        if not is_moving:
            self._pictures = 0
            if incident is not None and at_ms - incident.last_ms > _MOTION_PAUSE_SECONDS * 1000:
                return [], [], self.close()
            return [], [], []
        if not self._pictures:
            self._first_ms = at_ms
        self._pictures += 1
        best = Sighting(at_ms, *_around(motion), min(1.0, motion.area * 10), 1.0)
        if incident is None:
            if self._pictures < _MOTION_PICTURES or at_ms - self._first_ms < self._options.min_seconds * 1000:
                return [], [], []
            self.incident = Incident(MOTION, MOTION, self._first_ms, at_ms, best.score, zones, best)
            return [self.incident], [], []
        incident.last_ms = at_ms
        if best.score > incident.score:
            incident.score, incident.best = best.score, best
        incident.zones += [name for name in zones if name not in incident.zones]
        return [], [incident], []

    def close(self) -> list[Incident]:
        """End it."""
        incident, self.incident = self.incident, None
        if incident is None:
            return []
        incident.is_ended = True
        return [incident]


def _around(motion: Motion) -> tuple[float, float, float, float]:
    regions: Sequence = motion.regions
    left, top = min(one.x for one in regions), min(one.y for one in regions)
    right, bottom = max(one.x + one.width for one in regions), max(one.y + one.height for one in regions)
    return left, top, right - left, bottom - top
