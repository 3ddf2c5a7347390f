"""Follows the objects of one device from picture to picture: overlap of boxes, and movement at constant velocity."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway.plugin_api import Detection

#: Labels that a detector takes for each other are one kind.
_KINDS = {
    **dict.fromkeys(("car", "vehicle", "truck", "bus", "van"), "vehicle"),
    **dict.fromkeys(("dog", "cat", "cattle", "sheep", "horse", "bear", "cow", "animal"), "animal"),
    **dict.fromkeys(("bicycle", "motorcycle", "bike"), "bicycle"),
}
#: Overlap (intersection over union) from which boxes are the same object at once.
_OVERLAP = 0.3
#: Otherwise the centres may be this many box sizes apart, and so many more for each second since the last picture.
_DISTANCE, _DRIFT = 0.5, 0.4
#: The older of two tracks is preferred, by so much for each of its first ten sightings.
_AGE = 0.01
#: What touches the edge of the picture and is not seen again has left.
_EDGE, _LEFT_MS = 0.01, 1000
#: Sizes of the same object differ by this factor at most, from one picture to the next.
_GROWTH = 2.0
#: New weight of a measured velocity.
_STEER = 0.4
#: Velocity fades while an object is not seen: it may have stopped.
_FADE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """An object as it was seen in one picture. `moves`: the share of its box that moves."""

    at_ms: int
    x: float
    y: float
    width: float
    height: float
    score: float
    moves: float = 0.0

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def foot(self) -> tuple[float, float]:
        """Where it stands on the ground."""
        return self.x + self.width / 2, self.y + self.height


@dataclass(slots=True, eq=False)
class Track:
    """One object. `votes`: the scores of each label that it was given."""

    number: int
    kind: str
    sightings: list[Sighting]
    votes: dict[str, float] = field(default_factory=dict)
    vx: float = 0.0
    vy: float = 0.0
    hits: int = 1
    first: Sighting = field(init=False)
    best: Sighting = field(init=False)
    #: The last time at which it was somewhere else, or moved.
    moved_ms: int = 0
    travelled: float = 0.0
    #: The share of its last sightings in which its box moved.
    liveliness: float = 0.0
    anchor: Sighting = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.best = self.anchor = self.sightings[0]
        self.moved_ms = self.first.at_ms

    @property
    def last(self) -> Sighting:
        return self.sightings[-1]

    @property
    def label(self) -> str:
        """The label that it was given most often, weighted by score."""
        return max(self.votes, key=self.votes.__getitem__)

    @property
    def score(self) -> float:
        """The best score that it had."""
        return self.best.score

    def predict(self, at_ms: int) -> tuple[float, float, float, float]:
        """Where it should be: x, y, width, height."""
        last = self.last
        seconds = (at_ms - last.at_ms) / 1000
        reach = _FADE_SECONDS * (1 - math.exp(-seconds / _FADE_SECONDS))
        return last.x + self.vx * reach, last.y + self.vy * reach, last.width, last.height


class Tracker:
    """Tracks of one device. A track begins with a detection of at least `least_score`; weaker ones only continue it.

    A track that was not seen for `lost_seconds` ends, or for three pictures if these are rarer.
    """

    def __init__(self, *, least_score: float, lost_seconds: float = 2.0) -> None:
        self._least_score = least_score
        self._lost_ms = round(lost_seconds * 1000)
        self._numbers = itertools.count(1)
        self._updated_ms = 0
        self._interval_ms = 0.0
        self.tracks: list[Track] = []

    def update(
        self,
        at_ms: int,
        detections: Iterable[Detection],
        moves: Callable[[Detection], float] = lambda detection: 1.0,
    ) -> list[Track]:
        """Take the detections of a picture; returns the tracks that have ended. Earlier pictures are ignored."""
        if self.tracks and any(track.last.at_ms >= at_ms for track in self.tracks):
            return []
        if 0 < at_ms - self._updated_ms < 10_000:
            self._interval_ms += 0.3 * (at_ms - self._updated_ms - self._interval_ms)
        self._updated_ms = at_ms
        found = sorted(detections, key=lambda one: -one.score)
        strong = [one for one in found if one.score >= self._least_score]
        weak = [one for one in found if one.score < self._least_score]
        free = self._match(at_ms, list(self.tracks), strong, moves)
        matched = {id(track) for track in self.tracks if track.last.at_ms == at_ms}
        self._match(at_ms, [track for track in self.tracks if id(track) not in matched], weak, moves)
        for detection in free:
            if not self._is_covered(at_ms, detection):
                sighting = _see(at_ms, detection, moves(detection))
                track = Track(next(self._numbers), kind_of(detection.label), [sighting])
                track.votes[detection.label] = detection.score
                track.liveliness = float(sighting.moves > 0)
                self.tracks.append(track)
        return self.expire(at_ms)

    def expire(self, at_ms: int) -> list[Track]:
        """End the tracks that were not seen for too long, and return them."""
        most = max(self._lost_ms, 3 * self._interval_ms)
        at_edge = max(_LEFT_MS, 3 * self._interval_ms)
        ended = [
            track for track in self.tracks if at_ms - track.last.at_ms > (at_edge if _is_at_edge(track.last) else most)
        ]
        self.tracks = [track for track in self.tracks if track not in ended]
        return ended

    def _match(
        self, at_ms: int, tracks: Sequence[Track], detections: list[Detection], moves: Callable[[Detection], float]
    ) -> list[Detection]:
        """Continue tracks, the most alike first; returns the detections that are of none."""
        pairs = []
        for track in tracks:
            box = track.predict(at_ms)
            gap = (at_ms - track.last.at_ms) / 1000
            for index, one in enumerate(detections):
                if kind_of(one.label) == track.kind and (likeness := _likeness(box, one, gap)) > 0:
                    pairs.append((likeness + _AGE * min(track.hits, 10), track.number, index, track))
        used: set[int] = set()
        done: set[int] = set()
        for _, number, index, track in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
            if index not in used and number not in done:
                used.add(index)
                done.add(number)
                _continue(track, _see(at_ms, detections[index], moves(detections[index])), detections[index])
        return [one for index, one in enumerate(detections) if index not in used]

    def _is_covered(self, at_ms: int, detection: Detection) -> bool:
        """Whether it is another view of an object that was seen in this picture."""
        for track in self.tracks:
            if track.kind == kind_of(detection.label) and track.last.at_ms == at_ms:
                last = track.last
                common = _common((last.x, last.y, last.width, last.height), detection)
                if common > 0.6 * min(last.width * last.height, detection.width * detection.height):
                    return True
        return False


def _is_at_edge(seen: Sighting) -> bool:
    low, high = _EDGE, 1 - _EDGE
    return seen.x < low or seen.y < low or seen.x + seen.width > high or seen.y + seen.height > high


def kind_of(label: str) -> str:
    """The kind of a label: labels of one kind may be the same object."""
    return _KINDS.get(label, label)


def overlap(box: tuple[float, float, float, float], one: Detection) -> float:
    """Intersection over union."""
    common = _common(box, one)
    union = box[2] * box[3] + one.width * one.height - common
    return common / union if union > 0 else 0.0


def _common(box: tuple[float, float, float, float], one: Detection) -> float:
    width = min(box[0] + box[2], one.x + one.width) - max(box[0], one.x)
    height = min(box[1] + box[3], one.y + one.height) - max(box[1], one.y)
    return max(0.0, width) * max(0.0, height)


def _likeness(box: tuple[float, float, float, float], one: Detection, gap_seconds: float) -> float:
    """How well a detection continues a track that should be in `box`: above 0 if it may, above 1 if they overlap."""
    shared = overlap(box, one)
    if shared >= _OVERLAP:
        return 1 + shared
    for mine, theirs in ((box[2], one.width), (box[3], one.height)):
        if not 1 / _GROWTH <= (theirs + 1e-6) / (mine + 1e-6) <= _GROWTH:
            return 0.0
    size = math.sqrt(max(box[2] * box[3], one.width * one.height)) + 1e-6
    dx = box[0] + box[2] / 2 - one.x - one.width / 2
    dy = box[1] + box[3] / 2 - one.y - one.height / 2
    reach = _DISTANCE + _DRIFT * min(gap_seconds, 2.0)
    return max(0.0, 1 - math.hypot(dx, dy) / size / reach)


def _see(at_ms: int, one: Detection, moves: float) -> Sighting:
    return Sighting(at_ms, one.x, one.y, one.width, one.height, one.score, moves)


def _continue(track: Track, seen: Sighting, detection: Detection) -> None:
    last = track.last
    seconds = max(0.02, (seen.at_ms - last.at_ms) / 1000)
    (ax, ay), (bx, by) = last.centre, seen.centre
    weight = _STEER if track.hits > 1 else 1.0
    track.vx += weight * ((bx - ax) / seconds - track.vx)
    track.vy += weight * ((by - ay) / seconds - track.vy)
    track.hits += 1
    track.votes[detection.label] = track.votes.get(detection.label, 0.0) + detection.score
    track.sightings.append(seen)
    (ox, oy) = track.anchor.centre
    distance = math.hypot((bx - ox) / (track.anchor.width + 1e-6), (by - oy) / (track.anchor.height + 1e-6))
    track.travelled = max(track.travelled, _distance_from_start(track, seen))
    track.liveliness += _STEER / 2 * ((seen.moves > 0) - track.liveliness)
    if distance > 0.3:
        track.anchor, track.moved_ms = seen, seen.at_ms
    if _worth(seen) > _worth(track.best):
        track.best = seen


def _distance_from_start(track: Track, seen: Sighting) -> float:
    """In sizes of its box."""
    (ax, ay), (bx, by) = track.first.centre, seen.centre
    return math.hypot((bx - ax) / (track.first.width + 1e-6), (by - ay) / (track.first.height + 1e-6))


def _worth(seen: Sighting) -> float:
    """How good a picture shows it: large, sure, and not cut off by the edge."""
    return seen.score * math.sqrt(seen.width * seen.height) * (0.6 if _is_at_edge(seen) else 1.0)
