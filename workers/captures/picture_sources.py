"""Finds pictures: live ones on the media bus, historical ones in the recording. A failure has its reason.

The result is a `FoundFrame`: it identifies the frame and can decode it. A caller that has the picture of this frame
cached need not decode it.
"""

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from gateway.captures.queue import EXACT, KEY_FRAME
from gateway.clock import Clock, SystemClock
from gateway.errors import NotFound, VasError
from gateway.footage.cuts import ContiguousRange, cut_footage
from gateway.footage.gaps import HOLE_MS
from gateway.footage.reading import nearest_footage
from gateway.footage.recordings import Recording
from gateway.media import Part
from gateway.mp4.boxes import InvalidMedia
from gateway.states import DesiredState, StreamState, reason_for
from gateway.storage.footage_reader import FootageReader, refuse_if_away
from gateway.storage.interface import Storage, StorageUnavailable
from gateway.streams.bus import MediaBus
from gateway.streams.queries import read_stream_record
from workers.captures.pictures import ROUNDING_MS, PictureDamaged, Shot, TimedPart, decode_at

#: How long the newest part on the bus counts as live after its stream has stopped.
_LIVE_SECONDS = 10.0
#: More than the bus ever holds: a few hundred parts of a device.
_WHOLE_BUS = 10_000
#: How long footage of the present moment is waited for.
_PATIENCE_SECONDS = 1.5


class NoPicture(VasError):
    """There is no picture. Reasons: `no_picture` (live), and `no_footage` (historical) with the nearest footage."""

    reason = "no_picture"

    def __init__(
        self, message: str, *, reason: str = "no_picture", nearest: tuple[int | None, int | None] = (None, None)
    ) -> None:
        super().__init__(message, reason=reason)
        self.nearest_before_ms, self.nearest_after_ms = nearest


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """A frame that can be decoded. `key` is the same for the same frame, in every process."""

    key: Hashable
    decode: Callable[[], Shot] = field(repr=False)


