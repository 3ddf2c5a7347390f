"""`GET /devices/{id}/poster.jpg`: the newest picture of a device, cheap enough for a wall of cameras."""

import math
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.api.base import Blueprint, Count, Schema, current_scope, services
from gateway.api.errors import ApiError
from gateway.api.file_replies import bytes_response
from gateway.api.time_fields import now_ms
from gateway.captures.pictures import PictureUnreadable, convert_picture
from gateway.captures.posters import Poster, PosterLate, round_width
from gateway.captures.queue import POSTER, CaptureAnswer, CaptureRequest
from gateway.captures.snapshot_lists import newest_snapshot
from gateway.devices.model import Device
from gateway.errors import NotFound
from gateway.inventory import find_device
from gateway.states import reason_for

blp = Blueprint("posters", __name__, url_prefix="/devices", description="Newest picture of each device")

#: Longest wait for a worker; after that the last known poster is shown.
_ANSWER_SECONDS = 0.8
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
        width = round_width(args["width"])
        posters = services().posters
        poster = posters.get(device.id, width, lambda known: _make(device, width, known))
        if poster.at_ms is None:
            raise ApiError(
                404, f"there is no picture of device '{device.name}' yet: {poster.message}", reason="no_picture"
            )
        seconds = max(1, math.ceil(posters.seconds_left(poster)))
        response = bytes_response(
            poster.picture,
            etag=f"{poster.at_ms}-{width}",
            mimetype="image/jpeg",
            cache_control=f"private, max-age={seconds}",
        )
        response.last_modified = datetime.fromtimestamp(poster.at_ms / 1000, UTC)
        return response


def _make(device: Device, width: int, known: Poster | None) -> Poster:
    """The newest picture from a worker, from the snapshots or in `known`. Raises PosterLate."""
    answer = _request_poster(device, width)
    if answer is not None and answer.at_ms is not None and now_ms() - answer.at_ms < _LIVE_MS:
        return Poster(answer.picture, answer.at_ms)
    found = [known, _newest_snapshot(device, width, known)]
    if answer is not None:
        found.append(Poster(answer.picture, answer.at_ms))
    pictures = [poster for poster in found if poster is not None and poster.at_ms is not None]
    if pictures:
        return max(pictures, key=lambda poster: poster.at_ms or 0)
    if answer is None:
        raise PosterLate("no snapshot worker is running: start the snapshot process")
    return Poster(message=answer.message or reason_for(answer.reason or "no_picture").message)


def _request_poster(device: Device, width: int) -> CaptureAnswer | None:
    """The answer of a worker: the newest frame on the bus, or else the last recorded one. None if no worker runs."""
    wired = services()
    if not wired.has_snapshot_worker():
        return None
    request = CaptureRequest(
        id=str(uuid.uuid4()), what=POSTER, tenant_id=device.tenant_id, device_id=device.id, width=width
    )
    answer = wired.captures.request(request, wait_seconds=_ANSWER_SECONDS)
    if answer is None:
        raise PosterLate("no snapshot worker answered in time: check that the snapshot process runs")
    return answer


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
