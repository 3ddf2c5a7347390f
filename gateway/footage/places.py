"""Where footage lies: on the local disk, in an archive, on both, or waiting for its copy. Times are ms since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway import database
from gateway.footage.amounts import Amount, amounts_by_bucket
from gateway.footage.copies import Place
from gateway.footage.recordings import Recording
from gateway.footage.segments import FIFTEEN_MINUTES_MS, StoredSegment


class Where(StrEnum):
    """The place of footage. `WAITING`: on the local disk, until an archive has a copy."""

    LOCAL = "local"
    WAITING = "waiting"
    BOTH = "both"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class PlaceRange:
    """A range whose footage is at one place, to a quarter of an hour."""

    start_ms: int
    end_ms: int
    where: Where


def place_of(segment: StoredSegment, recording: Recording) -> Where:
    """The place of a segment."""
    if segment.is_archived:
        return Where.BOTH if segment.is_local == Place.HERE else Where.ARCHIVE
    return Where.WAITING if recording.archived_by is not None else Where.LOCAL


def read_places(recording: Recording, start_ms: int, end_ms: int, bucket_ms: int) -> list[PlaceRange]:
    """The places of the footage of a range, in buckets of at least a quarter of an hour, joined where they are equal.

    A bucket with several places has that of most of its bytes. Empty where no archive has, or takes, any of it.
    """
    bucket_ms = max(FIFTEEN_MINUTES_MS, -(-bucket_ms // FIFTEEN_MINUTES_MS) * FIFTEEN_MINUTES_MS)
    with database.session():
        amounts = amounts_by_bucket(recording.id, start_ms, end_ms, bucket_ms)
    found: list[PlaceRange] = []
    for bucket, amount in sorted(amounts.items()):
        low, high = max(bucket * bucket_ms, start_ms), min((bucket + 1) * bucket_ms, end_ms)
        where = _most(amount, is_taken=recording.archived_by is not None)
        if high <= low or amount.recorded_ms <= 0:
            continue
        if found and found[-1].end_ms == low and found[-1].where is where:
            found[-1] = PlaceRange(found[-1].start_ms, high, where)
        else:
            found.append(PlaceRange(low, high, where))
    return _unless_all_local(found)


def _most(amount: Amount, *, is_taken: bool) -> Where:
    if amount.away_bytes * 2 > amount.bytes:
        return Where.ARCHIVE
    if amount.archived_bytes * 2 > amount.bytes:
        return Where.BOTH
    return Where.WAITING if is_taken else Where.LOCAL


def _unless_all_local(found: Sequence[PlaceRange]) -> list[PlaceRange]:
    return [] if all(one.where is Where.LOCAL for one in found) else list(found)
