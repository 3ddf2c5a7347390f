"""Decodes a device's pictures, once for all detectors: those of its sub-stream, or key frames of its parts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.descriptors import JPEG, MPEG4_VIDEO
from gateway.mp4.samples import VIDEO, TrackFormat, parse_init, parse_part
from gateway.plugin_api import Part, SubPictures

#: Pictures for detectors that name no size are at most this wide.
MOST_WIDTH = 640
_DECODERS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc"}
_OBJECT_DECODERS = {JPEG: "mjpeg", MPEG4_VIDEO: "mpeg4"}
_TICKS = 90_000


@dataclass(slots=True)
class Picture:
    """A decoded picture; `at`: its capture time in seconds since 1970. Sizes are made when they are asked for."""

    at: float
    frame: av.VideoFrame = field(repr=False)
    reformatter: VideoReformatter = field(repr=False)

    def grey(self, width: int, height: int) -> np.ndarray:
        """Grey values in another size: an array of height × width bytes."""
        return self._scale(width, height, "gray").to_ndarray()

    def rgb(self, width: int, height: int) -> tuple[int, int, bytes]:
        """Width, height and RGB bytes; 0 for a size: that of the picture, at most MOST_WIDTH wide."""
        if not width or not height:
            width = min(self.frame.width, MOST_WIDTH)
            height = max(2, round(self.frame.height * width / self.frame.width))
        return width, height, self._scale(width, height, "rgb24").to_ndarray().tobytes()

    def _scale(self, width: int, height: int, pixels: str) -> av.VideoFrame:
        return self.reformatter.reformat(
            self.frame, width, height, pixels, interpolation=Interpolation.FAST_BILINEAR, threads=1
        )


class Decoder:
    """Decodes the pictures of one device. Damaged ones are left out and counted."""

    def __init__(self) -> None:
        self._context: av.CodecContext | None = None
        self._format: tuple[str, bytes] = ("", b"")
        self._reformatter = VideoReformatter()
        self._epoch = 0.0
        self._waits_for_key = True
        self._init: bytes = b""
        self._track: TrackFormat | None = None
        self.damaged = 0

    def decode_sub(self, batch: SubPictures, *, only_keys: bool = False) -> Iterator[Picture]:
        """The pictures of the sub-stream, in the order in which they are shown."""
        if (batch.codec, batch.extra_data) != self._format or self._context is None:
            self._open(batch.codec, batch.extra_data)
        for picture in batch.pictures:
            if self._waits_for_key or only_keys:
                if not picture.is_key:
                    self._waits_for_key = True
                    continue
                if self._waits_for_key:
                    self._context.flush_buffers()
                    self._waits_for_key = False
            if not self._epoch or abs(picture.at - self._epoch) > 3600:
                self._epoch = picture.at - 60
            yield from self._decode(picture.data, picture.at)

    def decode_key_frame(self, part: Part, init_segment: bytes) -> Picture | None:
        """The picture with which a part begins, if that is a key frame."""
        if not part.is_key:
            return None
        try:
            track = self._read_init(init_segment)
            samples = next((one for one in parse_part(part.data, (track,)) if len(one)), None)
            if samples is None or not samples.keys[0]:
                return None
            data = bytes(samples.data[: samples.sizes[0]])
        except InvalidMedia:
            self.damaged += 1
            return None
        name = _decoder_of(track)
        if name is None:
            return None
        extra = track.box(b"avcC") or track.box(b"hvcC") or track.decoder.configuration or b""
        if (name, extra) != self._format or self._context is None:
            self._open(name, extra)
        self._epoch = part.start - 60
        found = [*self._decode(data, part.start), *self._decode(None, part.start)]
        # The decoder has been drained: it takes no more until it is flushed.
        self._context.flush_buffers()
        self._waits_for_key = True
        return found[0] if found else None

    def _open(self, name: str, extra_data: bytes) -> None:
        self._context = av.CodecContext.create(name, "r")
        self._context.extradata = extra_data or None
        # More threads would hold back pictures.
        self._context.thread_count = 1
        # A fifth of the cost; neither motion nor objects are seen differently.
        self._context.options = {"skip_loop_filter": "nokey"}
        self._format = (name, extra_data)
        self._waits_for_key = True

    def _decode(self, data: bytes | None, at: float) -> Iterator[Picture]:
        packet = None
        if data is not None:
            packet = av.Packet(data)
            packet.pts = round((at - self._epoch) * _TICKS)
            packet.time_base = Fraction(1, _TICKS)
        try:
            frames = self._context.decode(packet)
        except (av.FFmpegError, ValueError):
            self.damaged += 1
            self._waits_for_key = True
            return
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                self.damaged += 1
                continue
            yield Picture(self._epoch + frame.pts / _TICKS, frame, self._reformatter)

    def _read_init(self, init_segment: bytes) -> TrackFormat:
        if self._track is None or init_segment != self._init:
            self._track = next((one for one in parse_init(init_segment) if one.kind == VIDEO), None)
            self._init = init_segment
        if self._track is None:
            raise InvalidMedia("an init segment without a video track")
        return self._track


def _decoder_of(track: TrackFormat) -> str | None:
    if track.codec == "mp4v":
        return _OBJECT_DECODERS.get(track.decoder.object_type)
    return _DECODERS.get(track.codec)
