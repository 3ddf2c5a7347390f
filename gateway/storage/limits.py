"""Limits of retention: age and size of a device's footage, and the space that stays free."""

from dataclasses import dataclass

from gateway.clock import DAY_MS
from gateway.config import Config
from gateway.footage.recordings import Recording
from gateway.storage.interface import Space

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a device's footage on the local disk by age and by size, and of footage that is in an archive only by
    age; None means no limit.
    """

    keep_ms: int | None
    keep_bytes: int | None
    archive_keep_ms: int | None = None


def limits_of(recording: Recording, config: Config) -> Limits:
    """The limits in force for a device: its own, otherwise those of the settings."""
    days = config.keep_days if recording.keep_days is None else recording.keep_days
    in_archive = config.archive_keep_days if recording.archive_keep_days is None else recording.archive_keep_days
    return Limits(
        days * DAY_MS if days else None, recording.keep_bytes or None, in_archive * DAY_MS if in_archive else None
    )


def waits_for_copies(recording: Recording) -> bool:
    """Whether the limits of local footage wait for a verified copy in an archive."""
    return recording.archived_by is not None and recording.waits_for_copy


def free_bytes_floor(config: Config, space: Space, bytes_per_hour: int) -> int:
    """The space to keep free: FREE_BYTES_FLOOR, or an hour of recording within bounds set by the disk's size."""
    if config.free_bytes_floor:
        return config.free_bytes_floor
    floor = max(_GIB, bytes_per_hour, min(space.total // 50, 10 * _GIB))
    # Otherwise a small disk could not hold any footage.
    return min(floor, space.total // 4)
