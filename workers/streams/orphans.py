"""Kills FFmpeg processes that a dead owner of a device left on this machine, before a new one is started."""

import logging

from workers.ffmpeg.process import DEVICE_MARK
from workers.orphans import kill_marked

log = logging.getLogger(__name__)


def end_orphaned_processes(device_id: str) -> list[int]:
    """Kill every process on this machine that carries the device's mark; returns their ids."""
    ended = kill_marked(DEVICE_MARK, device_id)
    if ended:
        log.warning("device %s: killed processes %s that an earlier owner left", device_id, ended)
    return ended
