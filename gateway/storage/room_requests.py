"""Requests for free space: a recorder whose disk is full wakes the housekeeping of its process."""

import threading

_requested = threading.Event()


def request_room() -> None:
    """Ask the housekeeping of this process to delete the oldest footage now: the disk is full. Does not wait."""
    _requested.set()


def take_room_request(wait_seconds: float = 0.0) -> bool:
    """Whether space was requested since the last call; waits up to `wait_seconds` for a request."""
    is_requested = _requested.wait(wait_seconds)
    _requested.clear()
    return is_requested
