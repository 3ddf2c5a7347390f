"""From when on parts may be recorded: a wish that begins must not bring back what nobody wanted before it."""

from dataclasses import dataclass

from gateway.footage.recorder_state import events_until, override_begin_ms
from gateway.footage.recordings import RecorderSettings
from gateway.footage.segments import Gap
from gateway.media import Part
from gateway.schedules.recording_plan import Decision
from plugins.hls_recorder.segment import Place

#: After an end of these kinds, the picture before the wish may be kept so that it can be decoded from a key frame on.
_OPEN_TO_LEAD_IN = frozenset({"no_event", "not_planned"})
_STEP_MS = 250
#: A camera that has sent no key frame for so long is recorded without.
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
    """Where recording may begin after a time in which nobody wanted it; None when it simply goes on.

    `gap` is the one that is open, `window_ms` how far back the bus reaches. Raises DatabaseUnavailable.
    """
    if gap is None or gap.is_wanted:
        return None
    has_lead_in = gap.reason_code in _OPEN_TO_LEAD_IN
    if decision.cause == "event" and has_lead_in:
        begun_ms = _event_begin_ms(settings, now_ms) - round(settings.pre_roll_seconds * 1000)
        return RecordingStart(max(begun_ms, gap.start_ms), has_lead_in)
    if decision.cause == "manual":
        return RecordingStart(max(override_begin_ms(settings.recording_id) or now_ms, gap.start_ms), has_lead_in)
    # The wish itself tells since when it holds, as far as it is a matter of time; otherwise it holds from now.
    begun_ms = now_ms
    if decision.cause == "schedule" and has_lead_in:
        while begun_ms > now_ms - window_ms and settings.decide(begun_ms - _STEP_MS).is_wanted:
            begun_ms -= _STEP_MS
    return RecordingStart(max(begun_ms, gap.start_ms), has_lead_in)


def _event_begin_ms(settings: RecorderSettings, now_ms: int) -> int:
    """When the oldest of the events happened whose windows overlap up to now."""
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
    """Lets parts in from the entrance on, with the lead-in that makes them playable."""

    def __init__(self, recording_start: RecordingStart) -> None:
        self._start = recording_start
        self._lead_in: list[AcceptedPart] = []
        self._waits_since: int | None = None
        self.is_open = False

    def accept(self, part: Part, place: Place) -> list[AcceptedPart]:
        """The parts with their places that are to be written now, oldest first."""
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
