"""Access units as a camera's session gives them, made by a real encoder."""

import functools
import io
import subprocess

import av

from workers.rtp.units import AUDIO, VIDEO, CodecData, MediaUnit

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0")
H264_B = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "3")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none:bframes=0")
HEVC_B = ("-c:v", "libx265", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none:bframes=4")


@functools.cache
def encode_video(
    *arguments: str, seconds: float = 2, rate: int = 25, gop: int = 25, size: str = "320x180"
) -> tuple[CodecData, list[MediaUnit]]:
    """A test picture, in decode order; the times begin near 0. Change nothing of what is returned: it is kept."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}"]
    return _encode(*source, "-t", str(seconds), *arguments, "-g", str(gop), kind=VIDEO)


def encode_audio(*arguments: str, seconds: float = 2, rate: int = 16000) -> tuple[CodecData, list[MediaUnit]]:
    """A sine of 440 Hz."""
    source = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={rate}"]
    return _encode(*source, "-t", str(seconds), *arguments, kind=AUDIO)


def encode_raw(coder: str, *, rate: int, bits: int, seconds: float = 2) -> bytes:
    """A sine of 440 Hz as G.726 without a container, the first code in the highest bits."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={rate}"]
    command += ["-t", str(seconds), "-c:a", coder, "-b:a", str(bits * rate), "-f", "data", "-map", "0:a", "pipe:1"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def _encode(*arguments: str, kind: str) -> tuple[CodecData, list[MediaUnit]]:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments, "-f", "matroska", "pipe:1"]
    data = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams[0]
        context = stream.codec_context
        units = [
            MediaUnit(kind, float(packet.pts * packet.time_base), bytes(packet), packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size
        ]
        extra = bytes(context.extradata or b"")
        if kind == VIDEO:
            return CodecData(context.name, extra, width=context.width, height=context.height), units
        return CodecData(context.name, extra, sample_rate=context.sample_rate, channels=context.channels), units
