"""What is received about playback."""

from typing import Any

import marshmallow as ma

from gateway.api.base import Choice, Schema
from gateway.api.time_fields import Moment, OrderedRange

MAX_PLAYLIST_DAYS = 1


class PlaylistArgsSchema(OrderedRange, Schema):
    """Query of a playlist: a range of footage, or without `start` what is live now."""

    max_days = MAX_PLAYLIST_DAYS

    start = Moment(load_default=None, metadata={"description": "where playback begins; left out: live"})
    end = Moment(
        load_default=None,
        metadata={
            "description": f"where it ends, at most {MAX_PLAYLIST_DAYS * 24} hours later. Left out or in the "
            "future: the "
            "playlist grows"
        },
    )
    msn = ma.fields.Integer(
        data_key="_HLS_msn",
        load_default=None,
        validate=ma.validate.Range(min=0),
        metadata={"description": "LL-HLS: wait for this media sequence number"},
    )
    part = ma.fields.Integer(
        data_key="_HLS_part",
        load_default=None,
        validate=ma.validate.Range(min=0),
        metadata={"description": "LL-HLS: and for this part of it"},
    )
    skip = Choice(
        ("YES", "v2"),
        data_key="_HLS_skip",
        load_default=None,
        metadata={"description": "LL-HLS: ask for a delta update"},
    )

    @ma.validates_schema
    def check_start(self, data: dict[str, Any], **_options: Any) -> None:
        if data["start"] is None and data["end"] is not None:
            raise ma.ValidationError({"start": ["'start' is required where 'end' is given"]})


class TracksArgsSchema(Schema):
    """Query of an init segment."""

    tracks = Choice(
        ("all", "video", "sound"),
        load_default="all",
        metadata={
            "description": "`video`: without sound; `sound`: with a track of sound also where the camera sent none"
        },
    )
