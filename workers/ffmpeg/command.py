"""Builds the words of FFmpeg commands: reading a camera, and parts on standard output.

Options are those of FFmpeg 5.1 and later (ffmpeg-protocols(1), section rtsp). Every word is made here from checked
values; nothing that a user typed becomes an option.
"""

from gateway.media import SourceInfo

#: Protocols that an input may use: a camera's redirect cannot lead to a file or an HTTP server.
_PROTOCOLS = "rtp,rtsp,rtsps,tcp,udp,tls,crypto,srtp"

#: Audio codecs that fragmented MP4 takes as they are.
_COPIED_AUDIO = frozenset({"aac"})


def input_options(
    transport: str, timeout_seconds: float, *, is_known: bool = False, patience_seconds: float = 0.0
) -> dict[str, str]:
    """Options to read a camera with the least delay.

    Without a time limit FFmpeg would wait for ever on a dead camera. A source that `is_known` to send its frames in
    order needs no long look before the first packet goes out, unless its first picture takes `patience_seconds`.
    """
    look_seconds = max(0.5 if is_known else 3.0, patience_seconds)
    options = {
        "protocol_whitelist": _PROTOCOLS,
        "rtsp_transport": transport,
        # Micro-seconds; covers connecting and every later read.
        "timeout": str(int(timeout_seconds * 1_000_000)),
        # An ONVIF metadata track or the like is never asked for.
        "allowed_media_types": "video+audio",
        "fflags": "+nobuffer+genpts",
        # Enough to see one key frame of a stream whose SDP says nothing, no more.
        "analyzeduration": str(int(look_seconds * 1_000_000)),
        "probesize": "4000000",
    }
    if is_known:
        options["fpsprobesize"] = "1"
    if transport == "udp":
        options["reorder_queue_size"] = "64"
        options["max_delay"] = "200000"
    else:
        options["max_delay"] = "0"
    return options


def build_global_arguments() -> list[str]:
    """What stands before all inputs."""
    # `level` prefixes each line of the log with its severity, which diagnosis.py reads.
    return ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]


def build_input_arguments(
    url: str, transport: str, timeout_seconds: float, *, is_known: bool, patience_seconds: float = 0.0
) -> list[str]:
    """One input of the ingest FFmpeg."""
    options = input_options(transport, timeout_seconds, is_known=is_known, patience_seconds=patience_seconds)
    arguments = [word for name, value in options.items() for word in (f"-{name}", value)]
    return [*arguments, "-flags", "low_delay", "-i", url]


def build_bus_arguments(source: SourceInfo, part_seconds: float) -> list[str]:
    """The camera's own video, and its audio as AAC, as fragmented MP4 on standard output.

    A fragment ends before each key frame and after `part_seconds`. The output is flushed with each fragment.
    """
    arguments = ["-map", "0:v:0", "-c:v", "copy"]
    if source.video is not None and source.video.codec == "hevc":
        arguments += ["-tag:v", "hvc1"]
    if source.audio is not None:
        # `?`: a camera that comes back without its microphone keeps its picture.
        arguments += ["-map", "0:a:0?"]
        if source.audio.codec in _COPIED_AUDIO:
            arguments += ["-c:a", "copy"]
        else:
            arguments += ["-c:a", "aac", "-b:a", "64k", "-ac", "1"]
    return [
        *arguments,
        "-f",
        "mp4",
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
        "-frag_duration",
        str(int(part_seconds * 1_000_000)),
        "-max_interleave_delta",
        "500000",
        "-flush_packets",
        "1",
        "pipe:1",
    ]
