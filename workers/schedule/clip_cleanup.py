"""Finalizes clips whose job ended without reporting it: cancelled while it was queued, deleted, or its workers died."""

import logging

from gateway.captures.clips import finalize_clips
from gateway.media import ClipFact
from workers.facts import report_fact

log = logging.getLogger(__name__)


def finalize_lost_clips() -> int:
    """Finalize such clips and report them to plugins; returns how many. For the clock process; safe to repeat."""
    finalized = finalize_clips()
    for bookmark in finalized:
        reason = bookmark.clip_reason_code
        log.info("the clip of bookmark %s was not made: %s", bookmark.id, reason)
        fact = ClipFact(bookmark.id, reason=reason, by_name=bookmark.created_by)
        report_fact("on_clip", device_id=bookmark.device_id, clip=fact)
    return len(finalized)
