"""Other products that show RTSP cameras in a browser, behind one small interface, for comparison in the same run.

Another peer is another file with a class like `JanusGateway` and its JavaScript, and a line in `PEERS`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from .janus_gateway import JanusGateway


class Peer(Protocol):
    """A peer that runs with certain cameras. `close` may be called twice.

    `script` defines `globalThis.watchPeer(video, options)`: it resolves with `{pc, startMs, offerMs}` once the
    connection is under way, times by `performance.now()`.
    """

    name: str
    script: Path

    @staticmethod
    def find_version() -> str | None:
        """The installed version, None where it is not installed."""

    def start(self, cameras: Sequence[str]) -> None:
        """Run with these RTSP URLs; returns when all of them flow. Raises RuntimeError."""

    def watch_options(self, camera: int) -> dict[str, Any]:
        """What `watchPeer` needs for a camera, by its place in the list."""

    def pids(self) -> list[int]:
        """All its processes."""

    def close(self) -> None:
        """End it."""


PEERS: dict[str, type[Peer]] = {"janus": JanusGateway}
