"""Request schemas of playback."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Schema
from gateway.api.time_fields import Moment, OrderedRange

MAX_PLAYLIST_DAYS = 1
#: The largest integer that a JSON number represents exactly.
MAX_NUMBER = 1 << 53


class PlaylistArgsSchema(OrderedRange, Schema):
    """Query of a playlist: a range of footage, or live without `start`."""

    max_days = MAX_PLAYLIST_DAYS

    start = Moment(load_default=None, metadata={"description": "start of playback; omitted: live"})
    end = Moment(
        load_default=None,
        metadata={
            "description": f"end of playback, at most {MAX_PLAYLIST_DAYS * 24} hours after `start`. Omitted or in the "
            "future: the playlist grows"
        },
    )
    msn = ma.fields.Integer(
        data_key="_HLS_msn",
        load_default=None,
        validate=ma.validate.Range(min=0, max=MAX_NUMBER),
        metadata={"description": "low-latency HLS: wait for the segment with this media sequence number"},
    )
    part = ma.fields.Integer(
        data_key="_HLS_part",
        load_default=None,
        validate=ma.validate.Range(min=0, max=MAX_NUMBER),
        metadata={"description": "low-latency HLS: wait for this part of the segment"},
    )
    skip = Choice(
        ("YES", "v2"),
        data_key="_HLS_skip",
        load_default=None,
        metadata={"description": "low-latency HLS: request a delta update"},
    )

    @ma.validates_schema
    def check_start(self, data: dict[str, Any], **_options: Any) -> None:
        if data["start"] is None and data["end"] is not None:
            raise ma.ValidationError({"start": ["'start' is required if 'end' is given"]})


class TracksArgsSchema(Schema):
    """Query of an init segment."""

    tracks = Choice(
        ("all", "video", "sound"),
        load_default="all",
        metadata={"description": "`video`: without audio; `sound`: with an audio track even if the camera sent none"},
    )
