#!/usr/bin/python3
"""RTSP cameras on loopback, drawn and encoded on demand: for the demo of `make run`, tests and benchmarks.

Runs under the system's Python, because PyGObject comes from the system's packages (see README.md).

    camera_server.py                         the demo cameras on port 8554
    camera_server.py --cameras FILE          other cameras: a JSON list of objects, see cameras.py
    camera_server.py --control --port 0      no cameras; JSON lines on stdin add and change them, see control.py
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

try:
    import cairo  # noqa: F401 - imported here for the error message below
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst
except (ImportError, ValueError) as error:
    sys.exit(
        f"the camera server cannot start ({error}); install the packages named in {Path(__file__).parent}/README.md"
    )

from cameras import CameraError, load_cameras
from control import ControlChannel
from mounts import CameraMounts, PortTakenError

DEMO_CAMERAS = Path(__file__).parent / "cameras.json"
DEMO_PORT = 8554


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or with --control until the end of stdin. Exit code 2: invalid settings."""
    options = _parse_arguments(arguments)
    Gst.init(None)
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    try:
        cameras = [] if options.control else load_cameras(options.cameras)
        mounts = CameraMounts(options.host, options.port)
        for camera in cameras:
            mounts.add(camera)
    except (CameraError, PortTakenError, OSError) as error:
        print(f"camera server: {error}", file=sys.stderr)
        return 2
    if options.control:
        ControlChannel(mounts, on_end=loop.quit).start()
    else:
        print(f"cameras on rtsp://{options.host}:{mounts.port}: {' '.join(mounts.paths)}", flush=True)
    loop.run()
    mounts.close()
    return 0


def _parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="RTSP cameras on loopback, drawn and encoded on demand")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEMO_PORT, help=f"RTSP port, 0 for any (default {DEMO_PORT})")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--cameras", type=Path, default=DEMO_CAMERAS, help="JSON file of cameras (default: the demo)")
    source.add_argument("--control", action="store_true", help="read commands from stdin, as JSON lines")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
