"""RTP time stamps of our own, made from capture times: they never go back, and outlive sessions and pauses."""

#: A longer pause is shown as one of this length: players compare time stamps modulo 2**32 (13 hours of video).
_MAX_PAUSE_SECONDS = 3600
#: Capture times that go back by more than this are those of a clock that was set: time goes on from where it was.
_MAX_BACK_SECONDS = 1.0
#: A pause in sound: the next packet is not the continuation of the one before.
_MIN_GAP_SECONDS = 0.08


class PictureTime:
    """Time stamps of video: the capture time and a constant.

    `offset_seconds` is the same in all processes of all machines, so that time goes on when another worker takes over.
    """

    def __init__(self, rate: int, offset_seconds: float) -> None:
        self._rate = rate
        self._offset = round(offset_seconds * rate)
        self._last: int | None = None
        self._resumed: int | None = None

    def resume(self, offset_seconds: float) -> None:
        """Nobody has seen the pictures before: the next time stamp may be any later one, with this constant.

        After a long pause time stamps follow the wall clock again: players know capture times by them.
        """
        self._resumed = round(offset_seconds * self._rate)

    def at(self, time: float) -> int:
        """The time stamp of a picture; call it once for each."""
        if self._resumed is not None:
            self._offset, self._resumed = self._resumed, None
            if self._last is not None and int(time * self._rate + 0.5) + self._offset > self._last:
                self._last = None
        ticks = int(time * self._rate + 0.5) + self._offset
        last = self._last
        if last is not None and not 0 < ticks - last <= _MAX_PAUSE_SECONDS * self._rate:
            wanted = ticks
            ticks = last + (_MAX_PAUSE_SECONDS * self._rate if wanted > last else 1)
            if abs(wanted - ticks) > _MAX_BACK_SECONDS * self._rate:
                self._offset += ticks - wanted
        self._last = ticks
        return ticks & 0xFFFFFFFF


class SampleTime:
    """Time stamps of sound: they count samples, as players expect it, and follow the capture time only at gaps.

    A clock of the camera that runs 1 % off would otherwise be a gap or an overlap in each packet; the SFU's sender
    reports tell players the true rate.
    """

    def __init__(self, rate: int, offset_seconds: float) -> None:
        self._rate = rate
        self._next = round(offset_seconds * rate)
        self._time: float | None = None
        self.is_gap = True

    def at(self, time: float, samples: int) -> int:
        """The time stamp of a packet with so many samples. Sets `is_gap` if it does not continue the one before."""
        if self._time is None:
            self._next += int(time * self._rate + 0.5)
            self.is_gap = True
        else:
            gap = time - self._time
            self.is_gap = gap > _MIN_GAP_SECONDS
            if self.is_gap:
                self._next += int(min(gap, _MAX_PAUSE_SECONDS) * self._rate)
        ticks = self._next
        self._next += samples
        # The capture time after this packet; one that went back a little does not count as a gap later on.
        self._time = time + samples / self._rate
        return ticks & 0xFFFFFFFF

    def skip(self, samples: int) -> None:
        """So many samples are missing before the next packet."""
        self._next += samples
        if self._time is not None:
            self._time += samples / self._rate
