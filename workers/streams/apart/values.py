"""The values that the two processes exchange, as JSON: no class but those named here is ever built of them."""

import base64
import binascii
from collections.abc import Mapping
from enum import Enum
from typing import Any

from gateway.media import AudioInfo, SourceInfo, TrackInfo, VideoInfo
from gateway.outputs import DeviceContext, OutputMode
from gateway.sources.source import SourceTarget
from gateway.sources.tls import TlsTrust
from gateway.sources.tracks import CodecData, Description, TrackDescription

_CLASSES = {
    one.__name__: one
    for one in (
        AudioInfo,
        CodecData,
        Description,
        DeviceContext,
        SourceInfo,
        SourceTarget,
        TlsTrust,
        TrackDescription,
        TrackInfo,
        VideoInfo,
    )
}
_ENUMS = {OutputMode.__name__: OutputMode}


def pack(value: Any) -> Any:
    """A value as JSON can carry it. Raises TypeError for one that the other process could not build."""
    if isinstance(value, Enum):
        if type(value).__name__ not in _ENUMS:
            raise TypeError(f"a {type(value).__name__} cannot be passed to another process")
        return {"enum": [type(value).__name__, value.value]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [pack(one) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [pack(one) for one in value]}
    if isinstance(value, Mapping):
        return {"map": [[pack(key), pack(one)] for key, one in value.items()]}
    name = type(value).__name__
    if _CLASSES.get(name) is not type(value):
        raise TypeError(f"a {name} cannot be passed to another process")
    fields = type(value).__dataclass_fields__
    return {"object": [name, {field: pack(getattr(value, field)) for field in fields}]}


def unpack(value: Any) -> Any:
    """The reverse of `pack`. Raises ValueError for anything else."""
    if isinstance(value, list):
        return [unpack(one) for one in value]
    if not isinstance(value, dict):
        return value
    try:
        ((kind, inner),) = value.items()
        if kind == "bytes":
            return base64.b64decode(inner, validate=True)
        if kind == "tuple":
            return tuple(unpack(one) for one in inner)
        if kind == "map":
            return {unpack(key): unpack(one) for key, one in inner}
        name, content = inner
        if kind == "enum":
            return _ENUMS[name](content)
        if kind == "object":
            return _CLASSES[name](**{field: unpack(one) for field, one in content.items()})
    except (binascii.Error, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a value that was passed: {error}") from error
    raise ValueError(f"not a kind of value: {kind!r:.40}")
