"""go2rtc, from the program that the environment variable GO2RTC names: it relays RTSP cameras to browsers.

It reads the cameras over TCP, its default, and keeps reading while nobody watches (`preload`), as VAS does. It runs
with its own configuration, on loopback and on free ports, with only the modules that this needs.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .program import PeerProgram, find_program, read_version

_VARIABLE = "GO2RTC"


class Go2rtc(PeerProgram):
    """A separate go2rtc process. See `bench.peers.Peer`."""

    name = "go2rtc"
    script = Path(__file__).with_suffix(".js")
    absent = f"set {_VARIABLE} to the path of its program"

    def __init__(self) -> None:
        super().__init__()
        self._url = ""

    @staticmethod
    def find_version() -> str | None:
        """Return the installed version, None if it is not installed."""
        program = find_program(_VARIABLE)
        return program and read_version([program, "--version"])

    def start(self, cameras: Sequence[str], *, is_recording: bool = False) -> None:
        """Start with these RTSP URLs; returns when media of all has arrived. Raises RuntimeError."""
        folder, port, media_port = self.make_folder(), self.take_ports(), self.take_ports()
        self._url = f"http://127.0.0.1:{port}/api"
        configuration = folder / "go2rtc.yaml"
        # JSON is YAML.
        configuration.write_text(json.dumps(build_configuration(cameras, port, media_port), indent=1))
        self.launch([find_program(_VARIABLE), "-config", str(configuration)], len(cameras), self._has_media)

    def watch_options(self, camera: int) -> dict[str, Any]:
        """Return the options of `watchPeer` for a camera, by its index in the list."""
        return {"url": f"{self._url}/webrtc?src=camera{camera + 1}"}

    def _has_media(self, camera: int) -> bool:
        producers = self.ask("GET", f"{self._url}/streams?src=camera{camera}")["producers"]
        return any(producer.get("bytes_recv", 0) > 0 for producer in producers)


def build_configuration(cameras: Sequence[str], port: int, media_port: int) -> dict[str, Any]:
    """Build the configuration: what a fresh installation does, but on loopback and without servers on the internet."""
    names = {f"camera{number}": url for number, url in enumerate(cameras, 1)}
    return {
        "app": {"modules": ["api", "ws", "rtsp", "webrtc"]},
        "api": {"listen": f"127.0.0.1:{port}", "origin": "*"},
        "rtsp": {"listen": ""},
        "webrtc": {
            "listen": f"127.0.0.1:{media_port}/udp",
            "candidates": [f"127.0.0.1:{media_port}"],
            "ice_servers": [],
            "filters": {"loopback": True},
        },
        "log": {"level": "warn"},
        "streams": names,
        "preload": dict.fromkeys(names, "video"),
    }
