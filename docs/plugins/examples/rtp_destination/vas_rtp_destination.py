"""Sends the video of a camera as RTP to an address."""

import re

import marshmallow as ma

from gateway.plugin_api import (
    MAIN_INPUT,
    DirectOutput,
    OptionSchemas,
    OutputArguments,
    OutputMode,
    Text,
    hookimpl,
)

requires_plugin_api = ">=1.0,<2"

#: Codecs that every receiver of RTP knows; video of others is encoded.
COPIED = ("h264", "hevc")
ENCODER = ("-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "50")


def check_address(text):
    found = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})", text)
    if text and not (found and 0 < int(found[2]) < 65536):
        raise ma.ValidationError("must be HOST:PORT, such as 192.168.1.9:5004, or empty")


class DeviceOptions(ma.Schema):
    address = Text(
        load_default="",
        high=200,
        validate=check_address,
        metadata={"title": "RTP to", "description": "HOST:PORT; empty: nothing is sent"},
    )


@hookimpl
def register_options():
    return [OptionSchemas(device=DeviceOptions)]


class RtpDestination(DirectOutput):
    name = "rtp_destination"

    def __init__(self, options):
        self._options = options
        self._attached = {}

    def attach(self, device, inputs):
        address = self._attached[device.id] = self._address_of(device.id)
        if not address:
            return OutputArguments()
        is_copied = inputs.main.video.codec in COPIED
        return OutputArguments(
            arguments=(
                "-map", f"{MAIN_INPUT}:v:0",
                *(("-c:v", "copy") if is_copied else ENCODER),
                "-f", "rtp", "-payload_type", "96", f"rtp://{address}?pkt_size=1200",
            ),
            mode=OutputMode.COPY if is_copied else OutputMode.TRANSCODE,
            reason=None if is_copied else f"{inputs.main.video.codec} is encoded for receivers of RTP",
        )  # fmt: skip

    def check(self, device_id):
        """Ask to be attached again when the address was changed."""
        return "options_changed" if self._address_of(device_id) != self._attached.get(device_id) else None

    def figures(self, device_id):
        return {"address": self._attached.get(device_id) or None}

    def release(self, device_id):
        self._attached.pop(device_id, None)

    def _address_of(self, device_id):
        return self._options.device(device_id)["address"]


@hookimpl
def register_direct_outputs(plugin):
    return [RtpDestination(plugin.options)]
