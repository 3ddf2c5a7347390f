"""Requests for free space: a recorder whose disk is full wakes the retention of its process."""

import threading

_requested = threading.Event()


def request_room() -> None:
    """Ask the retention of this process to delete the oldest footage now: the disk is full. Does not wait."""
    _requested.set()


def is_room_requested() -> bool:
    """Whether space is requested; the request stays."""
    return _requested.is_set()


def take_room_request(wait_seconds: float = 0.0) -> bool:
    """Whether space was requested since the last call; waits up to `wait_seconds` for a request."""
    is_requested = _requested.wait(wait_seconds)
    _requested.clear()
    return is_requested
