"""The start of recording, with pre-roll: parts on the bus from before footage was wanted are not recorded."""

from dataclasses import dataclass

from gateway.footage.recorder_state import events_until, override_begin_ms
from gateway.footage.recordings import RecorderSettings
from gateway.footage.segments import Gap
from gateway.plugin_api import Part
from gateway.schedules.recording_plan import Decision
from plugins.hls_recorder.segment import Place

#: After gaps with these reasons the lead-in from the last key frame on may be kept, so that the start can be decoded.
_OPEN_TO_LEAD_IN = frozenset({"no_event", "not_planned"})
_STEP_MS = 250
#: Longest wait for a key frame; after it recording starts without one.
_KEY_PATIENCE_MS = 30_000


@dataclass(frozen=True, slots=True)
class RecordingStart:
    """Parts that end before `from_ms` are not recorded, except, with `has_lead_in`, those since the key frame before
    it.
    """

    from_ms: int
    has_lead_in: bool = False


def find_recording_start(
    settings: RecorderSettings, decision: Decision, gap: Gap | None, now_ms: int, window_ms: int
) -> RecordingStart | None:
    """The start of recording after a time in which footage was not wanted; None when recording simply resumes.

    `gap` is the open gap, `window_ms` the length of the bus. Raises DatabaseUnavailable.
    """
    if gap is None or gap.is_wanted:
        return None
    has_lead_in = gap.reason_code in _OPEN_TO_LEAD_IN
    if decision.cause == "event" and has_lead_in:
        begun_ms = _event_begin_ms(settings, now_ms) - round(settings.pre_roll_seconds * 1000)
        return RecordingStart(max(begun_ms, gap.start_ms), has_lead_in)
    if decision.cause == "manual":
        return RecordingStart(max(override_begin_ms(settings.recording_id) or now_ms, gap.start_ms), has_lead_in)
    # A schedule tells since when footage is wanted; otherwise it is wanted from now on.
    begun_ms = now_ms
    if decision.cause == "schedule" and has_lead_in:
        while begun_ms > now_ms - window_ms and settings.decide(begun_ms - _STEP_MS).is_wanted:
            begun_ms -= _STEP_MS
    return RecordingStart(max(begun_ms, gap.start_ms), has_lead_in)


def _event_begin_ms(settings: RecorderSettings, now_ms: int) -> int:
    """The start of the oldest event in the chain of overlapping event windows that reaches the present."""
    post_roll_ms = round(settings.post_roll_seconds * 1000)
    events = events_until(settings.recording_id, now_ms)
    begun_ms = now_ms
    for event in events:
        if (event.end_ms or event.at_ms) + post_roll_ms < begun_ms:
            break
        begun_ms = event.at_ms
    return begun_ms


AcceptedPart = tuple[Part, Place]


class PreRollFilter:
    """Accepts parts from the start of recording on, with the lead-in that makes them playable.

    `is_open`: the first part was accepted, and all later ones are.
    """

    def __init__(self, recording_start: RecordingStart) -> None:
        self._start = recording_start
        self._lead_in: list[AcceptedPart] = []
        self._waits_since: int | None = None
        self.is_open = False

    def accept(self, part: Part, place: Place) -> list[AcceptedPart]:
        """The parts to write now, with their places, oldest first."""
        if self._lead_in and (part.is_key or part.run != self._lead_in[0][0].run):
            self._lead_in = []
        if place.end_ms <= self._start.from_ms:
            if self._start.has_lead_in and (part.is_key or self._lead_in):
                self._lead_in.append((part, place))
            return []
        if not part.is_key and not self._lead_in:
            self._waits_since = place.start_ms if self._waits_since is None else self._waits_since
            if 0 <= place.start_ms - self._waits_since < _KEY_PATIENCE_MS:
                return []
        self.is_open = True
        accepted, self._lead_in = [*self._lead_in, (part, place)], []
        return accepted
