"""Janus WebRTC server from Debian's package `janus`, with an RTSP mountpoint of its Streaming plugin per camera.

It runs with its own configuration, on loopback and on free ports; the package's service is not used. Janus reads RTSP
over UDP only (github.com/meetecho/janus-gateway, issue 2335).
"""

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from tests.stack import free_block, free_port, give_back

START_SECONDS = 60
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


class JanusGateway:
    """A separate Janus process. See `bench.peers.Peer`."""

    name = "Janus"
    script = Path(__file__).with_suffix(".js")

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: subprocess.Popen | None = None
        self._blocks: list[tuple[int, int]] = []
        self._url = ""

    @staticmethod
    def find_version() -> str | None:
        """Return the installed version, None if it is not installed."""
        program = shutil.which("janus")
        if program is None:
            return None
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)
        found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
        return found[0] if found else "unknown"

    def start(self, cameras: Sequence[str]) -> None:
        """Start with these RTSP URLs; returns when media of all has arrived. Raises RuntimeError."""
        self._folder = Path(tempfile.mkdtemp(prefix="vas-peer-"))
        port = free_port()
        self._url = f"http://127.0.0.1:{port}/janus"
        self._configure(port, cameras)
        with (self._folder / "janus.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["janus", "-F", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await_media(len(cameras))
        except BaseException:
            self.close()
            raise

    def watch_options(self, camera: int) -> dict[str, Any]:
        """Return the options of `watchPeer` for a camera, by its index in the list."""
        return {"url": self._url, "camera": camera + 1}

    def pids(self) -> list[int]:
        """Return the ids of all its processes."""
        return [] if self._process is None else [self._process.pid]

    def close(self) -> None:
        """Stop Janus; may be called twice."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait(5)
            self._process = None
        while self._blocks:
            give_back(*self._blocks.pop())
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _configure(self, port: int, cameras: Sequence[str]) -> None:
        plugins = [file.name for file in (_LIBRARIES / "plugins").glob("*.so") if "streaming" not in file.name]
        transports = [file.name for file in (_LIBRARIES / "transports").glob("*.so") if "http" not in file.name]
        ingest_ports = _CAMERA_PORTS * len(cameras) + 8
        first, ingest = free_block(_VIEWER_PORTS), free_block(ingest_ports)
        self._blocks = [(first, _VIEWER_PORTS), (ingest, ingest_ports)]
        general = _GENERAL.format(
            folder=self._folder,
            viewers=f"{first}-{first + _VIEWER_PORTS - 1}",
            plugins=",".join(plugins),
            transports=",".join(transports),
        )
        streaming = f'general: {{ rtp_port_range = "{ingest}-{ingest + ingest_ports - 1}" }}\n' + "".join(
            _MOUNTPOINT.format(number=number, url=url) for number, url in enumerate(cameras, 1)
        )
        (self._folder / "janus.jcfg").write_text(general)
        (self._folder / "janus.transport.http.jcfg").write_text(_HTTP.format(port=port))
        (self._folder / "janus.plugin.streaming.jcfg").write_text(streaming)

    def _await_media(self, count: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        missing = set(range(1, count + 1))
        while missing:
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._folder / "janus.log").read_text(errors="replace")
                raise RuntimeError(f"janus does not show cameras {sorted(missing)}; its log ends with\n{log[-2000:]}")
            with contextlib.suppress(requests.RequestException, KeyError):
                missing = {number for number in missing if not self._has_media(number)}
            time.sleep(0.3)

    def _has_media(self, camera: int) -> bool:
        """Whether the mountpoint received media within the last second."""
        session = self._ask("", {"janus": "create"})["data"]["id"]
        try:
            handle = self._ask(f"/{session}", {"janus": "attach", "plugin": "janus.plugin.streaming"})["data"]["id"]
            answer = self._ask(f"/{session}/{handle}", {"janus": "message", "body": {"request": "info", "id": camera}})
            media = answer["plugindata"]["data"]["info"].get("media", [])
            return any(item.get("age_ms", 1e9) < 1000 for item in media)
        finally:
            self._ask(f"/{session}", {"janus": "destroy"})

    def _ask(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        return requests.post(self._url + path, json={**message, "transaction": "bench"}, timeout=5).json()
