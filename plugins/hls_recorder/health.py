"""What `/api/v1/health` and `vas doctor` say of recording."""

import time

from gateway import database
from gateway.hookspecs import ComponentHealth
from gateway.models.base import EVERY_TENANT
from gateway.models.recordings import Recording, recordings_wanted
from gateway.states import reason_for

#: Reasons that are the recorder's or its disk's; a camera that is away is no fault of recording.
_OUR_REASONS = frozenset({
    "disk_full", "storage_unmounted", "storage_failed", "file_missing", "recorder_away", "too_slow", "bus_lost",
})


def check_recorders() -> ComponentHealth:
    """Whether every device of which footage is wanted is recorded, as far as recording itself is concerned."""
    try:
        wanted = set(recordings_wanted(round(time.time() * 1000)))
        with database.session():
            rows = list(
                EVERY_TENANT.select(Recording, Recording.device_id, Recording.observed, Recording.reason_code)
                .where(Recording.deleted_at.is_null(), Recording.observed != "off")
                .tuples()
            )
    except database.DatabaseUnavailable:
        return ComponentHealth("down", "unknown while the database does not answer", "check DATABASE_URL")
    states = [(observed, reason) for device_id, observed, reason in rows if device_id in wanted]
    detail = {"wanted": len(wanted), "recording": sum(observed == "recording" for observed, _ in states)}
    hindered = [reason for observed, reason in states if observed == "interrupted" and reason in _OUR_REASONS]
    if hindered:
        worst = reason_for(max(set(hindered), key=hindered.count))
        detail["interrupted"] = len(hindered)
        return ComponentHealth(
            "degraded", f"{len(hindered)} of {len(wanted)} devices are not recorded: {worst.message}",
            worst.remedy, detail,
        )
    return ComponentHealth("ok", detail=detail)
