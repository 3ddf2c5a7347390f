"""MediaMTX, from the program that the environment variable MEDIAMTX names: it relays RTSP cameras and records them.

It reads the cameras over TCP all the time, and records them as fMP4 with its defaults where the benchmark asks for it.
It runs with its own configuration, on loopback and on free ports; protocols that nobody uses here are off.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .program import PeerProgram, find_program, read_version

_VARIABLE = "MEDIAMTX"
_UNUSED = ("rtsp", "rtmp", "hls", "srt", "moq")


class MediaMtx(PeerProgram):
    """A separate MediaMTX process. See `bench.peers.Peer`."""

    name = "MediaMTX"
    script = Path(__file__).with_suffix(".js")
    absent = f"set {_VARIABLE} to the path of its program"
    can_record = True

    def __init__(self) -> None:
        super().__init__()
        self._api = self._webrtc = ""

    @staticmethod
    def find_version() -> str | None:
        """Return the installed version, None if it is not installed."""
        program = find_program(_VARIABLE)
        return program and read_version([program, "--version"])

    def start(self, cameras: Sequence[str], *, is_recording: bool = False) -> None:
        """Start with these RTSP URLs; returns when media of all has arrived. Raises RuntimeError."""
        folder, api, webrtc, media = self.make_folder(), *(self.take_ports() for _ in range(3))
        self._api, self._webrtc = f"http://127.0.0.1:{api}/v3", f"http://127.0.0.1:{webrtc}"
        configuration = folder / "mediamtx.yml"
        ports = {"api": api, "webrtc": webrtc, "media": media}
        # JSON is YAML.
        configuration.write_text(json.dumps(build_configuration(cameras, ports, folder, is_recording), indent=1))
        self.launch([find_program(_VARIABLE), str(configuration)], len(cameras), self._has_media)

    def watch_options(self, camera: int) -> dict[str, Any]:
        """Return the options of `watchPeer` for a camera, by its index in the list."""
        return {"url": f"{self._webrtc}/camera{camera + 1}/whep"}

    def _has_media(self, camera: int) -> bool:
        path = self.ask("GET", f"{self._api}/paths/get/camera{camera}")
        # The second name is that of older versions.
        return path.get("inboundBytes", path.get("bytesReceived", 0)) > 0


def build_configuration(
    cameras: Sequence[str], ports: dict[str, int], folder: Path, is_recording: bool
) -> dict[str, Any]:
    """Build the configuration. `ports` are those of its API, of WHEP, and of WebRTC's media."""
    return {
        "logLevel": "warn",
        "api": True,
        "apiAddress": f"127.0.0.1:{ports['api']}",
        "webrtc": True,
        "webrtcAddress": f"127.0.0.1:{ports['webrtc']}",
        "webrtcLocalUDPAddress": f"127.0.0.1:{ports['media']}",
        "webrtcIPsFromInterfaces": False,
        "webrtcAdditionalHosts": ["127.0.0.1"],
        **dict.fromkeys(_UNUSED, False),
        "pathDefaults": {
            "rtspTransport": "tcp",
            "record": is_recording,
            "recordPath": str(folder / "recordings/%path/%Y-%m-%d_%H-%M-%S-%f"),
        },
        "paths": {f"camera{number}": {"source": url} for number, url in enumerate(cameras, 1)},
    }
