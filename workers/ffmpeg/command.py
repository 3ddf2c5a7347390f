"""Builds the arguments of FFmpeg commands that read a camera and write parts to standard output.

Options are those of FFmpeg 5.1 and later (ffmpeg-protocols(1), section rtsp). All arguments are built here from
validated values; user input never becomes an option.
"""

from gateway.media import SourceInfo

#: Protocols that an input may use, so that a camera cannot redirect to a file or an HTTP server.
_PROTOCOLS = "rtp,rtsp,rtsps,tcp,udp,tls,crypto,srtp"

#: Audio codecs that are copied into fragmented MP4.
_COPIED_AUDIO = frozenset({"aac"})


def input_options(
    transport: str, timeout_seconds: float, *, is_known: bool = False, patience_seconds: float = 0.0
) -> dict[str, str]:
    """Options to read a camera with minimal latency.

    Without a time limit FFmpeg would wait forever for a dead camera. A source that `is_known` to send its frames in
    order needs only a short analysis before the first packet is written, unless its first picture takes
    `patience_seconds`.
    """
    analysis_seconds = max(0.5 if is_known else 3.0, patience_seconds)
    options = {
        "protocol_whitelist": _PROTOCOLS,
        "rtsp_transport": transport,
        # Microseconds; applies to connecting and to every later read.
        "timeout": str(int(timeout_seconds * 1_000_000)),
        # ONVIF metadata tracks and the like are not requested.
        "allowed_media_types": "video+audio",
        "fflags": "+nobuffer+genpts",
        # Just enough to find one key frame of a stream whose SDP has no parameter sets.
        "analyzeduration": str(int(analysis_seconds * 1_000_000)),
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
    """The arguments before all inputs."""
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
    """Arguments for fragmented MP4 on standard output: the camera's own video, and its audio as AAC.

    A fragment ends before each key frame and after `part_seconds`. The output is flushed with each fragment.
    """
    arguments = ["-map", "0:v:0", "-c:v", "copy"]
    if source.video is not None and source.video.codec == "hevc":
        arguments += ["-tag:v", "hvc1"]
    if source.audio is not None:
        # `?` makes it optional: a camera that reconnects without its microphone still gives video.
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
