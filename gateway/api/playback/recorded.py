"""`…/recordings/devices/{id}/playlist` and the media files that it refers to."""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flask import Response, request
from flask.views import MethodView

from gateway.api.base import Blueprint, current_scope, services
from gateway.api.errors import ApiError, error_response
from gateway.api.file_replies import IMMUTABLE, bytes_response, file_response
from gateway.api.playback.archived import redirect_to_archive, when_fetched
from gateway.api.playback.live import PLAYLIST_TYPE, live_playlist_response
from gateway.api.playback.schemas import MAX_PLAYLIST_DAYS, PlaylistArgsSchema, TracksArgsSchema
from gateway.api.time_fields import now_ms
from gateway.clock import DAY_MS, format_time
from gateway.devices.model import Device
from gateway.errors import NotFound
from gateway.footage.reading import find_segment, nearest_footage, packed_between, segments_between
from gateway.footage.recordings import Recording, find_recording
from gateway.footage.segments import SegmentState, StoredSegment
from gateway.inventory import find_device
from gateway.media import segment_key
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.init_segments import add_silent_sound, drop_sound
from gateway.mp4.silence import SilenceFiller
from gateway.playback.playlist import IndexedFile, build_playlist
from gateway.storage.interface import Storage

T = TypeVar("T")

blp = Blueprint("playback", __name__, url_prefix="/recordings", description="Playback of footage as HLS")

_MP4 = "video/mp4"
_NUMBER = "int(max=9223372036854775807)"

#: How far before `start` to look for a key frame: segments begin with one unless a camera sends none for minutes.
_BEFORE_MS = 180_000
#: Limit of bytes that are filled with silence in one request.
_MAX_FILLED_BYTES = 256 << 20
#: Smaller playlists are not worth compressing.
_MIN_COMPRESSED_BYTES = 16_384


