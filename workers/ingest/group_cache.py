"""The access units of a camera that may be needed again: an FFmpeg that is started anew begins with them."""

from collections import deque

from workers.rtp.units import VIDEO, MediaUnit

#: Limits of one camera: an interval between key frames of 10 s at 8 Mbit/s, twice.
MAX_BYTES = 24 << 20
#: Times of parts are rounded to the ticks of their track.
_TOLERANCE_SECONDS = 0.000_5
#: An encoder of sound that is started anew needs what was before: some frames of it.
_SOUND_SECONDS = 0.3


class GroupCache:
    """The units since the last key frame whose group has not been delivered, in the order of their arrival.

    A group of pictures begins with a key frame. Whole groups are dropped once later ones were delivered
    (`acknowledge`), and when the limit is reached: then what is left may begin in the middle of a group, and is not
    offered until the next key frame.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._groups: deque[list[MediaUnit]] = deque()
        self._max_bytes = max_bytes
        self._delivered_until = self._sound_until = float("-inf")
        self.size = 0
        #: Units that were dropped although nothing had delivered them.
        self.lost_units = 0

    def add(self, unit: MediaUnit) -> None:
        """Keep a unit; before the first key frame nothing is kept."""
        is_key = unit.kind == VIDEO and unit.is_key
        if is_key:
            self._groups.append([])
        if not self._groups:
            return
        self._groups[-1].append(unit)
        self.size += len(unit.data)
        if is_key:
            self._drop_delivered()
        while self.size > self._max_bytes and self._groups:
            self.lost_units += len(self._groups[0])
            self._drop_first()

    def acknowledge(self, until: float, sound_until: float = float("-inf")) -> None:
        """All pictures that were captured before `until` have been delivered, and all sound before `sound_until`."""
        self._sound_until = max(self._sound_until, sound_until)
        if until > self._delivered_until:
            self._delivered_until = until
            self._drop_delivered()

    def units(self) -> list[MediaUnit]:
        """Everything kept: from the key frame of the first group that is not delivered completely."""
        return [unit for group in self._groups for unit in group]

    def last_group(self) -> list[MediaUnit]:
        """The units since the last key frame; empty without one."""
        return list(self._groups[-1]) if self._groups else []

    def last_picture(self) -> MediaUnit | None:
        """The newest picture; None without one."""
        pictures = (unit for group in reversed(self._groups) for unit in reversed(group) if unit.kind == VIDEO)
        return next(pictures, None)

    def _drop_delivered(self) -> None:
        """Drop groups whose successor's key frame was delivered: a restart begins with that one."""
        while len(self._groups) > 1 and self._groups[1]:
            if self._groups[1][0].time > self._delivered_until + _TOLERANCE_SECONDS:
                return
            self._drop_first()

    def _drop_first(self) -> None:
        """Drop the first group, but not the sound of it that is later than what was delivered."""
        dropped = self._groups.popleft()
        self.size -= sum(len(unit.data) for unit in dropped)
        if self._groups and self.size < self._max_bytes:
            since = max(self._sound_until - _SOUND_SECONDS, self._groups[0][0].time - 2 * _SOUND_SECONDS)
            kept = [unit for unit in dropped if unit.kind != VIDEO and unit.time >= since]
            self._groups[0][1:1] = kept
            self.size += sum(len(unit.data) for unit in kept)
