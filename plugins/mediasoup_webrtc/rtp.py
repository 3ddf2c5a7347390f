"""Builds the FFmpeg arguments for RTP that every browser plays (RFC 3550, RFC 6184, RFC 7587).

Selects the input, and whether its video is copied or re-encoded.
"""

from dataclasses import dataclass, field

from gateway.media import SourceInfo, VideoInfo
from gateway.outputs import MAIN_INPUT, SUB_INPUT, OutputMode, PipelineInputs

#: Size of an RTP packet: leaves space for DTLS-SRTP, IPv6 and a VPN in an Ethernet frame.
PACKET_BYTES = 1200

#: Limits of re-encoded video, which has a key frame each second.
MAX_WIDTH, MAX_HEIGHT, MAX_FPS = 1280, 720, 30


@dataclass(frozen=True, slots=True)
class TrackPorts:
    """The destination of one track: address and ports of the SFU, FFmpeg's source ports, SSRC and payload type.

    `sequence` is the first RTP sequence number, so that viewers see one stream across FFmpeg's runs: after a jump
    backwards, SRTP would refuse up to 32,768 packets.
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
        """Parse the SFU's answer to `ingest.open`. Raises KeyError or ValueError for an invalid one."""
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
            sequence=answer.get("sequence"),
        )

    @property
    def url(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return (
            f"rtp://{host}:{self.rtp_port}?rtcpport={self.rtcp_port}"
            f"&localrtpport={self.source_rtp_port}&localrtcpport={self.source_rtcp_port}&pkt_size={PACKET_BYTES}"
        )


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """The video for viewers, and why it is not copied."""

    mode: OutputMode
    reason: str | None = None


def plan_video(inputs: PipelineInputs) -> VideoPlan:
    """Copy suitable video; otherwise use a suitable sub-stream; otherwise re-encode for this output only."""
    main = inputs.main.video
    problem = why_not_copied(main)
    if problem is None:
        return VideoPlan(OutputMode.COPY)
    sub = inputs.find_sub()
    if sub is not None and sub.video is not None:
        sub_problem = why_not_copied(sub.video)
        if sub_problem is None:
            return VideoPlan(OutputMode.SUB_STREAM, f"{problem}: viewers get the sub-stream")
        problem = f"{problem}, and the sub-stream does not fit either ({sub_problem})"
    return VideoPlan(OutputMode.TRANSCODE, f"{problem}: re-encoded to H.264 of at most {MAX_HEIGHT}p")


def why_not_copied(video: VideoInfo | None) -> str | None:
    """Why browsers cannot play this video as it is; None if they can."""
    if video is None:
        return "there is no video"
    if video.codec != "h264":
        return f"browsers do not play {video.codec} over WebRTC from this server"
    if video.has_b_frames:
        return "WebRTC does not support B-frames"
    if video.pixel_format not in {None, "yuv420p", "yuvj420p"}:
        return f"browsers do not decode {video.pixel_format}"
    return None


def build_video_arguments(plan: VideoPlan, source: SourceInfo, ports: TrackPorts) -> list[str]:
    """The arguments of the video, from `-map` to the address."""
    if plan.mode == OutputMode.TRANSCODE:
        coding = ["-map", f"{MAIN_INPUT}:v:0", *_encoder(source.video)]
    else:
        number = SUB_INPUT if plan.mode == OutputMode.SUB_STREAM else MAIN_INPUT
        # mediasoup detects key frames by the SPS: there must be one before each key frame (T1).
        coding = [
            "-map",
            f"{number}:v:0",
            "-c:v",
            "copy",
            "-bsf:v",
            "h264_mp4toannexb,dump_extra=freq=keyframe",
        ]
    return [*coding, *_rtp(ports)]


def build_audio_arguments(ports: TrackPorts) -> list[str]:
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
        *_rtp(ports),
    ]


def _rtp(ports: TrackPorts) -> list[str]:
    sequence = [] if ports.sequence is None else ["-seq", str(ports.sequence)]
    return ["-f", "rtp", "-ssrc", str(ports.ssrc), "-payload_type", str(ports.payload_type), *sequence, ports.url]


def _encoder(video: VideoInfo | None) -> list[str]:
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
        "2500k",
        "-maxrate",
        "2500k",
        "-bufsize",
        "1250k",
        "-force_key_frames",
        "expr:gte(t,n_forced*1)",
        "-bsf:v",
        "dump_extra=freq=keyframe",
    ]
