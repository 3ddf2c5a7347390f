"""Finds free ports below the range from which the kernel takes the local ports of connections.

In that range a client that keeps trying to reach a closed port may get this very port as its own and connect to itself.
Suites that run in parallel (pytest-xdist) have separate shares: a stack binds many of its ports only when a device
needs them, so that others would not see that they are taken.
"""

import os
import random
import socket

#: Also below the ports that the product uses by default.
LOWEST, HIGHEST = 10_000, 19_900
#: Maximum number of suites that run in parallel.
_SHARES = 2
#: Single ports and short rows are at the start of a share, so that they leave room for the long rows.
_SHORT_PORTS = 1_000
_SHORT = 16

_taken: set[int] = set()


def free_port() -> int:
    """A port on loopback that is free for TCP and UDP, and that this process has not returned before."""
    return free_block(1)


def free_block(count: int) -> int:
    """The first of `count` consecutive free ports. Raises RuntimeError without such a row."""
    lowest, highest = share_of(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
    middle = lowest + _SHORT_PORTS
    return _find(count, lowest, middle) if count <= _SHORT else _find(count, middle, highest)


def share_of(worker: str) -> tuple[int, int]:
    """The range of ports of one of pytest-xdist's workers, which are called gw0, gw1 …"""
    size = (HIGHEST - LOWEST) // _SHARES
    lowest = LOWEST + int(worker.removeprefix("gw")) % _SHARES * size
    return lowest, lowest + size


def _find(count: int, lowest: int, highest: int) -> int:
    # Rows start at multiples of their length, so that they are dense and leave room for each other.
    rows = (highest - lowest) // count
    for row in random.sample(range(rows), rows):
        first = lowest + row * count
        block = range(first, first + count)
        if not _taken.intersection(block) and all(_is_free(port) for port in block):
            _taken.update(block)
            return first
    raise RuntimeError(f"there are no {count} free ports in a row between {lowest} and {highest}")


def give_back(first: int, count: int = 1) -> None:
    """Release ports of `free_port` or `free_block`."""
    _taken.difference_update(range(first, first + count))


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # A recently closed connection on the port does not prevent a server.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
