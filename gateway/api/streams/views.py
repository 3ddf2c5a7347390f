"""Streams as the API shows them: the row, with the live statistics of the worker."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from gateway.api.base import current_scope, services
from gateway.api.reasons import format_reason
from gateway.devices.model import Device
from gateway.outputs import OutputMode
from gateway.states import StreamState
from gateway.streams.output_states import OutputState

#: Live statistics of the session with the camera, which are shown as they are.
_OF_SESSION = (
    "transport", "camera_server", "login", "clock_rate", "lost_packets", "ffmpeg_restarts", "camera_sessions",
)  # fmt: skip


def stream_views(devices: list[Device]) -> list[dict[str, Any]]:
    """The streams of devices (as `list_devices` gives them); without Redis their live statistics are null."""
    ids = [device.id for device in devices]
    live = services().read_live(ids)
    recordings = services().read_recordings(current_scope(), ids)
    consumers = services().read_outputs(ids)
    now = time.time()
    return [
        _view(device, live.get(device.id, {}), consumers.get(device.id, []), now)
        | {"recording": recordings.get(device.id)}
        for device in devices
    ]


def _view(device: Device, stats: dict[str, Any], consumers: list[OutputState], now: float) -> dict[str, Any]:
    stream = device.stream
    if stream.observed == StreamState.STOPPED:
        stats = {}
    source = json.loads(stream.source_info) if stream.source_info else {}
    outputs = stats.get("outputs") or []
    reencoded = [output for output in outputs if output.get("mode") == OutputMode.TRANSCODE]
    last_part_at = stats.get("last_part_at")
    return {
        "device_id": device.id,
        "device_name": device.name,
        "desired": stream.desired,
        "observed": stream.observed,
        "reason": format_reason(stream.reason_code, stream.reason_message),
        "since": stream.since,
        "run": stream.run or None,
        "restarts": stream.restarts,
        "video": _video(source.get("video"), stats),
        # When a camera loses its sound, the stream goes on and its source is not inspected again.
        "audio": source.get("audio") if stats.get("has_audio") is not False else None,
        "fps": stats.get("fps"),
        "bitrate_kbps": stats.get("bitrate_kbps"),
        "last_part_age_ms": max(0, round((now - last_part_at) * 1000)) if last_part_at else None,
        "viewers": stats.get("viewers"),
        "outputs": [*map(_direct_output, outputs), *map(_consumer_output, consumers)],
        "is_reencoded": bool(reencoded),
        "reencode_reason": reencoded[0].get("reason") if reencoded else None,
        "notes": stats.get("notes") or [],
        **{name: stats.get(name) for name in _OF_SESSION},
        "worker": stats.get("worker") or stream.worker,
    }


def _direct_output(output: dict[str, Any]) -> dict[str, Any]:
    is_attached = output.get("mode") is not None
    return {
        "name": output.get("name"),
        "plugin": output.get("plugin"),
        "mode": output.get("mode"),
        "state": "running" if is_attached else "attaching" if output.get("reason") == "not attached yet" else "failed",
        "reason": output.get("reason"),
        "since": None,
        "lag_seconds": None,
        "figures": output.get("figures") or {},
    }


def _consumer_output(output: OutputState) -> dict[str, Any]:
    return {
        "name": output.name,
        "plugin": output.plugin,
        "mode": None,
        "state": output.state,
        "reason": output.reason,
        "since": datetime.fromtimestamp(output.since, UTC),
        "lag_seconds": output.lag_seconds,
        "figures": {},
    }


def _video(video: dict[str, Any] | None, stats: dict[str, Any]) -> dict[str, Any] | None:
    """The track as it was at the start, with the key-frame interval that the worker measures now."""
    measured = stats.get("key_frame_interval_seconds")
    return video if video is None or measured is None else {**video, "key_frame_interval_seconds": measured}
