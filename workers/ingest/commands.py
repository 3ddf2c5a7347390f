"""FFmpeg's commands: of the process that makes the parts, and of those of direct outputs."""

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from workers.ffmpeg.command import build_bus_arguments, build_feed_arguments, build_global_arguments
from workers.rtp.units import CodecData


def build_parts_command(ffmpeg_bin: str, video: CodecData, audio: CodecData | None, part_seconds: float) -> list[str]:
    """Copies the video, and the sound as AAC, into parts on standard output."""
    source = SourceInfo(
        video=VideoInfo(video.codec, video.width, video.height),
        audio=AudioInfo(audio.codec, audio.sample_rate, audio.channels) if audio is not None else None,
    )
    return [
        ffmpeg_bin,
        *build_global_arguments(),
        *build_feed_arguments(),
        *build_bus_arguments(source, part_seconds),
    ]


def build_output_command(ffmpeg_bin: str, arguments: tuple[str, ...]) -> list[str]:
    """The same input with the arguments of an output."""
    return [ffmpeg_bin, *build_global_arguments(), *build_feed_arguments(), *arguments]
