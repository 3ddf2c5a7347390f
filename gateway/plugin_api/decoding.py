"""Decodes the video of parts to pictures, with PyAV."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from av.video.reformatter import Interpolation, VideoReformatter

from gateway.detectors import Frame
from gateway.media import Part
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.descriptors import JPEG, MPEG4_VIDEO
from gateway.mp4.samples import VIDEO, Samples, TrackFormat, parse_init, parse_part

_DECODERS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc"}
_OBJECT_DECODERS = {JPEG: "mjpeg", MPEG4_VIDEO: "mpeg4"}
#: Ticks of the times that pass through the decoder: 1/90000 s since the start of the first part.
_TICKS = 90_000


def decode_parts(
    init_segment: bytes, parts: Iterable[Part], *, width: int = 0, height: int = 0, only_keys: bool = False
) -> Iterator[Frame]:
    """The pictures of consecutive parts of one run, in the order in which they are shown.

    Nothing can be decoded before the first key frame. `only_keys` decodes key frames alone, which costs a fraction.
    Pictures are stretched to `width` × `height`; 0: the size of the camera. What is damaged is left out.
    """
    decoder = PartDecoder(width=width, height=height, only_keys=only_keys)
    for part in parts:
        yield from decoder.decode(part, init_segment)
    yield from decoder.flush()


class PartDecoder:
    """Decodes the parts of one device as a consumption takes them (`Consumption.take`). For one thread.

    `damaged` counts what could not be decoded.
    """

    def __init__(self, *, width: int = 0, height: int = 0, only_keys: bool = False) -> None:
        self.damaged = 0
        self._width, self._height = width, height
        self._only_keys = only_keys
        self._reformatter = VideoReformatter()
        self._codec: av.VideoCodecContext | None = None
        self._track: TrackFormat | None = None
        self._init = b""
        self._device_id = ""
        self._epoch = 0.0
        self._delay = 0
        self._waits_for_key = True

    def decode(self, part: Part, init_segment: bytes) -> list[Frame]:
        """The pictures that a part completes: the decoder may hold back some until the next part."""
        pictures: list[Frame] = []
        try:
            if init_segment != self._init or self._codec is None:
                pictures += self.flush()
                self._open(init_segment, part)
            found = [samples for samples in parse_part(part.data, (self._track,)) if len(samples)]
        except (InvalidMedia, ValueError):
            self.damaged += 1
            self._waits_for_key = True
            return pictures
        for samples in found:
            pictures += self._decode_samples(samples, part, found[0].times[0])
        return pictures

    def flush(self) -> list[Frame]:
        """The pictures that the decoder holds back, at the end."""
        pictures = [] if self._codec is None else list(self._decode(None))
        self._codec, self._init = None, b""
        return pictures

    def _open(self, init_segment: bytes, part: Part) -> None:
        track = next((one for one in parse_init(init_segment) if one.kind == VIDEO), None)
        if track is None:
            raise InvalidMedia("an init segment without a video track")
        name = _OBJECT_DECODERS.get(track.decoder.object_type) if track.codec == "mp4v" else _DECODERS.get(track.codec)
        if name is None:
            raise InvalidMedia(f"video of the kind '{track.codec}'")
        codec = av.CodecContext.create(name, "r")
        codec.extradata = track.box(b"avcC") or track.box(b"hvcC") or track.decoder.configuration or None
        # More threads would hold back pictures.
        codec.thread_count = 1
        self._codec, self._track, self._init = codec, track, init_segment
        self._device_id, self._epoch, self._waits_for_key = part.device_id, part.start - 60, True

    def _decode_samples(self, samples: Samples, part: Part, first: int) -> Iterator[Frame]:
        at, scale = 0, samples.track.timescale
        for time, offset, size, is_key in zip(samples.times, samples.offsets, samples.sizes, samples.keys, strict=True):
            data = bytes(samples.data[at : at + size])
            at += size
            if not is_key and (self._waits_for_key or self._only_keys):
                continue
            if is_key:
                # A picture is decoded before it is shown where B-frames lie between: key frames by this much.
                self._delay = offset
            self._waits_for_key = False
            packet = av.Packet(data)
            packet.pts = round((part.start + (time - first + offset - self._delay) / scale - self._epoch) * _TICKS)
            packet.time_base = Fraction(1, _TICKS)
            yield from self._decode(packet)
            if self._only_keys and self._codec is not None:
                # A lone key frame would be held back until the next one.
                yield from self._decode(None)
                self._codec.flush_buffers()

    def _decode(self, packet: av.Packet | None) -> Iterator[Frame]:
        try:
            pictures = self._codec.decode(packet)
        except (av.FFmpegError, ValueError):
            self.damaged += 1
            self._waits_for_key = True
            return
        for picture in pictures:
            if picture.is_corrupt or picture.pts is None:
                self.damaged += 1
                continue
            yield self._build(picture)

    def _build(self, picture: av.VideoFrame) -> Frame:
        scaled = self._reformatter.reformat(
            picture,
            self._width or picture.width,
            self._height or picture.height,
            "rgb24",
            interpolation=Interpolation.FAST_BILINEAR,
            threads=1,
        )
        at_ms = round((self._epoch + picture.pts / _TICKS) * 1000)
        return Frame(self._device_id, at_ms, scaled.width, scaled.height, scaled.to_ndarray().tobytes())
