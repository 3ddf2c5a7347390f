"""Messages between the analysis and the process of a detector, over pipes."""

import json
import struct
from collections.abc import Callable
from typing import Any

from gateway.plugin_api import Frame

_HEAD = struct.Struct("<II")
#: A 4K picture is 25 MB.
_MOST_BYTES = 64 << 20


class BrokenMessage(ValueError):
    """What came is no message."""


def encode_message(values: dict[str, Any], data: bytes = b"") -> bytes:
    """JSON, with bytes after it."""
    text = json.dumps(values).encode()
    return _HEAD.pack(len(text), len(data)) + text + data


def read_message(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None at the end. `read(size)` gives exactly so many bytes, fewer only at the end.

    Raises BrokenMessage.
    """
    head = read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise BrokenMessage("it ends early")
    text_size, data_size = _HEAD.unpack(head)
    if text_size > _MOST_BYTES or data_size > _MOST_BYTES:
        raise BrokenMessage("it is too large")
    text, data = read(text_size), read(data_size) if data_size else b""
    try:
        values = json.loads(text)
    except ValueError:
        raise BrokenMessage("it is not JSON") from None
    if not isinstance(values, dict) or len(data) != data_size:
        raise BrokenMessage("it is not an object, or ends early")
    return values, data


def encode_frame(frame: Frame) -> bytes:
    """The message of a picture."""
    head = {"device_id": frame.device_id, "at_ms": frame.at_ms, "width": frame.width, "height": frame.height}
    return encode_message(head, frame.rgb)
