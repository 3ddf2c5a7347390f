"""`GET /devices/{id}/poster.jpg`: the newest picture of a device, cheap enough for a wall of cameras."""

import math
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.api.base import Blueprint, Count, DeferredReply, Schema, current_scope, services
from gateway.api.errors import ApiError
from gateway.api.file_replies import bytes_response
from gateway.api.time_fields import now_ms
from gateway.captures.pictures import PictureUnreadable, convert_picture
from gateway.captures.posters import WAIT_SECONDS, Flight, Poster, PosterLate, require, round_width
from gateway.captures.queue import POSTER, CaptureAnswer, CaptureRequest, PendingCapture
from gateway.captures.snapshot_lists import newest_snapshot
from gateway.devices.model import Device
from gateway.errors import NotFound
from gateway.inventory import find_device
from gateway.states import reason_for

blp = Blueprint("posters", __name__, url_prefix="/devices", description="Newest picture of each device")

#: Longest wait for a worker; after that the last known poster is shown.
_ANSWER_SECONDS = 0.8
#: Waits for the poster that another process makes: so many, of so many seconds.
_POLLS, _POLL_SECONDS = 10, 0.1
#: A picture is live if it is not older than this.
_LIVE_MS = 15_000


class PosterArgsSchema(Schema):
    """Query of a poster."""

    width = Count(
        low=16,
        high=7680,
        load_default=640,
        metadata={
            "description": "width in pixels, rounded up to 160, 320, 480, 640, 960, 1280 or 1920; never larger than "
            "the picture"
        },
    )


@blp.route("/<uuid:device_id>/poster.jpg")
class DevicePoster(MethodView):
    @blp.media_arguments(PosterArgsSchema)
    @blp.file_response(
        "image/jpeg",
        headers={"Last-Modified": {"description": "time of the picture", "schema": {"type": "string"}}},
    )
    @blp.errors(404, 416, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Response:
        """Read the poster of a device

        The newest picture available: live, recorded or from a snapshot. It is refreshed on request once it is older
        than POSTER_SECONDS. 404 with reason `no_picture` if there is none yet.
        """
        device = find_device(current_scope(), str(device_id))
        return _find(device, round_width(args["width"]), tries=2)


def _find(device: Device, width: int, *, tries: int) -> Response:
    known, is_final = services().posters.known(device.id, width)
    if is_final:
        return _reply(device, width, known)
    flight, is_first = services().posters.join(device.id, width)
    if is_first:
        try:
            return _renew(device, flight, known)
        except Exception:
            flight.close()
            raise

    def finish() -> Response:
        made = flight.ended.result() if flight.ended.done() else None
        if made is None and flight.ended.done() and tries > 1:
            # The client that had it made has gone away.
            return _find(device, width, tries=tries - 1)
        return _reply(device, width, made or known)

    return _wait(flight.ended, WAIT_SECONDS, finish) or finish()


def _renew(device: Device, flight: Flight, known: Poster | None) -> Response:
    """Have a newer poster made, by this process or by the one that does already."""
    if not flight.claim():
        return _await_other(device, flight, known, _POLLS)
    # Another process may have made one since.
    if (made := services().posters.fresh(device.id, flight.width)) is not None:
        flight.close(made)
        return _reply(device, flight.width, made)
    pending = _ask_worker(device, flight.width)

    def finish() -> Response:
        answer = pending.answer() if pending else None
        if pending and answer is None:
            services().posters.note_late()
            flight.close(known)
            return _reply(device, flight.width, known)
        made = _newest_of(device, flight.width, known, answer)
        if made is None:
            services().posters.note_late()
            flight.close()
            raise PosterLate("no snapshot worker is running: start the snapshot process")
        return _reply(device, flight.width, flight.end(made))

    def close() -> None:
        if pending is not None:
            pending.close()
        flight.close()

    later = pending and _wait(pending.future, _ANSWER_SECONDS, finish, close)
    if later is not None:
        return later
    try:
        return finish()
    finally:
        close()


def _await_other(device: Device, flight: Flight, known: Poster | None, polls: int) -> Response:
    """Wait for the poster that another process makes."""

    def finish() -> Response:
        made = services().posters.fresh(device.id, flight.width)
        if made is None and polls > 1:
            return _await_other(device, flight, known, polls - 1)
        flight.close(made)
        return _reply(device, flight.width, made or known)

    # Between two polls the flight stays open.
    return _wait(Future(), _POLL_SECONDS, finish) or finish()


def _wait(
    future: Future, seconds: float, finish: Callable[[], Response], close: Callable[[], None] = lambda: None
) -> DeferredReply | None:
    """The reply that `finish` builds later; None without a free place for a request that waits."""
    give_back = services().waits.take()
    if give_back is None:
        return None

    def close_all() -> None:
        give_back()
        close()

    return DeferredReply(future, seconds, finish, close=close_all)


def _reply(device: Device, width: int, poster: Poster | None) -> Response:
    poster = require(poster)
    if poster.at_ms is None:
        raise ApiError(404, f"there is no picture of device '{device.name}' yet: {poster.message}", reason="no_picture")
    seconds = max(1, math.ceil(services().posters.seconds_left(poster)))
    response = bytes_response(
        poster.picture,
        etag=f"{poster.at_ms}-{width}",
        mimetype="image/jpeg",
        cache_control=f"private, max-age={seconds}",
    )
    response.last_modified = datetime.fromtimestamp(poster.at_ms / 1000, UTC)
    return response


def _newest_of(device: Device, width: int, known: Poster | None, answer: CaptureAnswer | None) -> Poster | None:
    """The newest picture: the worker's, from the snapshots or the known one; None if nobody was asked."""
    if answer is not None and answer.at_ms is not None and now_ms() - answer.at_ms < _LIVE_MS:
        return Poster(answer.picture, answer.at_ms)
    found = [known, _newest_snapshot(device, width, known)]
    if answer is not None:
        found.append(Poster(answer.picture, answer.at_ms))
    pictures = [poster for poster in found if poster is not None and poster.at_ms is not None]
    if pictures:
        return max(pictures, key=lambda poster: poster.at_ms or 0)
    if answer is None:
        return None
    return Poster(message=answer.message or reason_for(answer.reason or "no_picture").message)


def _ask_worker(device: Device, width: int) -> PendingCapture | None:
    """Ask a worker for the newest frame on the bus, or else the last recorded one. None if no worker runs."""
    wired = services()
    if not wired.has_snapshot_worker():
        return None
    request = CaptureRequest(
        id=str(uuid.uuid4()), what=POSTER, tenant_id=device.tenant_id, device_id=device.id, width=width
    )
    return wired.captures.ask(request, wait_seconds=_ANSWER_SECONDS)


def _newest_snapshot(device: Device, width: int, known: Poster | None) -> Poster | None:
    """The newest snapshot, if it is newer than `known`."""
    snapshot = newest_snapshot(current_scope(), device.id)
    if snapshot is None or (known is not None and known.at_ms is not None and known.at_ms >= snapshot.at_ms):
        return None
    try:
        data = services().capture_files.read(snapshot.file)
        return Poster(convert_picture(data, width=width).data, snapshot.at_ms)
    except (NotFound, PictureUnreadable):
        return None
