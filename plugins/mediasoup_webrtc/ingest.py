"""The ingest of one device at the SFU: its ports there, what sends to them, and who watches."""

import asyncio
from typing import Any

from gateway.plugin_api import Demand, OutputArguments, OutputMode, SourceInfo
from plugins.mediasoup_webrtc.audience import Arrivals, Audience
from plugins.mediasoup_webrtc.options import DeviceOptions
from plugins.mediasoup_webrtc.rtp import (
    AudioPlan,
    TrackPorts,
    VideoPlan,
    build_audio_arguments,
    build_video_arguments,
)
from plugins.mediasoup_webrtc.rtp_relay import RtpRelay
from plugins.mediasoup_webrtc.rtp_sender import SAMPLE_RATES, VIDEO_RATE, RtpSender


class DeviceIngest:
    """Lives from the first `attach` of a device until its `release`. Use it on the worker's loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.sender = RtpSender()
        self.demand = Demand()
        self.audience = Audience(self._follow_audience)
        self.arrivals = Arrivals()
        #: The codec of the sound that the SFU is to expect; None: no sound.
        self.audio_codec: str | None = None
        self.ports: dict[str, TrackPorts] = {}
        self._opened_codec: str | None = None
        self._relays: dict[str, RtpRelay] = {}
        #: The options that it was attached with, and whether those of the device differ by now.
        self.options = DeviceOptions()
        self.has_new_options = False
        #: The room is gone or was refused: it must be attached again.
        self.is_lost = False
        self.needs_fresh_ports = False
        #: The SFU did not answer to the last `ingest.open`, but may have obeyed it.
        self.is_unconfirmed = False

    @property
    def is_open(self) -> bool:
        """Whether the SFU has given ports for what is sent now, so that it will know them again."""
        return bool(self.ports) and self._opened_codec == self.audio_codec and not self.needs_fresh_ports

    def build_request(self, device_id: str) -> dict[str, Any]:
        """The data of `ingest.open`."""
        request: dict[str, Any] = {
            "device_id": device_id,
            "video": {"codec": "h264"},
            "audio": {"codec": self.audio_codec} if self.audio_codec else None,
        }
        if self.needs_fresh_ports:
            request["fresh"] = True
        elif self.ports:
            request["ports"] = {kind: ports.to_request() for kind, ports in self.ports.items()}
        return request

    def open(self, answer: dict[str, Any], audio_codec: str | None, now: float) -> None:
        """Send to the ports of the SFU's answer. Raises OSError if a source port is taken, ValueError if it is invalid.

        Sequence and time go on from what was sent before.
        """
        try:
            ports = {
                kind: TrackPorts.from_answer(answer[kind])
                for kind in ("video", "audio")
                if answer.get(kind) is not None
            }
            video, audio = ports["video"], ports.get("audio")
        except (KeyError, TypeError) as error:
            raise ValueError(f"the SFU's answer is incomplete: {error}") from error
        self.sender.open(video, audio, audio_codec or "opus")
        self.ports, self._opened_codec = ports, audio_codec
        self.is_lost = self.needs_fresh_ports = self.is_unconfirmed = False
        self.arrivals.reset()
        self.audience.count(int(answer.get("viewers") or 0), now)

    def build_arguments(self, video: VideoPlan, audio: AudioPlan | None, source: SourceInfo) -> OutputArguments:
        """What the stream worker must pass and run."""
        kinds = [] if video.is_encoded else ["video"]
        arguments: list[str] = []
        if video.is_encoded:
            arguments += build_video_arguments(
                source, self._relay("video", VIDEO_RATE).destination, kbits=self.options.encoded_kbits
            )
        if audio is not None and "audio" in self.ports:
            if audio.is_encoded:
                arguments += build_audio_arguments(self._relay("audio", SAMPLE_RATES["opus"]).destination)
            else:
                kinds.append("audio")
        return OutputArguments(
            tuple(arguments),
            video.mode,
            video.reason if video.mode != OutputMode.COPY else None,
            packets=self.sender if kinds else None,
            packet_kinds=tuple(kinds),
            demand=self.demand if arguments else None,
        )

    def close(self) -> None:
        """Free all ports. May be called twice."""
        for relay in self._relays.values():
            relay.close()
        self._relays.clear()
        self.sender.close()
        self.demand.set(False)

    def _relay(self, kind: str, rate: int) -> RtpRelay:
        if kind not in self._relays:
            self._relays[kind] = RtpRelay(
                self._loop,
                lambda: getattr(self.sender, kind),
                rate,
                self.sender.offset_seconds,
                is_sound=kind == "audio",
            )
        return self._relays[kind]

    def _follow_audience(self, is_wanted: bool) -> None:
        self.sender.want(is_wanted)
        self.demand.set(is_wanted)
