"""Selects the video and sound for viewers, and builds the FFmpeg arguments for what browsers do not play as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.plugin_api import MAIN_INPUT, AudioInfo, OutputMode, PipelineInputs, SourceInfo, VideoInfo

#: Size of an RTP packet: leaves space for DTLS-SRTP, IPv6 and a VPN in an Ethernet frame.
PACKET_BYTES = 1200

#: G.711 by its FFmpeg names and the SFU's.
_G711 = {"pcm_alaw": "pcma", "pcm_mulaw": "pcmu"}

#: Limits of re-encoded video, which has a key frame each second.
MAX_WIDTH, MAX_HEIGHT, MAX_FPS = 1280, 720, 30


@dataclass(frozen=True, slots=True)
class TrackPorts:
    """The destination of one track: address and ports of the SFU, our source ports, SSRC and payload type.

    `sequence` is the first RTP sequence number for a sender that takes over from another, so that viewers see one
    stream: after a jump backwards, SRTP would refuse up to 32,768 packets.
    """

    ip: str
    rtp_port: int
    rtcp_port: int
    source_rtp_port: int
    source_rtcp_port: int
    ssrc: int
    payload_type: int
    sequence: int | None = field(default=None, compare=False)

    @classmethod
    def from_answer(cls, answer: dict) -> "TrackPorts":
        """Parse the SFU's answer to `ingest.open`. Raises KeyError, TypeError or ValueError for an invalid one."""
        sequence = answer.get("sequence")
        return cls(
            str(answer["ip"]),
            *(
                int(answer[name])
                for name in (
                    "rtp_port",
                    "rtcp_port",
                    "source_rtp_port",
                    "source_rtcp_port",
                    "ssrc",
                    "payload_type",
                )
            ),
            sequence=None if sequence is None else int(sequence),
        )

    def to_request(self) -> dict[str, int]:
        """The ports as `ingest.open` takes them."""
        return {name: getattr(self, name) for name in ("rtp_port", "rtcp_port", "source_rtp_port", "source_rtcp_port")}


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """The video for viewers, and why it is not copied."""

    mode: OutputMode
    reason: str | None = None

    @property
    def is_encoded(self) -> bool:
        return self.mode == OutputMode.TRANSCODE


@dataclass(frozen=True, slots=True)
class AudioPlan:
    """The sound for viewers: its codec as the SFU names it, and whether an FFmpeg process encodes it."""

    codec: str
    is_encoded: bool = False


def plan_video(inputs: PipelineInputs) -> VideoPlan:
    """Copy suitable video; otherwise use a suitable sub-stream; otherwise re-encode for this output only."""
    main = inputs.main.video
    problem = why_not_copied(main, has_packets=inputs.main.has_packets)
    if problem is None:
        return VideoPlan(OutputMode.COPY)
    sub = inputs.find_sub()
    if sub is not None and sub.video is not None:
        sub_problem = why_not_copied(sub.video, has_packets=sub.has_packets)
        if sub_problem is None:
            return VideoPlan(OutputMode.SUB_STREAM, f"{problem}: viewers get the sub-stream")
        problem = f"{problem}, and the sub-stream does not fit either ({sub_problem})"
    return VideoPlan(OutputMode.TRANSCODE, f"{problem}: re-encoded to H.264 of at most {MAX_HEIGHT}p")


def why_not_copied(video: VideoInfo | None, *, has_packets: bool = True) -> str | None:
    """Why browsers cannot play this video as it is; None if they can."""
    if video is None:
        return "there is no video"
    if video.codec != "h264":
        return f"browsers do not play {video.codec} over WebRTC from this server"
    if not has_packets:
        return "the plugin that reads the camera gives no RTP packets"
    if video.has_b_frames:
        return "WebRTC does not support B-frames"
    if video.pixel_format not in {None, "yuv420p", "yuvj420p"}:
        return f"browsers do not decode {video.pixel_format}"
    return None


def plan_audio(audio: AudioInfo | None, *, is_video_encoded: bool) -> AudioPlan | None:
    """Pass on sound that browsers play; otherwise Opus. Sound of encoded video is delayed by the same process as it."""
    if audio is None:
        return None
    is_telephone = audio.sample_rate in {None, 8000} and audio.channels in {None, 1}
    if not is_video_encoded:
        if audio.codec == "opus":
            return AudioPlan("opus")
        if audio.codec in _G711 and is_telephone:
            return AudioPlan(_G711[audio.codec])
    return AudioPlan("opus", is_encoded=True)


def build_video_arguments(source: SourceInfo, destination: Sequence[str], *, kbits: int = 2500) -> list[str]:
    """The arguments of encoded video, from `-map` to the address."""
    return ["-map", f"{MAIN_INPUT}:v:0", *_encoder(source.video, kbits), *destination]


def build_audio_arguments(destination: Sequence[str]) -> list[str]:
    """The arguments of the audio: Opus as browsers require it (RFC 7587), 48 kHz and two channels."""
    return [
        "-map",
        f"{MAIN_INPUT}:a:0?",
        "-c:a",
        "libopus",
        "-ar",
        "48000",
        "-ac",
        "2",
        "-b:a",
        "48k",
        "-application",
        "lowdelay",
        "-frame_duration",
        "20",
        *destination,
    ]


def build_destination(port: int, ssrc: int, payload_type: int) -> list[str]:
    """The output options and address of RTP to a port of this machine, RTCP included."""
    address = f"rtp://127.0.0.1:{port}?rtcpport={port}&pkt_size={PACKET_BYTES}"
    return ["-f", "rtp", "-ssrc", str(ssrc), "-payload_type", str(payload_type), address]


def _encoder(video: VideoInfo | None, kbits: int) -> list[str]:
    filters = (
        f"scale='min({MAX_WIDTH},iw)':'min({MAX_HEIGHT},ih)'"
        ":force_original_aspect_ratio=decrease:force_divisible_by=2:flags=fast_bilinear,format=yuv420p"
    )
    if video is not None and video.fps is not None and video.fps > MAX_FPS:
        filters = f"fps={MAX_FPS}," + filters
    return [
        "-vf",
        filters,
        "-fps_mode",
        "passthrough",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
        "-profile:v",
        "baseline",
        "-bf",
        "0",
        "-threads",
        "2",
        "-b:v",
        f"{kbits}k",
        "-maxrate",
        f"{kbits}k",
        "-bufsize",
        f"{kbits // 2}k",
        "-force_key_frames",
        "expr:gte(t,n_forced*1)",
        "-bsf:v",
        "dump_extra=freq=keyframe",
    ]
