"""Analyses the pictures of one device: motion in each of them, and detectors while something moves."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.plugin_api import Detector, Frame
from plugins.ai_analytics.decoding import Picture
from plugins.ai_analytics.detectors.runner import Answer
from plugins.ai_analytics.incidents import Incident, MotionIncidents, ObjectIncidents
from plugins.ai_analytics.motion import HEIGHT, NONE, WIDTH, Motion, MotionMeter
from plugins.ai_analytics.options import DeviceOptions
from plugins.ai_analytics.tracker import Track, Tracker

#: Detectors go on for so long after the last motion, at the full rate; then slowly while they know objects.
_AFTER_SECONDS = 1.0
_SLOW_SECONDS = 1.0
#: Pictures are no exact distance apart: one that comes earlier by a part of the interval is on time.
_EARLY = 0.7
#: Pictures whose motion is remembered until their detections come.
_KEPT = 64
_WINDOW_SECONDS = 10.0


class Runner(Protocol):
    """What of DetectorRunner is needed."""

    def is_free(self, device_id: str) -> bool: ...
    def offer(self, device_id: str, frame: Frame) -> bool: ...
    def take(self, device_id: str) -> list[Answer]: ...


@dataclass(frozen=True, slots=True)
class Findings:
    """What is new: incidents that began, went on and ended, and boxes of the present for those who watch."""

    began: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    ended: tuple[Incident, ...] = ()
    shown: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.began or self.changed or self.ended or self.shown)


class _Followed:
    """One detector of the device."""

    def __init__(self, detector: Detector, runner: Runner, options: DeviceOptions) -> None:
        self.detector = detector
        self.runner = runner
        self.tracker = Tracker(least_score=options.min_score)
        self.incidents = ObjectIncidents(options, detector.name)
        self.offered_at = 0.0
        #: The pictures that were due for it in the last seconds: when, and whether it took them.
        self.due: deque[tuple[float, bool]] = deque()


class Pipeline:
    """Call `look` for each picture that is to be analysed, in order, and `collect` also without pictures."""

    def __init__(self, device_id: str, options: DeviceOptions, runners: Mapping[str, tuple[Detector, Runner]]) -> None:
        self._device_id = device_id
        self._options = options
        self._meter = MotionMeter(sensitivity=options.sensitivity, masks=options.masks)
        self._motion_incidents = MotionIncidents(options)
        self._followed = [
            _Followed(*runners[name], options) for name in dict.fromkeys(options.detectors) if name in runners
        ]
        self._moved_at = float("-inf")
        self._recent: deque[tuple[int, Motion]] = deque(maxlen=_KEPT)

    def look(self, picture: Picture) -> Findings:
        """Analyse a picture."""
        at = picture.at
        motion = self._meter.measure(picture.grey(WIDTH, HEIGHT), at)
        at_ms = round(at * 1000)
        self._recent.append((at_ms, motion))
        if motion.regions:
            self._moved_at = at
        for followed in self._followed:
            self._offer(followed, picture, at_ms)
        found = self._motion_incidents.update(at_ms, motion) if self._options.motion_events else ([], [], [])
        return self._merge([found], at_ms)

    def collect(self, now_ms: int) -> Findings:
        """Take the answers of detectors that have come meanwhile."""
        return self._merge([], now_ms)

    def detector_rates(self, now: float) -> list[dict[str, Any]]:
        """Pictures a second that each detector was to look at, and those that it took, over the last ten seconds."""
        rates = []
        for followed in self._followed:
            while followed.due and not 0 <= now - followed.due[0][0] <= _WINDOW_SECONDS:
                followed.due.popleft()
            taken = sum(is_taken for _, is_taken in followed.due)
            rates.append(
                {
                    "name": followed.detector.name,
                    "wanted_fps": round(len(followed.due) / _WINDOW_SECONDS, 2),
                    "given_fps": round(taken / _WINDOW_SECONDS, 2),
                }
            )
        return rates

    def close(self) -> Findings:
        """End everything that goes on."""
        ended = [one for followed in self._followed for one in followed.incidents.close()]
        return Findings(ended=(*ended, *self._motion_incidents.close()))

    def _offer(self, followed: _Followed, picture: Picture, at_ms: int) -> None:
        since_motion = picture.at - self._moved_at
        since_offer = picture.at - followed.offered_at
        if since_motion > _AFTER_SECONDS:
            if not followed.incidents.open or since_offer < _SLOW_SECONDS:
                return
        elif 0 <= since_offer < _EARLY / self._options.detector_fps:
            return
        followed.offered_at = picture.at
        is_taken = False
        # The picture is scaled only for a detector that can take it.
        if followed.runner.is_free(self._device_id):
            width, height, rgb = picture.rgb(followed.detector.width, followed.detector.height)
            is_taken = followed.runner.offer(self._device_id, Frame(self._device_id, at_ms, width, height, rgb))
        followed.due.append((picture.at, is_taken))

    def _merge(self, found: list[tuple[list[Incident], ...]], now_ms: int) -> Findings:
        shown = []
        for followed in self._followed:
            for answer in followed.runner.take(self._device_id):
                found.append(self._follow(followed, answer))
                boxes = [_show(track, followed.incidents.find(track)) for track in followed.tracker.tracks]
                if boxes:
                    shown.append({"at_ms": answer.at_ms, "detector": followed.detector.name, "boxes": boxes})
            ended = followed.tracker.expire(now_ms - 2000)
            if ended:
                found.append(followed.incidents.update(now_ms, [], ended))
        began, changed, over = ([one for several in found for one in several[kind]] for kind in range(3))
        return Findings(tuple(began), tuple(changed), tuple(over), tuple(shown))

    def _follow(self, followed: _Followed, answer: Answer) -> tuple[list[Incident], ...]:
        motion = next((motion for at_ms, motion in self._recent if at_ms == answer.at_ms), NONE)
        move: Callable = lambda one: motion.share_in(one.x, one.y, one.width, one.height)  # noqa: E731
        ended = followed.tracker.update(answer.at_ms, answer.detections, move)
        return followed.incidents.update(answer.at_ms, followed.tracker.tracks, ended)


def _show(track: Track, incident: Incident | None) -> dict[str, Any]:
    last = track.last
    return {
        "track": track.number,
        "at_ms": last.at_ms,
        "label": track.label,
        "score": round(last.score, 3),
        "x": round(last.x, 4),
        "y": round(last.y, 4),
        "width": round(last.width, 4),
        "height": round(last.height, 4),
        "is_event": incident is not None,
    }
