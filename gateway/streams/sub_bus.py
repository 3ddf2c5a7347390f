"""The pictures of sub-streams on the media bus: published by the stream worker while somebody asks for them.

A small Redis Stream per device, beside that of its parts. Nothing here is footage: it holds a few seconds, and is lost
with Redis.
"""

import struct
from collections.abc import Iterable, Mapping

import redis

from gateway.errors import BusUnavailable
from gateway.media import Position, SubPicture, SubPictures
from gateway.redis_client import RedisErrorsAs
from gateway.redis_values import RefusedValue, accept, is_number, require
from gateway.streams.bus import BusEntry

#: Time for which asking once is enough.
ASK_SECONDS = 10.0
#: Batches that are kept: about ten seconds.
_MAX_BATCHES = 20
_TTL_MS = 15_000
#: Before each picture: its time, its flags, its size.
_HEAD = struct.Struct("<dBI")
_KEY = 1
_MAX_TIME = 4.2e9
#: Codecs that the pictures of a sub-stream may have, by their FFmpeg names.
CODECS = frozenset({"h264", "hevc", "mjpeg", "mpeg4"})

_PREFIX = "vas:sub:"

_bus_answers = RedisErrorsAs(BusUnavailable, "the media bus does not answer")


def _stream_key(device_id: str) -> str:
    return f"{_PREFIX}{device_id}"


def _ask_key(device_id: str) -> str:
    return f"vas:sub-asked:{device_id}"


class SubBus:
    """The sub-streams of all devices. Every method raises BusUnavailable when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def ask(self, device_id: str) -> None:
        """Ask for the sub-stream of a device, for the next ASK_SECONDS."""
        with _bus_answers:
            self._redis.set(_ask_key(device_id), 1, px=int(ASK_SECONDS * 1000))

    def is_asked(self, device_id: str) -> bool:
        """Whether somebody asks for the sub-stream of a device."""
        with _bus_answers:
            return bool(self._redis.exists(_ask_key(device_id)))

    def publish(self, device_id: str, codec: str, extra_data: bytes, pictures: Iterable[SubPicture]) -> None:
        """Publish pictures, in decoding order."""
        packed = b"".join(
            part
            for picture in pictures
            for part in (_HEAD.pack(picture.at, _KEY * picture.is_key, len(picture.data)), picture.data)
        )
        with _bus_answers:
            pipeline = self._redis.pipeline(transaction=False)
            fields = {"c": codec, "x": extra_data, "p": packed}
            pipeline.xadd(_stream_key(device_id), fields, maxlen=_MAX_BATCHES, approximate=False)
            pipeline.pexpire(_stream_key(device_id), _TTL_MS)
            pipeline.execute()

    def read(self, device_id: str, after: Position | None, *, count: int = 16) -> list[SubPictures]:
        """The batches after a position that are there now, oldest first."""
        return self.decode(device_id, self.read_many({device_id: after}, count=count).get(device_id, []))

    def read_many(
        self, positions: Mapping[str, Position | None], *, count: int = 16, wait_seconds: float = 0
    ) -> dict[str, list[BusEntry]]:
        """As MediaBus.read_many, of the sub-streams."""
        keys = {_stream_key(device_id): after.entry_id if after else "0-0" for device_id, after in positions.items()}
        block = max(1, int(wait_seconds * 1000)) if wait_seconds > 0 else None
        with _bus_answers:
            answer = self._redis.xread(keys, count=count, block=block)
        pairs = answer.items() if isinstance(answer, dict) else answer or ()
        found = {}
        for key, entries in pairs:
            # RESP3 wraps the entries of one stream in another list.
            flat = entries[0] if entries and isinstance(entries[0], list) else entries
            found[(key.decode() if isinstance(key, bytes) else key).removeprefix(_PREFIX)] = flat
        return found

    def decode(self, device_id: str, entries: Iterable[BusEntry]) -> list[SubPictures]:
        """The batches of entries; those that are none are refused."""
        found = [
            accept(self._redis, "sub-stream on the bus", lambda e=entry: _decode(device_id, *e)) for entry in entries
        ]
        return [batch for batch in found if batch is not None]


def _decode(device_id: str, entry_id: bytes, fields: dict[bytes, bytes]) -> SubPictures:
    try:
        codec, extra_data, packed = fields[b"c"].decode("ascii"), fields[b"x"], fields[b"p"]
        pictures = tuple(_unpack(packed))
    except (KeyError, UnicodeDecodeError, struct.error):
        raise RefusedValue("it has not the fields of pictures") from None
    require(codec in CODECS, "its codec is unknown")
    require(all(is_number(picture.at, 1, _MAX_TIME) and picture.data for picture in pictures), "a picture is invalid")
    return SubPictures(device_id, Position.parse(entry_id), codec, extra_data, pictures)


def _unpack(packed: bytes) -> Iterable[SubPicture]:
    at = 0
    while at < len(packed):
        time, flags, size = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        if len(packed) < at + size:
            raise struct.error("the last picture is incomplete")
        yield SubPicture(time, bool(flags & _KEY), packed[at : at + size])
        at += size
