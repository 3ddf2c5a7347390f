"""The live statistics of running streams: written by the owner every second or two; they expire by themselves."""

import json
from collections.abc import Iterable
from typing import Any

import redis

from gateway.redis_values import accept, is_integer, is_number, is_text, parse_object, require

#: Seconds after which the statistics of an owner that stopped writing expire.
LIVE_TTL_SECONDS = 15


class LiveStats:
    """Statistics of devices in Redis: a small JSON value under one key per device."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def write(self, device_id: str, stats: dict[str, Any]) -> None:
        """Replace a device's statistics; raises redis.RedisError when Redis is away."""
        self._redis.set(self._key(device_id), json.dumps(stats), ex=LIVE_TTL_SECONDS)

    def read_many(self, device_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The statistics of those devices that have any, by device id.

        Keys: `fps`, `bitrate_kbps`, `last_part_at` (seconds since 1970), `viewers`, `outputs` (list of
        `{name, mode, reason, plugin, figures}`), `worker`; of its session with the camera `notes` (list of sentences),
        `transport`, `camera_server`, `login`, `clock_rate`, `lost_packets`, `ffmpeg_restarts`, `camera_sessions`.
        Raises redis.RedisError when Redis is away.
        """
        ids = list(device_ids)
        if not ids:
            return {}
        values = self._redis.mget([self._key(device_id) for device_id in ids])
        found = {}
        for device_id, value in zip(ids, values, strict=True):
            if value is not None and (stats := accept(self._redis, "live statistics", lambda v=value: _parse(v))):
                found[device_id] = stats
        return found

    def forget(self, device_id: str) -> None:
        """Delete a device's statistics, as the owner does when it stops."""
        self._redis.delete(self._key(device_id))

    @staticmethod
    def _key(device_id: str) -> str:
        return f"vas:live:{device_id}"


def _parse(text: bytes) -> dict[str, Any]:
    stats = parse_object(text)
    for name in ("fps", "bitrate_kbps", "last_part_at", "clock_rate"):
        require(stats.get(name) is None or is_number(stats[name]), f"{name!r} is not a number")
    for name in ("viewers", "lost_packets", "ffmpeg_restarts", "camera_sessions"):
        require(stats.get(name) is None or is_integer(stats[name]), f"{name!r} is not a number")
    for name in ("worker", "transport", "camera_server", "login"):
        require(stats.get(name) is None or is_text(stats[name], 300), f"{name!r} is not a name")
    notes = stats.get("notes") or []
    is_list = isinstance(notes, list) and len(notes) <= 100
    require(is_list and all(is_text(note, 2000) for note in notes), "'notes' is not a list of texts")
    outputs = stats.get("outputs") or []
    require(isinstance(outputs, list) and len(outputs) <= 100, "'outputs' is not a list")
    for output in outputs:
        require(isinstance(output, dict), "an output is not an object")
        texts = [output.get(name) for name in ("name", "mode", "reason", "plugin")]
        require(all(text is None or is_text(text, 2000) for text in texts), "an output has other values than texts")
        require(isinstance(output.get("figures") or {}, dict), "the figures of an output are not an object")
    return stats
