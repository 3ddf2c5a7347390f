"""`…/recordings/devices/{id}/live/…`: live footage from the media bus as low-latency HLS; needs no recording."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request
from flask.blueprints import BlueprintSetupState

from gateway.api.base import Blueprint, DeferredReply, current_scope, request_stream, services
from gateway.api.cross_site import may_start_a_camera
from gateway.api.errors import ApiError
from gateway.api.file_replies import bytes_response
from gateway.devices.model import Device
from gateway.errors import Conflict, InvalidValue
from gateway.inventory import find_device
from gateway.media import Position
from gateway.mp4.init_segments import drop_sound
from gateway.mp4.silence import SilenceFiller
from gateway.playback.live_playlist import LivePlaylist, ReloadTarget
from gateway.playback.live_window import LiveWindow, LiveWindows
from gateway.states import DesiredState, reason_for
from gateway.streams.queries import StreamRecord, read_stream_record

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"

#: A blocking reload is answered after three target durations (RFC 8216bis, 6.2.5.2), and at the latest after this
#: time: players give up after ten seconds.
BLOCK_SECONDS = 8.0
#: Longest waits for the first video of a device that starts, and for a part that was hinted.
START_SECONDS = 8.0
HINT_SECONDS = 4.0

#: A playlist request notes the demand of a viewer at most once in this time.
_DEMAND_SECONDS = 2.0

#: A part of a run never changes; `private`, because it belongs to one tenant.
_IMMUTABLE = "private, max-age=3600, immutable"

#: A segment lasts at most four seconds (gateway.streams.bus), and cameras rarely send more parts in that time.
MAX_PARTS = 400

_EXTENSION = "vas_live"
_NUMBER = "int(max=9007199254740991)"

blp = Blueprint("live_recordings", __name__, url_prefix="/recordings", description="Live footage as low-latency HLS")


@blp.record_once
def _prepare(state: BlueprintSetupState) -> None:
    with state.app.app_context():
        state.app.extensions[_EXTENSION] = LiveWindows(services().bus)


def _window_of(device: Device) -> LiveWindow:
    """The window on the bus that all viewers of a device share."""
    windows: LiveWindows = current_app.extensions[_EXTENSION]
    return windows.of(device.id)


@blp.route(f"/devices/<uuid:device_id>/live/init-<{_NUMBER}:run>.mp4", defaults={"sound": ""})
@blp.route(f"/devices/<uuid:device_id>/live/<any(sound):sound>/init-<{_NUMBER}:run>.mp4")
@blp.file_response("video/mp4")
@blp.errors(404, 416, 503)
def get_live_init(device_id: Any, run: int, sound: str) -> Response:
    """Read the init segment of a run

    As the live playlist refers to it: without audio, or below `sound/` always with an audio track.
    """
    device = find_device(current_scope(), str(device_id))
    init = _read_init(device, run)
    return _media(SilenceFiller.of(init).init if sound else drop_sound(init), f"{device.id}-{run}-init-{sound}")


@blp.route(f"/devices/<uuid:device_id>/live/<{_NUMBER}:run>-<{_NUMBER}:sequence>.m4s", defaults={"sound": ""})
@blp.route(f"/devices/<uuid:device_id>/live/<any(sound):sound>/<{_NUMBER}:run>-<{_NUMBER}:sequence>.m4s")
@blp.file_response("video/mp4")
@blp.errors(404, 416, 503)
def get_live_part(device_id: Any, run: int, sequence: int, sound: str) -> Response:
    """Read a live part

    A request for the next part waits for it (EXT-X-PRELOAD-HINT). Below `sound/`, parts without audio carry silence.
    404 with reason `no_footage` if the part is no longer on the media bus, or does not arrive.
    """
    device = find_device(current_scope(), str(device_id))
    position = Position(run, sequence)
    window = _window_of(device)
    newest = window.read().newest
    if newest is not None and (newest.run, newest.sequence + 1) == (position.run, position.sequence):
        return _later(
            window,
            lambda playlist: playlist.newest is not None and playlist.newest >= position,
            HINT_SECONDS,
            lambda _: _footage(device, position, position, sound),
        ) or _footage(device, position, position, sound)
    return _footage(device, position, position, sound)


@blp.route(
    f"/devices/<uuid:device_id>/live/<{_NUMBER}:run>-<{_NUMBER}:first>-<{_NUMBER}:last>.m4s",
    defaults={"sound": ""},
)
@blp.route(f"/devices/<uuid:device_id>/live/<any(sound):sound>/<{_NUMBER}:run>-<{_NUMBER}:first>-<{_NUMBER}:last>.m4s")
@blp.file_response("video/mp4")
@blp.errors(404, 416, 503)
def get_live_segment(device_id: Any, run: int, first: int, last: int, sound: str) -> Response:
    """Read a live segment

    Its parts from `first` to `last` in one file. 404 with reason `no_footage` if one of them is no longer on the media
    bus.
    """
    device = find_device(current_scope(), str(device_id))
    if not 0 <= last - first < MAX_PARTS:
        raise ApiError(404, f"a segment has 1 to {MAX_PARTS} parts, not {last - first + 1}", reason="no_footage")
    return _footage(device, Position(run, first), Position(run, last), sound)


def live_playlist_response(device: Device) -> Response:
    """The low-latency playlist of a device now; reads `_HLS_msn` and `_HLS_part` of the present request.

    Starts an on_demand device if the request is a viewer's (`may_start_a_camera`). 404 `no_footage` when the device is
    stopped or disabled; 503 `no_footage_yet` when it runs and sends nothing; 422 for directives that cannot be
    followed. Raises BusUnavailable.
    """
    wanted = _read_directives()
    window = _window_of(device)
    _note_demand(device, window)
    playlist = window.read()
    if wanted is not None:
        playlist.check(wanted)
    if _is_enough(playlist, wanted):
        return _format_playlist(device, playlist, can_block=True)
    seconds = START_SECONDS if playlist.is_empty else min(BLOCK_SECONDS, 3 * playlist.target_seconds)
    later = _later(
        window,
        lambda playlist: _is_enough(playlist, wanted),
        seconds,
        lambda playlist: _format_playlist(device, playlist, can_block=True),
    )
    # Without a free place the playlist does not offer blocking reloads; players then poll it.
    return later or _format_playlist(device, playlist, can_block=False)


def _later(
    window: LiveWindow,
    is_enough: Callable[[LivePlaylist], bool],
    seconds: float,
    finish: Callable[[LivePlaylist], Response],
) -> DeferredReply | None:
    """The reply that `finish` builds from a later playlist, or after `seconds` from the last one; None without a free
    place for a request that waits."""
    give_back = services().waits.take()
    if give_back is None:
        return None
    try:
        future = window.when(is_enough)
    except Exception:
        give_back()
        raise

    def close() -> None:
        future.cancel()
        give_back()

    return DeferredReply(
        future, seconds, lambda: finish(future.result() if future.done() else window.known()), close=close
    )


def _format_playlist(device: Device, playlist: LivePlaylist, *, can_block: bool) -> Response:
    if playlist.is_empty:
        stream = read_stream_record(device.id)
        state = "it is gone" if stream is None else _format_state(stream)
        raise ApiError(503, f"device '{device.name}' sends no video yet: {state}", reason="no_footage_yet")
    folder = "live/sound/" if _has_sound(device, playlist) else "live/"
    response = Response(playlist.format(folder=folder, can_block=can_block), mimetype=PLAYLIST_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def _read_directives() -> ReloadTarget | None:
    """The segment and part that a blocking reload waits for (RFC 8216bis, 6.2.5); None for an ordinary reload."""
    numbers = {}
    for name in ("_HLS_msn", "_HLS_part"):
        text = request.args.get(name)
        if text is not None:
            if not re.fullmatch("[0-9]{1,15}", text):
                raise InvalidValue(name, f"'{name}' must be a whole number, not {text[:20]!r}")
            numbers[name] = int(text)
    if "_HLS_msn" not in numbers:
        if numbers:
            raise InvalidValue("_HLS_part", "'_HLS_part' must come with '_HLS_msn'")
        return None
    return ReloadTarget(numbers["_HLS_msn"], numbers.get("_HLS_part"))


def _is_enough(playlist: LivePlaylist, wanted: ReloadTarget | None) -> bool:
    return not playlist.is_empty if wanted is None else playlist.has(wanted)


def _note_demand(device: Device, window: LiveWindow) -> None:
    """Note that somebody watches: keeps an on_demand device running, or starts it."""
    if not may_start_a_camera():
        if not device.enabled or device.stream.desired != DesiredState.RUNNING:
            raise ApiError(
                404,
                f"device '{device.name}' is not running, and a request from another site, or one in advance, does not "
                "start it: open it in the gateway's own player, or add the origin of the page to ALLOWED_ORIGINS",
                reason="no_footage",
            )
        return
    now = time.monotonic()
    if window.demand_noted_at is not None and now - window.demand_noted_at < _DEMAND_SECONDS:
        return
    try:
        request_stream(current_scope(), device.id)
    except Conflict as conflict:
        window.demand_noted_at = None
        raise ApiError(404, conflict.message, reason="no_footage") from conflict
    window.demand_noted_at = now


def _format_state(stream: StreamRecord) -> str:
    if stream.reason_code is None:
        return f"it is {stream.observed.value}, try again"
    return f"{reason_for(stream.reason_code).message}, it is {stream.observed.value}"


def _has_sound(device: Device, playlist: LivePlaylist) -> bool:
    """Whether all media of this device have an audio track, real or silent: players cannot handle tracks that come and
    go."""
    if playlist.has_audio:
        return True
    return bool(json.loads(device.stream.source_info or "{}").get("audio"))


def _read_init(device: Device, run: int) -> bytes:
    init = services().bus.init_segment(device.id, run)
    if init is None:
        raise ApiError(404, f"run {run} of device '{device.name}' is no longer available", reason="no_footage")
    return init


def _footage(device: Device, first: Position, last: Position, sound: str) -> Response:
    # Silence begins where the sound of the previous part ends.
    since = Position(first.run, first.sequence - 1) if sound and first.sequence > 1 else first
    found = services().bus.read_range(device.id, since, last)
    before = b"".join(part.data for part in found if part.position < first)
    parts = [part.data for part in found if part.position >= first]
    if len(parts) != last.sequence - first.sequence + 1:
        raise ApiError(
            404, f"that footage of device '{device.name}' is not, or no longer, available", reason="no_footage"
        )
    data = b"".join(parts)
    if sound:
        data = SilenceFiller.of(_read_init(device, first.run)).fill(data, before)
    return _media(data, f"{device.id}-{first.entry_id}-{last.entry_id}-{sound}")


def _media(data: bytes, etag: str) -> Response:
    """Native players also ask for ranges of what is no file."""
    return bytes_response(data, etag=etag, mimetype="video/mp4", cache_control=_IMMUTABLE)
