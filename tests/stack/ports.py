"""Finds free ports below the range from which the kernel takes the local ends of connections.

In that range a client that tries again and again to reach a closed port may be given this very port and meet itself.
"""

import random
import socket

LOWEST, HIGHEST = 28_000, 32_700
#: Single ports lie below, or the many of a long run would leave no room for blocks in between.
_FIRST_OF_BLOCKS = 28_700

_taken: set[int] = set()


def free_port() -> int:
    """A port on loopback that is free for TCP and UDP, and that this process was not given before."""
    return _find(1, LOWEST, _FIRST_OF_BLOCKS)


def free_block(count: int) -> int:
    """The first of `count` free ports in a row. Raises RuntimeError when there is no such row."""
    return _find(count, _FIRST_OF_BLOCKS, HIGHEST)


def _find(count: int, lowest: int, highest: int) -> int:
    for _ in range(2000):
        first = random.randrange(lowest, highest - count)
        block = range(first, first + count)
        if not _taken.intersection(block) and all(_is_free(port) for port in block):
            _taken.update(block)
            return first
    raise RuntimeError(f"there are no {count} free ports in a row between {lowest} and {highest}")


def give_back(first: int, count: int = 1) -> None:
    """Ports of `free_port` or `free_block` that are not needed any more."""
    _taken.difference_update(range(first, first + count))


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # A connection that ended here lately is no hindrance to a server.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
