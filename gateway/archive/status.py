"""The bytes of footage by tier, and the devices that archives take."""

from dataclasses import dataclass

from peewee import fn

from gateway import database
from gateway.footage.recordings import Recording
from gateway.footage.segments import FifteenMinuteRollup
from gateway.tenancy.scopes import EVERY_RECORDING, EveryTenantScope


@dataclass(frozen=True, slots=True)
class Tiers:
    """Bytes of closed segments: on the local disk, with a copy, of these in an archive only; and waiting for a copy."""

    local_bytes: int = 0
    archived_bytes: int = 0
    away_bytes: int = 0
    waiting_bytes: int = 0


def read_tiers(scope: EveryTenantScope) -> Tiers:
    """The tiers of all recordings of a scope, from the roll-up."""
    with database.session():
        recordings = scope.select(Recording, Recording.id, Recording.archived_by).tuples()
        archived_by = dict(recordings)
        sums = (
            EVERY_RECORDING.select(
                FifteenMinuteRollup,
                FifteenMinuteRollup.recording_id,
                fn.SUM(FifteenMinuteRollup.bytes),
                fn.SUM(FifteenMinuteRollup.archived_bytes),
                fn.SUM(FifteenMinuteRollup.away_bytes),
            )
            .where(FifteenMinuteRollup.recording_id.in_(list(archived_by)))
            .group_by(FifteenMinuteRollup.recording_id)
        )
        rows = [(key, int(size), int(copied), int(away)) for key, size, copied, away in sums.tuples()]
    return Tiers(
        local_bytes=sum(size - away for _, size, _, away in rows),
        archived_bytes=sum(copied for _, _, copied, _ in rows),
        away_bytes=sum(away for *_, away in rows),
        waiting_bytes=sum(size - copied for key, size, copied, _ in rows if archived_by[key] is not None),
    )
