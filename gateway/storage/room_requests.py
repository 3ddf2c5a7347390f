"""Requests for free space: a recorder whose disk is full wakes the housekeeping of its process."""

import threading

_room_wanted = threading.Event()


def request_room() -> None:
    """The disk is full: have the housekeeping of this process delete the oldest footage now. Returns at once."""
    _room_wanted.set()


def take_room_request(wait_seconds: float = 0.0) -> bool:
    """Whether room was asked for since the last call; waits so long for somebody to ask."""
    wanted = _room_wanted.wait(wait_seconds)
    _room_wanted.clear()
    return wanted
