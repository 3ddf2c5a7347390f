"""Sends the packets of a camera on to the SFU as one RTP stream of our own, whatever becomes of the camera's."""

import time
from collections.abc import Callable

from gateway.plugin_api import PacketTaker
from plugins.mediasoup_webrtc.h264 import H264Packetizer
from plugins.mediasoup_webrtc.rtp import PACKET_BYTES, TrackPorts
from plugins.mediasoup_webrtc.rtp_time import PictureTime, SampleTime
from plugins.mediasoup_webrtc.rtp_track import HEADER_BYTES, RtpTrack

_PAYLOAD_BYTES = PACKET_BYTES - HEADER_BYTES
VIDEO_RATE = 90_000
SAMPLE_RATES = {"opus": 48_000, "pcma": 8_000, "pcmu": 8_000}
#: A packet of G.711 of more than 120 ms is cut: players expect shorter ones.
_MAX_G711_BYTES = 960


class RtpSender(PacketTaker):
    """The tracks of one device at the SFU. Use it on the worker's loop only.

    It takes the packets of the camera while somebody watches, or those of an FFmpeg process through `track`.
    """

    #: Its socket is one of the loop, and sending does not wait.
    on_loop = True

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self.is_wanted = False
        self.video: RtpTrack | None = None
        self.audio: RtpTrack | None = None
        self.audio_codec = "opus"
        self.unusable = 0
        # The wall clock at the start is nearly the same for the next worker, on this machine or another.
        self.offset_seconds = wall_clock() - time.monotonic()
        self._wall_clock = wall_clock
        self._packetizer = H264Packetizer(_PAYLOAD_BYTES)
        self._picture_time = PictureTime(VIDEO_RATE, self.offset_seconds)
        self._time: float | None = None
        self._timestamp = 0
        self._sample_time = SampleTime(SAMPLE_RATES["opus"], self.offset_seconds)
        self._samples = 0

    @property
    def sent(self) -> int:
        """Packets of video that the kernel has taken."""
        return self.video.sent if self.video else 0

    def open(self, video: TrackPorts, audio: TrackPorts | None, audio_codec: str) -> None:
        """Use these ports from now on; may be called again. Raises OSError if a source port is taken."""
        self.video = _open_track(self.video, video)
        if audio is None or audio_codec != self.audio_codec:
            if self.audio is not None:
                self.audio.close()
            self.audio = None
            self.audio_codec = audio_codec
            self._sample_time = SampleTime(SAMPLE_RATES[audio_codec], self.offset_seconds)
        if audio is not None:
            self.audio = _open_track(self.audio, audio)

    def close(self) -> None:
        """May be called twice."""
        self.is_wanted = False
        for track in (self.video, self.audio):
            if track is not None:
                track.close()
        self.video = self.audio = None

    def want(self, is_wanted: bool) -> None:
        """Pass packets on, or no more."""
        if is_wanted and not self.is_wanted:
            # The camera's packets of the time between were not passed.
            self._packetizer.resync()
            self._packetizer.end_unit()
            self._time = None
            self.offset_seconds = self._wall_clock() - time.monotonic()
            self._picture_time.resume(self.offset_seconds)
        is_new = is_wanted and not self.is_wanted
        self.is_wanted = is_wanted
        if is_new:
            self.ask()

    # ---- PacketTaker -------------------------------------------------------------------------------------------

    def begin(self, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        if kind == "video":
            self._packetizer.set_parameter_sets(parameter_sets)

    def take(self, kind: str, payload: bytes, time: float, *, ends_unit: bool) -> None:
        if kind != "video":
            self._take_audio(payload, time)
            return
        track, packetizer = self.video, self._packetizer
        if track is None:
            return
        if time != self._time:
            if self._time is not None:
                packetizer.resync()
                packetizer.end_unit()
            self._time = time
            self._timestamp = self._picture_time.at(time)
        payloads = packetizer.pack(payload)
        if payloads:
            last = len(payloads) - 1
            for index, part in enumerate(payloads):
                track.add(part, self._timestamp, is_marked=ends_unit and index == last)
        if ends_unit:
            packetizer.end_unit()

    def lost(self, kind: str, packets: int) -> None:
        if kind == "video":
            self._packetizer.resync()
            if self.video is not None:
                self.video.skip(packets)
        elif self.audio is not None:
            self.audio.skip(packets)
            # Packets of sound are of one size: their time is known.
            self._sample_time.skip(min(packets, 1000) * self._samples)

    def flush(self) -> None:
        if self.video is not None:
            self.video.flush()
        if self.audio is not None:
            self.audio.flush()

    # ---- sound -------------------------------------------------------------------------------------------------

    def _take_audio(self, payload: bytes, time: float) -> None:
        track = self.audio
        if track is None:
            return
        if self.audio_codec == "opus":
            samples = count_opus_samples(payload)
            if not samples or len(payload) > _PAYLOAD_BYTES:
                self.unusable += 1
                return
            parts = (payload,)
        elif payload:
            # One sample a byte.
            parts = tuple(payload[at : at + _MAX_G711_BYTES] for at in range(0, len(payload), _MAX_G711_BYTES))
            samples = len(parts[0])
        else:
            self.unusable += 1
            return
        self._samples = samples if len(parts) == 1 else len(payload)
        rate = SAMPLE_RATES[self.audio_codec]
        for part in parts:
            if part is not parts[0]:
                time += samples / rate
                samples = len(part)
            timestamp = self._sample_time.at(time, samples)
            # The first packet after silence is marked (RFC 3551, 4.1).
            track.add(part, timestamp, is_marked=self._sample_time.is_gap)


def _open_track(track: RtpTrack | None, ports: TrackPorts) -> RtpTrack:
    if track is None:
        return RtpTrack(ports, ports.sequence or 0)
    track.move(ports)
    return track


def count_opus_samples(payload: bytes) -> int:
    """The duration of an Opus packet in samples of 48 kHz (RFC 6716, 3.1); 0 for an invalid one."""
    if not payload:
        return 0
    config, code = payload[0] >> 3, payload[0] & 3
    if config < 12:
        size = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        size = (480, 960)[config & 1]
    else:
        size = (120, 240, 480, 960)[config & 3]
    frames = (1, 2, 2, payload[1] & 0x3F if len(payload) > 1 else 0)[code]
    samples = size * frames
    return samples if samples <= 5760 else 0
