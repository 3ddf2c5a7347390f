"""Janus WebRTC server from Debian's package `janus`, with an RTSP mountpoint of its Streaming plugin per camera.

It runs with its own configuration, on loopback and on free ports; the package's service is not used. Janus reads RTSP
over UDP only (github.com/meetecho/janus-gateway, issue 2335).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .program import PeerProgram, read_version

#: Ports for viewers, and for each camera's RTP and RTCP (also of an audio track); the range is small.
_VIEWER_PORTS, _CAMERA_PORTS = 40, 4
_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")

_GENERAL = """
general: {{
  configs_folder = "{folder}"
  debug_level = 3
  session_timeout = 120
}}
media: {{ rtp_port_range = "{viewers}" }}
nat: {{ ice_lite = true  ignore_mdns = true }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_HTTP = """
general: {{ json = "compact"  base_path = "/janus"  http = true  port = {port}  ip = "127.0.0.1"  https = false }}
admin: {{ admin_http = false  admin_https = false }}
"""
# Every browser offers this profile; VAS declares it too.
_MOUNTPOINT = """
camera{number}: {{
  type = "rtsp"
  id = {number}
  description = "camera {number}"
  audio = false
  video = true
  url = "{url}"
  videopt = 96
  videocodec = "h264"
  videofmtp = "profile-level-id=42e01f;packetization-mode=1"
  rtsp_reconnect_delay = 5
}}
"""


class JanusGateway(PeerProgram):
    """A separate Janus process. See `bench.peers.Peer`."""

    name = "Janus"
    script = Path(__file__).with_suffix(".js")
    absent = "apt-get install janus"

    def __init__(self) -> None:
        super().__init__()
        self._url = ""

    @staticmethod
    def find_version() -> str | None:
        """Return the installed version, None if it is not installed."""
        program = shutil.which("janus")
        return program and read_version([program, "--version"])

    def start(self, cameras: Sequence[str], *, is_recording: bool = False) -> None:
        """Start with these RTSP URLs; returns when media of all has arrived. Raises RuntimeError."""
        folder, port = self.make_folder(), self.take_ports()
        self._url = f"http://127.0.0.1:{port}/janus"
        self._configure(folder, port, cameras)
        self.launch(["janus", "-F", str(folder)], len(cameras), self._has_media)

    def watch_options(self, camera: int) -> dict[str, Any]:
        """Return the options of `watchPeer` for a camera, by its index in the list."""
        return {"url": self._url, "camera": camera + 1}

    def _configure(self, folder: Path, port: int, cameras: Sequence[str]) -> None:
        plugins = [file.name for file in (_LIBRARIES / "plugins").glob("*.so") if "streaming" not in file.name]
        transports = [file.name for file in (_LIBRARIES / "transports").glob("*.so") if "http" not in file.name]
        ingest_ports = _CAMERA_PORTS * len(cameras) + 8
        first, ingest = self.take_ports(_VIEWER_PORTS), self.take_ports(ingest_ports)
        general = _GENERAL.format(
            folder=folder,
            viewers=f"{first}-{first + _VIEWER_PORTS - 1}",
            plugins=",".join(plugins),
            transports=",".join(transports),
        )
        streaming = f'general: {{ rtp_port_range = "{ingest}-{ingest + ingest_ports - 1}" }}\n' + "".join(
            _MOUNTPOINT.format(number=number, url=url) for number, url in enumerate(cameras, 1)
        )
        (folder / "janus.jcfg").write_text(general)
        (folder / "janus.transport.http.jcfg").write_text(_HTTP.format(port=port))
        (folder / "janus.plugin.streaming.jcfg").write_text(streaming)

    def _has_media(self, camera: int) -> bool:
        """Whether the mountpoint received media within the last second."""
        session = self._send("", {"janus": "create"})["data"]["id"]
        try:
            handle = self._send(f"/{session}", {"janus": "attach", "plugin": "janus.plugin.streaming"})["data"]["id"]
            answer = self._send(f"/{session}/{handle}", {"janus": "message", "body": {"request": "info", "id": camera}})
            media = answer["plugindata"]["data"]["info"].get("media", [])
            return any(item.get("age_ms", 1e9) < 1000 for item in media)
        finally:
            self._send(f"/{session}", {"janus": "destroy"})

    def _send(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        return self.ask("POST", self._url + path, json={**message, "transaction": "bench"})
