"""The base of the depacketizers of sound."""

from workers.rtp.units import CodecData


class AudioDepacketizer:
    """Takes the payloads of one track of sound in order.

    `codec_data` is None until it is certain that and how the sound can be decoded, and may change. `problem` then is
    the end of a sentence: why there is no sound (yet). `frame_ticks`: duration of the last frames in RTP ticks.
    """

    def __init__(self) -> None:
        self.codec_data: CodecData | None = None
        self.frame_ticks = 0
        self.problem: str | None = None

    def take(self, payload: bytes) -> list[tuple[int, bytes]]:
        """Return each frame that is complete now, with its RTP ticks after the time stamp of the packet."""
        raise NotImplementedError

    def reset(self) -> None:
        """Packets were lost: forget the beginning of a frame."""