class PictureSources:
    """Finds pictures of devices. Raises NoPicture, BusUnavailable, DatabaseUnavailable, StorageUnavailable."""

    def __init__(self, bus: MediaBus, storage: Storage, clock: Clock | None = None) -> None:
        self._bus = bus
        self._storage = storage
        self._clock = clock or SystemClock()

    def find_live(self, device_id: str, accuracy: str = KEY_FRAME) -> FoundFrame:
        """The newest key frame on the bus, or the newest frame of all (`exact`)."""
        group = self._bus.latest_group(device_id)
        if group is None or not self._is_live(device_id, group[1][-1]):
            raise self._no_live_picture(device_id)
        init, parts = group
        used = parts if accuracy == EXACT else parts[:1]
        key = ("bus", device_id, parts[0].position, used[-1].position if accuracy == EXACT else None)

        def decode() -> Shot:
            try:
                return _require(decode_at(init, map(TimedPart.of_bus, used), None, accuracy))
            except PictureDamaged:
                return self._decode_earlier(device_id, parts[0])

        return FoundFrame(key, decode)

    def find_recorded(self, recording: Recording, at_ms: int, accuracy: str = EXACT) -> FoundFrame:
        """The frame of a moment: from the recording, or from the bus if the recording does not have it (yet)."""
        footage = _find_footage(recording, at_ms)
        if footage is not None and footage.end_ms + ROUNDING_MS > at_ms:
            return self._in_recording(recording, footage, at_ms, accuracy)
        found = self._find_on_bus(recording.device_id, at_ms, accuracy)
        if found is None and footage is not None:
            # A hole that is too short to count as a gap shows the frame before it.
            found = self._in_recording(recording, footage, at_ms, accuracy)
        if found is None:
            nearest = nearest_footage(recording.id, at_ms)
            raise NoPicture("there is no footage of this moment", reason="no_footage", nearest=nearest)
        return found

    def find_last_recorded(self, recording: Recording) -> FoundFrame | None:
        """The last recorded key frame; None without recorded footage."""
        now_ms = int(self._clock.wall() * 1000)
        before, _ = nearest_footage(recording.id, now_ms)
        footage = None if before is None else _find_footage(recording, before)
        return None if footage is None else self._in_recording(recording, footage, footage.end_ms, KEY_FRAME)

    def _is_live(self, device_id: str, newest: Part) -> bool:
        if self._clock.wall() - newest.end <= _LIVE_SECONDS:
            return True
        record = read_stream_record(device_id)
        return record is not None and record.observed == StreamState.RUNNING

    def _no_live_picture(self, device_id: str) -> NoPicture:
        what = "there is no picture of this device now"
        record = read_stream_record(device_id)
        if record is None:
            return NoPicture(what)
        if not record.enabled:
            return NoPicture(f"{what}: it is disabled; enable it first")
        if record.observed == StreamState.RUNNING:
            return NoPicture(f"{what}: its stream has only just started; try again in a moment")
        message, remedy = f"{what}: its stream is {record.observed}", ""
        if record.reason_code:
            why = reason_for(record.reason_code)
            message, remedy = f"{message} ({why.message})", why.remedy
        if not remedy:
            # The remedy of `no_picture` is to start the device, which does not help if it is started already.
            is_wanted = record.desired == DesiredState.RUNNING
            remedy = "try again in a moment" if is_wanted else reason_for("no_picture").remedy
        return NoPicture(f"{message}; {remedy}")

    def _decode_earlier(self, device_id: str, damaged: Part) -> Shot:
        """The newest undamaged key frame on the bus before a damaged one."""
        held = [part for part in self._bus.read(device_id, None, count=_WHOLE_BUS) if part.is_key]
        for part in reversed(held):
            init = self._bus.init_segment(device_id, part.run) if part.position < damaged.position else None
            if init is not None:
                try:
                    return _require(decode_at(init, [TimedPart.of_bus(part)], None, KEY_FRAME))
                except PictureDamaged:
                    continue
        raise PictureDamaged("the pictures that the camera sends cannot be decoded")

    def _in_recording(self, recording: Recording, footage: ContiguousRange, at_ms: int, accuracy: str) -> FoundFrame:
        wanted = _start_at_key_frame(footage, at_ms + ROUNDING_MS, is_alone=accuracy == KEY_FRAME)
        moment = None if accuracy == KEY_FRAME else at_ms
        key = ("file", recording.id, wanted.run, wanted.pieces[0].sequence, moment)
        return FoundFrame(key, lambda: self._decode_recorded(wanted, at_ms, accuracy))

    def _decode_recorded(self, footage: ContiguousRange, at_ms: int, accuracy: str) -> Shot:
        reader = FootageReader(self._storage, lambda: None)
        init: bytes | None = None
        for piece in footage.pieces:
            try:
                init = reader.read_init(piece)
                break
            except (InvalidMedia, NotFound):
                continue
            except StorageUnavailable as error:
                refuse_if_away(error)
        if init is None:
            raise PictureDamaged("the footage of this moment cannot be read")
        return _require(decode_at(init, _unbroken(reader, footage, at_ms), at_ms, accuracy))

    def _find_on_bus(self, device_id: str, at_ms: int, accuracy: str) -> FoundFrame | None:
        parts = self._read_bus_until(device_id, at_ms)
        started = [part for part in parts if part.start * 1000 <= at_ms + ROUNDING_MS]
        if not started or started[-1].end * 1000 + HOLE_MS < at_ms:
            return None
        run = [part for part in parts if part.run == started[-1].run]
        keys = [part for part in run if part.is_key and part.start * 1000 <= at_ms + ROUNDING_MS]
        init = self._bus.init_segment(device_id, started[-1].run)
        if not keys or init is None:
            return None
        used = [part for part in run if part.position >= keys[-1].position]
        key = ("bus", device_id, keys[-1].position, None if accuracy == KEY_FRAME else at_ms)
        return FoundFrame(key, lambda: _require(decode_at(init, map(TimedPart.of_bus, used), at_ms, accuracy)))

    def _read_bus_until(self, device_id: str, at_ms: int) -> list[Part]:
        """The parts on the bus; waits for the parts of a moment that has only just passed."""
        parts = self._bus.read(device_id, None, count=_WHOLE_BUS)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while parts and 0 <= at_ms / 1000 - parts[-1].end < _PATIENCE_SECONDS:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            parts += self._bus.read(device_id, parts[-1].position, wait_seconds=left)
        return parts


def _find_footage(recording: Recording, at_ms: int) -> ContiguousRange | None:
    """The footage of a moment, or footage that ended before it by less than a gap."""
    ranges = cut_footage(recording, at_ms - HOLE_MS, at_ms + ROUNDING_MS + 1)
    return next((one for one in reversed(ranges) if one.start_ms <= at_ms + ROUNDING_MS), None)


def _start_at_key_frame(footage: ContiguousRange, at_ms: float, *, is_alone: bool) -> ContiguousRange:
    """Cut footage to start at its last part with a key frame at or before a moment; only that part if `is_alone`."""
    number, first = 0, 0
    for place, piece in enumerate(footage.pieces):
        for index, part in enumerate(piece.parts):
            if part.is_key and piece.part_start_ms(index) <= at_ms:
                number, first = place, index
    piece = footage.pieces[number]
    if is_alone:
        return ContiguousRange((piece.cut(first, first + 1),))
    return ContiguousRange((piece.cut(first, len(piece.parts)), *footage.pieces[number + 1 :]))


def _unbroken(reader: FootageReader, footage: ContiguousRange, at_ms: float) -> Iterator[TimedPart]:
    """The parts of footage up to a damaged one, on which later frames depend.

    Raises PictureDamaged if the damage is at or before the moment.
    """
    for part in reader.read(footage):
        if reader.damaged:
            break
        yield TimedPart(part.start_ms, part.data)
    if reader.damaged and reader.damaged[0][0] <= at_ms + ROUNDING_MS:
        raise PictureDamaged("the footage of this moment is damaged")


def _require(shot: Shot | None) -> Shot:
    if shot is None:
        raise PictureDamaged("the footage of this moment has no key frame to start from")
    return shot
