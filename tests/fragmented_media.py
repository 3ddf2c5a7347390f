"""Fragmented MP4 made by a real FFmpeg."""

import subprocess

#: The options by which workers/ffmpeg/command.py has FFmpeg write parts to standard output.
FRAGMENTED = [
    "-f",
    "mp4",
    "-movflags",
    "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
    "-frag_duration",
    "500000",
    "pipe:1",
]


def make_media(*arguments: str, seconds: float = 2, size: str = "320x180") -> bytes:
    """Fragmented MP4 of a test picture at 10 fps with a key frame each second; `arguments` select the encoding."""
    source = f"testsrc2=size={size}:rate=10"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        source,
        *arguments,
        "-t",
        str(seconds),
    ]
    return subprocess.run([*command, *FRAGMENTED], capture_output=True, check=True, timeout=30).stdout


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p")