@blp.route("/devices/<uuid:device_id>/playlist")
class Playlist(MethodView):
    @blp.media_arguments(PlaylistArgsSchema)
    @blp.response(200, {"type": "string"}, content_type=PLAYLIST_TYPE)
    @blp.errors(400, 404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Response:
        """Read a playlist

        HLS with fMP4 (RFC 8216). With `start`: footage from the key frame at or before it, across gaps, up to `end`;
        without `end`, or with one in the future, the playlist grows as footage is recorded. Without `start`: live
        low-latency HLS, which starts an on_demand device if a viewer asks: not a page of another site, unless
        ALLOWED_ORIGINS names it, and not a prefetch. 404 with reason `no_footage` if there is nothing to play;
        `errors` names the nearest footage.
        """
        device = find_device(current_scope(), str(device_id))
        if args["start"] is None:
            return live_playlist_response(device)
        recording = find_recording(current_scope(), device.id)
        longest_ms = args["start"] + MAX_PLAYLIST_DAYS * DAY_MS
        end = longest_ms if args["end"] is None else args["end"]
        is_growing = end > now_ms()
        files = _read_files(recording, args["start"], end)
        text = build_playlist(files, args["start"], end, is_growing=is_growing, has_sound=_sends_sound(device))
        if text is None:
            return _refuse_empty(recording, args["start"], end)
        return _playlist_response(text)


@blp.route(f"/devices/<uuid:device_id>/segments/<{_NUMBER}:segment_id>.mp4")
@blp.file_response(_MP4)
@blp.doc(responses={"307": {"description": "the file is in an archive, which sends it"}})
@blp.errors(404, 416, 503)
def get_segment(device_id: Any, segment_id: int) -> Response:
    """Read a segment

    An MP4 file, or a range of it. It never changes and may be cached indefinitely, except for the segment that is being
    written, which is sent up to its indexed end. 404 with reason `file_missing` if the file is gone. A file that is in
    an archive only is read from there: 503 with reason `archive_unavailable` while that is away; with ARCHIVE_REDIRECTS
    a request without `Range` is answered with 307 and the archive's own URL.
    """
    segment, storage, key = _find(device_id, segment_id)
    size = min(segment.size, storage.size(key) or 0)
    # An open segment grows, and one that a crash truncated will soon be corrected in the index.
    is_whole = segment.state == SegmentState.CLOSED and size == segment.size

    def send() -> Response:
        return file_response(
            lambda offset, length: storage.read(key, offset, length),
            size,
            etag=f"{segment.id}-{size}" if is_whole else None,
            mimetype=_MP4,
            cache_control=IMMUTABLE if is_whole else "no-store",
            path=storage.local_path(key) if is_whole and segment.size == storage.size(key) else None,
            wait_for=lambda offset, length, build: when_fetched(key, [(offset, length)], build),
        )

    return redirect_to_archive(key, send)


@blp.route(f"/devices/<uuid:device_id>/segments/<{_NUMBER}:segment_id>/init.mp4")
@blp.media_arguments(TracksArgsSchema)
@blp.file_response(_MP4)
@blp.errors(404, 416, 422, 503)
def get_segment_init(args: dict[str, Any], device_id: Any, segment_id: int) -> Response:
    """Read the init segment of a segment

    As recorded, without audio, or always with an audio track.
    """
    segment, storage, key = _find(device_id, segment_id)

    def send() -> Response:
        init = _read(storage, key, 0, segment.init_size)
        change = {"video": drop_sound, "sound": add_silent_sound}.get(args["tracks"])
        return _media(_changed(lambda: change(init)) if change else init, segment)

    return when_fetched(key, [(0, segment.init_size)], send)


@blp.route(f"/devices/<uuid:device_id>/segments/<{_NUMBER}:segment_id>/sound/<{_NUMBER}:offset>-<{_NUMBER}:length>.m4s")
@blp.file_response(_MP4)
@blp.errors(404, 416, 503)
def get_filled_footage(device_id: Any, segment_id: int, offset: int, length: int) -> Response:
    """Read footage with silence filled in

    Complete parts of a segment, as a playlist refers to them, with silent audio where they have none. At most
    268,435,456 bytes (256 MiB) of the segment, otherwise 404 with reason `no_footage`; the reply is some kilobytes
    longer. It is read from the file while it is sent.
    """
    segment, storage, key = _find(device_id, segment_id)
    if not 0 < length <= _MAX_FILLED_BYTES or offset < segment.init_size or offset + length > segment.size:
        raise ApiError(404, f"segment {segment_id} has no parts in these bytes", reason="no_footage")
    if (storage.size(key) or 0) < offset + length:
        raise _too_short()

    def read_parts(at: int, count: int) -> Iterator[bytes]:
        return storage.read(key, offset + at, count)

    def send() -> Response:
        init = _read(storage, key, 0, segment.init_size)
        filled = _changed(
            lambda: SilenceFiller.of(init).plan(lambda at, count: b"".join(read_parts(at, count)), length)
        )
        return file_response(
            lambda at, count: filled.read(read_parts, at, count),
            filled.size,
            etag=f"{segment.id}-{segment.sequence}-{filled.size}",
            mimetype=_MP4,
            cache_control=IMMUTABLE,
        )

    return when_fetched(key, [(0, segment.init_size), (offset, length)], send)


def _read_files(recording: Recording, start_ms: int, end_ms: int) -> list[IndexedFile]:
    packed = packed_between(recording.id, start_ms - _BEFORE_MS, end_ms)
    return [
        IndexedFile(
            segment.id,
            segment.start_ms,
            segment.run,
            segment.sequence,
            segment.init_size,
            segment.is_open,
            packed.get(segment.id, b""),
        )
        for segment in segments_between(recording.id, start_ms - _BEFORE_MS, end_ms)
    ]


def _sends_sound(device: Device) -> bool:
    """Whether the camera sent sound when last inspected: all playlists of a device should have the same tracks."""
    return bool(json.loads(device.stream.source_info or "{}").get("audio"))


def _refuse_empty(recording: Recording, start_ms: int, end_ms: int) -> Response:
    """404 that names the nearest footage."""
    before, after = nearest_footage(recording.id, start_ms)[0], nearest_footage(recording.id, end_ms)[1]
    nearest = [f"there is footage until {format_time(before)}"] if before is not None else []
    nearest += [f"there is footage from {format_time(after)} on"] if after is not None else []
    message = f"nothing is recorded between {format_time(start_ms)} and {format_time(end_ms)}"
    return error_response(
        404,
        f"{message}: {' and '.join(nearest) if nearest else 'there is no footage at all'}",
        reason="no_footage",
        errors={
            "nearest_before": None if before is None else format_time(before),
            "nearest_after": None if after is None else format_time(after),
        },
    )


def _playlist_response(text: str) -> Response:
    body = text.encode()
    response = Response(body, mimetype=PLAYLIST_TYPE)
    response.vary.add("Accept-Encoding")
    if (
        len(body) > _MIN_COMPRESSED_BYTES
        and request.accept_encodings["gzip"] > 0
        and "Accept-Encoding" in request.headers
    ):
        response.set_data(gzip.compress(body, 1))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _find(device_id: Any, segment_id: int) -> tuple[StoredSegment, Storage, str]:
    """A segment of the device, its storage and its key; raises NotFound, `file_missing` if the file is gone."""
    recording = find_recording(current_scope(), str(device_id))
    segment = find_segment(recording.id, segment_id)
    storage = services().footage
    key = segment_key(recording.tenant_id, recording.device_id, segment.start_ms, segment.run, segment.sequence)
    if storage.size(key) is None:
        raise NotFound(f"the file of segment {segment_id} is gone", reason="file_missing")
    return segment, storage, key


def _read(storage: Storage, key: str, offset: int, length: int) -> bytes:
    data = b"".join(storage.read(key, offset, length))
    if len(data) < length:
        raise _too_short()
    return data


def _too_short() -> NotFound:
    return NotFound("the footage cannot be read: its file is too short", reason="file_damaged")


def _changed(change: Callable[[], T]) -> T:
    try:
        return change()
    except InvalidMedia as error:
        raise NotFound(f"the footage cannot be read: {error}", reason="file_damaged") from error


def _media(data: bytes, segment: StoredSegment) -> Response:
    etag = f"{segment.id}-{segment.sequence}-{len(data)}"
    return bytes_response(data, etag=etag, mimetype=_MP4, cache_control=IMMUTABLE)
