"""The whole access units of one track, from a session that gives no packets: the counterpart of TrackReceiver."""

import re
from collections.abc import Callable

from workers.rtp.h264 import H264Assembler
from workers.rtp.h265 import H265Assembler
from workers.rtp.jpeg_header import read_frame, read_segments
from workers.rtp.nal_units import MAX_UNIT_BYTES
from workers.rtp.receiver import Clock
from workers.rtp.units import VIDEO, CodecData, MediaUnit, SourceError, TrackDescription

_START_CODE = re.compile(rb"\x00{2,}\x01")
_LEAST_STEP = 0.001
#: Stamps are counted in 64 bits.
_MAX_STAMP = 1 << 62


class UnitReceiver:
    """Takes units in the order of decoding; gives those that can be read, with their capture time.

    `codec_data` are the latest known. Counters: `packets` and `bytes` that came, `units` that were given, and
    `damaged_units` that were dropped. The network loses none: `lost_packets` is 0.
    """

    lost_packets = 0
    has_recovery_points = False

    def __init__(self, track: TrackDescription, clock: Clock, emit: Callable[[MediaUnit], None]) -> None:
        self.track = track
        self.packets = self.bytes = self.units = self.damaged_units = 0
        self.codec_data: CodecData | None = None
        self._clock, self._emit = clock, emit
        build = {"h264": H264Assembler, "hevc": H265Assembler}.get(track.codec)
        self._assembler = build(track) if build is not None else None
        self._announced: CodecData | None = None
        self._last_time = float("-inf")

    def receive(
        self, timestamp: int, data: bytes, is_key: bool, arrived: float, codec_data: CodecData | None = None
    ) -> None:
        """Take the next unit, which arrived at this time of the monotonic clock."""
        self.packets += 1
        self.bytes += len(data)
        try:
            unit = self._read(data, is_key, codec_data) if len(data) <= MAX_UNIT_BYTES else None
        except SourceError:
            unit = None
        if unit is None or not -_MAX_STAMP < timestamp < _MAX_STAMP:
            self.damaged_units += 1
            return
        self.units += 1
        time = self._clock.place(timestamp, arrived)
        unit.time = self._last_time = time if time != self._last_time else time + _LEAST_STEP
        unit.arrived, unit.timestamp = arrived, timestamp
        if self.codec_data is not self._announced:
            if self.codec_data != self._announced:
                unit.codec_data = self.codec_data
            self._announced = self.codec_data
        self._emit(unit)

    def flush(self) -> None:
        """See TrackReceiver; whole units are never held."""

    def settle(self, now: float) -> None:
        """Does nothing: whole units have no doubtful end."""

    def unwrap(self, raw_time: int) -> int | None:
        """None: there are no sender reports of whole units."""
        return None

    def _read(self, data: bytes, is_key: bool, codec_data: CodecData | None) -> MediaUnit | None:
        """The unit without its time; None if it cannot be read."""
        kind = self.track.kind
        if self.track.codec == "mjpeg":
            return self._read_jpeg(data)
        if self._assembler is not None:
            return self._read_nal_units(data)
        if codec_data is not None:
            self.codec_data = codec_data
        if self.codec_data is None or self.codec_data.codec != self.track.codec or not data:
            return None
        return MediaUnit(kind, 0.0, data, is_key if kind == VIDEO else False)

    def _read_jpeg(self, data: bytes) -> MediaUnit | None:
        frame = read_frame(read_segments(data)) if data.startswith(b"\xff\xd8\xff") else None
        if frame is None:
            return None
        known = self.codec_data
        if known is None or (known.width, known.height, known.pixel_format) != frame:
            self.codec_data = CodecData("mjpeg", b"", (), *frame[:2], "Baseline", frame[2])
        return MediaUnit(VIDEO, 0.0, data, True)

    def _read_nal_units(self, data: bytes) -> MediaUnit | None:
        assembler = self._assembler
        assembler.clear()
        if not _START_CODE.match(data):
            return None
        assembler.push(data)
        whole = None if assembler.is_damaged or not assembler.has_picture else assembler.finish()
        self.codec_data = assembler.codec_data
        if whole is None:
            return None
        return MediaUnit(VIDEO, 0.0, whole, assembler.is_key, is_b_frame=assembler.is_b_frame)
