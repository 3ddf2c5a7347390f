"""What an ingest reports to the supervisor of its device, beside init segments and parts."""

from dataclasses import dataclass

from gateway.media import SourceInfo
from gateway.states import Reason
from workers.rtp.units import CodecData, MediaUnit


@dataclass(frozen=True, slots=True)
class SourceKnown:
    """The camera's stream as it is: after its first key frame, and when that has changed."""

    source: SourceInfo


@dataclass(frozen=True, slots=True)
class Waiting:
    """The camera answers, but cannot be shown yet; None: it can."""

    reason: Reason | None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session with the camera has ended, and why. The last event of an ingest."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class PartsEnded:
    """FFmpeg makes no parts of this camera, and why; the session goes on until the ingest is stopped."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class PartsRestarted:
    """FFmpeg ended by itself and was started again from the cache."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class SubBatch:
    """Pictures of the sub-stream, in decoding order, while they are asked for (`Ingest.ask_sub`)."""

    codec: CodecData
    units: tuple[MediaUnit, ...]
