"""What people read of a running stream besides its state: transport, losses, and what is unusual."""

from typing import Any

from workers.ingest.ingest import IngestFacts

#: A camera whose clock is off by more than this is told of: its recordings are stamped by their arrival.
_CLOCK_TOLERANCE = 0.01
_MAX_NOTES = 20
_MAX_LENGTH = 300


def describe_ingest(facts: IngestFacts) -> dict[str, Any]:
    """The live statistics of an ingest, as `LiveStats` stores them."""
    return {
        "notes": [note[:_MAX_LENGTH] for note in _notes(facts)][:_MAX_NOTES],
        "transport": facts.transport,
        "camera_server": (facts.server or "")[:_MAX_LENGTH] or None,
        "login": facts.login,
        "clock_rate": round(facts.rate, 4),
        "lost_packets": facts.lost_packets,
        "ffmpeg_restarts": facts.ffmpeg_restarts,
        "camera_sessions": 1 + facts.is_sub_open,
    }


def _notes(facts: IngestFacts) -> list[str]:
    notes = list(facts.notes)
    if abs(facts.rate - 1) > _CLOCK_TOLERANCE:
        notes.append(f"the camera's clock runs at {facts.rate:.2f} of the real speed: the arrival of packets counts")
    if facts.sub_problem is not None:
        notes.append(f"without sub-stream: {facts.sub_problem.message}")
    return notes
