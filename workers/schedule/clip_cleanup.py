"""Clips whose job ended without a word (cancelled while it waited, deleted, its workers died): that is written down."""

import logging

from gateway.captures.clips import finalize_clips
from gateway.media import ClipFact
from workers.facts import report_fact

log = logging.getLogger(__name__)


def finalize_lost_clips() -> int:
    """Write down the end of such clips and tell plugins; gives how many. For the clock process; repeats no harm."""
    settled = finalize_clips()
    for bookmark in settled:
        reason = bookmark.clip_reason_code
        log.info("the clip of bookmark %s was given up: %s", bookmark.id, reason)
        fact = ClipFact(bookmark.id, reason=reason, by_name=bookmark.created_by)
        report_fact("on_clip", device_id=bookmark.device_id, clip=fact)
    return len(settled)
