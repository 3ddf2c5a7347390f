"""Other products that show RTSP cameras in a browser, with one small interface, for comparison in the same run.

A new peer needs a file with a class like `JanusGateway`, its JavaScript, and an entry in `PEERS`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from .janus_gateway import JanusGateway


class Peer(Protocol):
    """A peer with a set of cameras. `close` may be called twice.

    `script` defines `globalThis.watchPeer(video, options)`: it resolves with `{pc, startMs, offerMs}` once the
    connection has been initiated; times are those of `performance.now()`.
    """

    name: str
    script: Path

    @staticmethod
    def find_version() -> str | None:
        """Return the installed version, None if it is not installed."""

    def start(self, cameras: Sequence[str]) -> None:
        """Start with these RTSP URLs; returns when media of all has arrived. Raises RuntimeError."""

    def watch_options(self, camera: int) -> dict[str, Any]:
        """Return the options of `watchPeer` for a camera, by its index in the list."""

    def pids(self) -> list[int]:
        """Return the ids of all its processes."""

    def close(self) -> None:
        """Stop the peer."""


PEERS: dict[str, type[Peer]] = {"janus": JanusGateway}
