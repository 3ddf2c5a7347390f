"""The options of live video by WebRTC, for each device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from gateway.plugin_api import Count, Flag


class DeviceOptionsSchema(ma.Schema):
    """What viewers of a device get."""

    sound = Flag(
        load_default=True,
        metadata={
            "title": "Sound",
            "description": "viewers over WebRTC hear the camera. Recordings and HLS are not affected",
        },
    )
    encoded_kbits = Count(
        low=300,
        high=8000,
        load_default=2500,
        metadata={
            "title": "Bit rate of re-encoded video",
            "description": "used only for video that browsers do not play as it is",
            "unit": "kbit/s",
        },
    )


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """The options of a device, and their defaults."""

    sound: bool = True
    encoded_kbits: int = 2500

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "DeviceOptions":
        """From what `plugin.options.device` returns."""
        return cls(sound=values["sound"], encoded_kbits=values["encoded_kbits"])


#: Reads the options of a device by its id.
ReadOptions = Callable[[str], DeviceOptions]
