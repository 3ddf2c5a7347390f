"""Other products that show RTSP cameras in a browser, with one small interface, for comparison in the same run.

A new peer needs a file with a class like `JanusGateway`, its JavaScript, and an entry in `PEERS`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from .go2rtc import Go2rtc
from .janus_gateway import JanusGateway
from .mediamtx import MediaMtx


class Peer(Protocol):
    """A peer with a set of cameras. `close` may be called twice.

    `script` defines `globalThis.watchPeer(video, options)`: it resolves with `{pc, startMs, offerMs}` once the
    connection has been initiated; times are those of `performance.now()`. `absent` says how the program is found.
    """

    name: str
    script: Path
    absent: str
    can_record: bool

    @staticmethod
    def find_version() -> str | None:
        """Return the installed version, None if it is not installed."""

    def start(self, cameras: Sequence[str], *, is_recording: bool = False) -> None:
        """Start with these RTSP URLs; returns when media of all has arrived. Raises RuntimeError.

        `is_recording` is only for a peer that `can_record`.
        """

    def watch_options(self, camera: int) -> dict[str, Any]:
        """Return the options of `watchPeer` for a camera, by its index in the list."""

    def pids(self) -> list[int]:
        """Return the ids of all its processes."""

    def read_recorded_mb(self) -> float:
        """Return the size of its recordings so far in MB; 0 for a peer that records nothing."""

    def close(self) -> None:
        """Stop the peer."""


PEERS: dict[str, type[Peer]] = {"go2rtc": Go2rtc, "mediamtx": MediaMtx, "janus": JanusGateway}


def find_peers(names: Sequence[str]) -> tuple[list[type[Peer]], list[str]]:
    """Return the installed peers of these names, and a sentence for each that is not installed.

    Raises ValueError for a name that is unknown.
    """
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a peer; peers are {', '.join(PEERS)}, all or none")
    found = {name: PEERS[name].find_version() is not None for name in dict.fromkeys(names)}
    missing = [
        f"the peer {name} is not installed: {PEERS[name].absent}" for name, is_there in found.items() if not is_there
    ]
    return [PEERS[name] for name, is_there in found.items() if is_there], missing
