"""Reasons of gaps, derived from the history of the stream."""

from gateway.footage.recorder_state import DeviceState, stream_events_between
from gateway.plugin_api import REASONS, DesiredState, StreamState

#: Reasons of a stream that is not meant to run, so that no footage is expected.
UNWANTED = frozenset({"stream_stopped", "device_disabled", "device_deleted"})

_LOST_STATES = frozenset({StreamState.RECONNECTING, StreamState.FAILED, StreamState.STOPPED})
_SLACK_MS = 1000


def explain_gap(device_id: str, start_ms: int, end_ms: int) -> str | None:
    """The first reason that the stream gave between two moments; None when it gave none.

    Raises DatabaseUnavailable.
    """
    events = stream_events_between(device_id, start_ms - _SLACK_MS, end_ms + _SLACK_MS)
    for event in events:
        if event.to_state in _LOST_STATES:
            return _format(event.reason_code, is_stopped=event.to_state == StreamState.STOPPED)
    for event in events:
        if event.to_state == StreamState.STARTING and event.reason_code is not None:
            return _format(event.reason_code)
    # A killed worker writes no event; the next one starts the stream while it is still marked as running.
    if any(event.to_state == StreamState.STARTING for event in events):
        return "worker_stopped"
    return None


def explain_silence(device_state: DeviceState) -> str | None:
    """Why a stream sends no parts now; None while it starts or is marked as running."""
    if not device_state.settings.desired.is_enabled:
        return "device_disabled"
    if device_state.desired == DesiredState.STOPPED:
        return _format(device_state.desired_reason, is_stopped=True)
    if device_state.observed == StreamState.RUNNING:
        return None
    if device_state.reason is None:
        return None
    return _format(device_state.reason, is_stopped=device_state.observed == StreamState.STOPPED)


def _format(code: str | None, *, is_stopped: bool = False) -> str:
    if is_stopped and code in {None, "requested", "idle"}:
        return "stream_stopped"
    return code if code in REASONS else "unknown"
