"""Decodes a small picture of a camera's first group of pictures, in a confined process of its own.

The process reads the group as Matroska from standard input and writes the picture as base64; it may be killed at any
time. Workers call `take_picture`; `main` is the process.
"""

import asyncio
import base64
import contextlib
import io
import os
import sys
from collections.abc import Sequence

from gateway import sandbox
from gateway.config import Config
from workers.ffmpeg.launch import Launcher
from workers.ingest.feed import TICKS
from workers.ingest.matroska import MatroskaWriter
from workers.rtp.units import VIDEO, CodecData, MediaUnit

#: Longer side of the picture, and the units of a group from which one frame must come.
_PICTURE_PIXELS = 640
_MOST_UNITS = 32
_SECONDS = 10.0


async def take_picture(config: Config, video: CodecData, group: Sequence[MediaUnit]) -> str | None:
    """A JPEG as base64 of the first picture that can be decoded; None if none can."""
    units = [unit for unit in group if unit.kind == VIDEO][:_MOST_UNITS]
    if not units:
        return None
    writer = MatroskaWriter(video, None)
    epoch = min(unit.time for unit in units)
    data = writer.header() + b"".join(
        piece for unit in units for piece in writer.unit(unit, round((unit.time - epoch) * TICKS))
    )
    launcher = Launcher.from_config(config)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workers.ingest.picture",
        config.ffmpeg_sandbox,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=launcher.environment(further=("PYTHON*", "VIRTUAL_ENV")),
    )
    try:
        answer, _ = await asyncio.wait_for(process.communicate(data), _SECONDS)
        return answer.decode("ascii").strip() or None
    except (TimeoutError, OSError, UnicodeDecodeError):
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def main() -> None:
    """Run as the process: Matroska on standard input, a JPEG in base64 on standard output, nothing if there is none."""
    import av

    data = sys.stdin.buffer.read()
    sandbox.forbid_core_dumps()
    if sys.argv[1] != "off":
        # All modules are imported; those that Python imports on demand come from its own library.
        try:
            sandbox.enter(programs=(os.path.dirname(os.__file__), f"{sys.prefix}/lib", f"{sys.prefix}/lib64"))
        except sandbox.SandboxUnavailable:
            if sys.argv[1] == "required":
                return
    with contextlib.suppress(av.FFmpegError, OSError, ValueError), av.open(io.BytesIO(data), format="matroska") as file:
        for frame in file.decode(video=0):
            image = frame.to_image()
            image.thumbnail((_PICTURE_PIXELS, _PICTURE_PIXELS))
            picture = io.BytesIO()
            image.save(picture, "JPEG", quality=80)
            print(base64.b64encode(picture.getvalue()).decode("ascii"))
            return


if __name__ == "__main__":
    main()
