"""Builds the arguments of FFmpeg commands that are fed by the ingest and write parts to standard output.

Options are those of FFmpeg 5.1 and later. User input never becomes an option.
"""

from gateway.media import SourceInfo

#: Audio codecs that are copied into fragmented MP4.
_COPIED_AUDIO = frozenset({"aac"})


def build_global_arguments() -> list[str]:
    """The arguments before all inputs."""
    # `level` prefixes each line of the log with its severity, which diagnosis.py reads.
    return ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]


def build_feed_arguments() -> list[str]:
    """The input of an FFmpeg that the ingest feeds: Matroska on standard input, whose times are kept.

    The Matroska header has all that outputs need, so nothing is analysed. `nobuffer` must not be set: it drops the
    packets that were read meanwhile.
    """
    return [
        "-protocol_whitelist",
        "pipe",
        "-probesize",
        "32",
        "-copyts",
        "-flags",
        "low_delay",
        "-f",
        "matroska",
        "-i",
        "pipe:0",
    ]


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
            arguments += ["-af", "aresample=async=1000", "-c:a", "aac", "-b:a", "64k", "-ac", "1"]
    return [
        *arguments,
        "-f",
        "mp4",
        "-movflags",
        "+frag_keyframe+empty_moov+default_base_moof+skip_trailer+frag_discont",
        "-use_editlist",
        "0",
        "-avoid_negative_ts",
        "make_non_negative",
        "-video_track_timescale",
        "90000",
        "-frag_duration",
        str(int(part_seconds * 1_000_000)),
        "-max_interleave_delta",
        "500000",
        "-flush_packets",
        "1",
        "pipe:1",
    ]
