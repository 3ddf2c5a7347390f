"""Decodes the frame of a moment from parts of footage, in this process, and encodes it as JPEG.

    shot = decode_at(init, [TimedPart.of_bus(part), ...], at_ms, EXACT)
    picture = make_picture(shot, width=640)

Nothing is probed: the init segment describes the decoding, the boxes of the parts identify the frame, and no later
frame is decoded. All moments are milliseconds since 1970, UTC.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple, Self

import av
from av.video.reformatter import Colorspace, Interpolation
from PIL import ExifTags, Image

from gateway.captures.queue import EXACT, KEY_FRAME
from gateway.errors import VasError
from gateway.media import Part
from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.descriptors import JPEG, MPEG4_VIDEO
from gateway.mp4.samples import VIDEO, Samples, TrackFormat, has_whole_units, parse_init, parse_part

#: Tolerance for a frame that begins just after the moment: times of footage are rounded.
ROUNDING_MS = 2
JPEG_QUALITY = 90
#: Maximum width and height of a picture: the limit of WebP, which is below that of JPEG.
_MAX_SIDE = 16_383

_DECODERS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc"}
#: Decoders of `mp4v` by the object type of its `esds` box.
_OBJECT_DECODERS = {JPEG: "mjpeg", MPEG4_VIDEO: "mpeg4"}
#: From this height on, video without colour description is decoded as HD (ITU-R BT.709), as players do.
_HD_LINES = 720
_UNSPECIFIED = 2


class PictureDamaged(VasError):
    """The frame cannot be decoded, or only with errors."""

    reason = "picture_damaged"


class TimedPart(NamedTuple):
    """A part (`moof`+`mdat`) and the wall clock of its first video frame."""

    start_ms: float
    data: bytes

    @classmethod
    def of_bus(cls, part: Part) -> Self:
        """A part of the media bus."""
        return cls(part.start * 1000, part.data)


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded frame, its moment and its pixel aspect ratio."""

    at_ms: int
    frame: av.VideoFrame = field(repr=False)
    pixel_ratio: Fraction = Fraction(1)

    @property
    def size(self) -> tuple[int, int]:
        """Display width and height, in square pixels."""
        width, height = round(self.frame.width * self.pixel_ratio), self.frame.height
        return _fit(width, height, min(width, _MAX_SIDE))


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG and its moment."""

    at_ms: int
    width: int
    height: int
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that is not decoded yet: presentation and decoding time in ticks, `wall_ms` its wall clock."""

    shown: int
    decoded: int
    wall_ms: float
    is_key: bool
    data: memoryview = field(repr=False)


def decode_at(init: bytes, parts: Iterable[TimedPart], at_ms: float | None, accuracy: str = EXACT) -> Shot | None:
    """Decode the frame of a moment. `parts` are parts of one run in order; no more than necessary are consumed.

    `init` is the run's init segment. `exact`: the frame that was shown then, the last one that begins at or before the
    moment; `key_frame`: the last key frame at or before it. If there is none before it: the first key frame after it.
    With `at_ms` None: the newest. None without any key frame. Raises PictureDamaged, also for data that are no parts.
    """
    try:
        track = _video_track(init)
        group, target = _choose(track, parts, at_ms, accuracy)
    except InvalidMedia as error:
        raise PictureDamaged(f"the footage of this moment is damaged: {error}") from error
    return None if target is None else _decode(track, group, target)


def decode_key_frames(init: bytes, parts: Iterable[TimedPart]) -> Iterator[Shot]:
    """Decode all key frames of one run's parts, in order; damaged ones are skipped. For time-lapses.

    Only parts that begin with a key frame are needed. Raises PictureDamaged for an invalid init segment.
    """
    try:
        track = _video_track(init)
    except InvalidMedia as error:
        raise PictureDamaged(f"the init segment is damaged: {error}") from error
    for part in parts:
        try:
            for frame in _frames_of(part, track):
                if frame.is_key:
                    yield _decode(track, [frame], frame)
        except (InvalidMedia, PictureDamaged):
            continue


def make_picture(shot: Shot, *, width: int | None = None, quality: int = JPEG_QUALITY) -> Picture:
    """Encode a frame as JPEG in its display aspect ratio, at most `width` pixels wide; it is never enlarged."""
    size = shot.size
    if width is not None and width < size[0]:
        size = _fit(*size, width)
    buffer = io.BytesIO()
    to_rgb(shot, *size).to_image().save(buffer, "JPEG", quality=quality, exif=_build_exif(shot.at_ms))
    return Picture(shot.at_ms, *size, buffer.getvalue())


def to_rgb(shot: Shot, width: int, height: int) -> av.VideoFrame:
    """Convert a frame to 8-bit RGB of this size, with the colours that a player would show."""
    frame = shot.frame
    colours = None
    if frame.colorspace == _UNSPECIFIED:
        colours = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
    return frame.reformat(
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=colours,
        interpolation=Interpolation.BILINEAR,
        threads=1,
    )


def _build_exif(at_ms: int) -> Image.Exif:
    """The Exif data with the moment in UTC, as cameras write it (Exif 2.32, 4.6.6.5)."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.DateTimeOriginal: f"{at:%Y:%m:%d %H:%M:%S}",
            ExifTags.Base.OffsetTimeOriginal: "+00:00",
            ExifTags.Base.SubsecTimeOriginal: f"{at_ms % 1000:03}",
        }
    )
    return exif


def _fit(width: int, height: int, new_width: int) -> tuple[int, int]:
    return new_width, max(1, min(_MAX_SIDE, round(height * new_width / width)))


def _video_track(init: bytes) -> TrackFormat:
    track = next((one for one in parse_init(init) if one.kind == VIDEO), None)
    if track is None:
        raise InvalidMedia("an init segment without a video track")
    if _find_decoder(track) is None:
        raise InvalidMedia(f"video of the kind '{track.codec}', which cannot be decoded")
    return track


def _find_decoder(track: TrackFormat) -> str | None:
    """The name of the decoder; None for video of another kind."""
    if track.codec == "mp4v":
        return _OBJECT_DECODERS.get(track.decoder.object_type)
    return _DECODERS.get(track.codec)


def _choose(
    track: TrackFormat, parts: Iterable[TimedPart], at_ms: float | None, accuracy: str
) -> tuple[list[_Frame], _Frame | None]:
    """The frames to decode, in order, and the target among them."""
    limit = float("inf") if at_ms is None else at_ms + ROUNDING_MS
    group: list[_Frame] = []
    best: _Frame | None = None
    delay_ms = 0.0
    for part in parts:
        # Frames are decoded before they are shown: the target may be stored a little later than its moment.
        if best is not None and part.start_ms > limit + delay_ms:
            break
        for frame in _frames_of(part, track, None if not group else group[0]):
            if frame.is_key and (not group or frame.wall_ms <= limit):
                group, best = [frame], frame
                delay_ms = (frame.shown - frame.decoded) * 1000 / track.timescale
                if frame.wall_ms > limit:
                    return group, best
            elif group:
                group.append(frame)
                if accuracy != KEY_FRAME and best.wall_ms <= frame.wall_ms <= limit:
                    best = frame
    return group[: group.index(best) + 1] if best is not None else [], best


def _frames_of(part: TimedPart, track: TrackFormat, key: _Frame | None = None) -> Iterator[_Frame]:
    """The video frames of a part in decoding order; `key` is the key frame of an earlier part on which they depend."""
    if part.data[4:8] != b"moof":
        raise InvalidMedia("the data do not start with a part")
    samples = [one for one in parse_part(part.data, (track,)) if one.track.kind == VIDEO]
    if not samples or not len(samples[0]):
        return
    # The wall clock of a part is that of its first frame; a key frame is shown at that time.
    first = samples[0]
    delay = first.offsets[0] if first.keys[0] or key is None else key.shown - key.decoded
    zero = first.times[0] + delay
    for run in samples:
        yield from _split(run, zero, part.start_ms)


def _split(run: Samples, zero: int, start_ms: float) -> Iterator[_Frame]:
    at = 0
    scale = 1000 / run.track.timescale
    for time, offset, size, is_key in zip(run.times, run.offsets, run.sizes, run.keys, strict=True):
        shown = time + offset
        yield _Frame(shown, time, start_ms + (shown - zero) * scale, is_key, run.data[at : at + size])
        at += size


def _decode(track: TrackFormat, group: list[_Frame], target: _Frame) -> Shot:
    """Decode a group of pictures up to its last frame; returns the target."""
    decoder = av.CodecContext.create(_find_decoder(track), "r")
    decoder.extradata = track.box(b"avcC") or track.box(b"hvcC") or track.decoder.configuration or None
    # With more threads the decoder returns its first frame only after several more were fed.
    decoder.thread_count = 1
    found = None
    is_damaged = False
    try:
        for frame in (*group, None):
            for picture in decoder.decode(None if frame is None else _packet(track, frame)):
                is_damaged |= picture.is_corrupt
                if picture.pts == target.shown:
                    found = picture
    except (av.FFmpegError, ValueError) as error:
        raise PictureDamaged("the footage of this moment cannot be decoded") from error
    if found is None or is_damaged:
        raise PictureDamaged("the footage of this moment cannot be decoded without errors")
    return Shot(round(target.wall_ms), found, decoder.sample_aspect_ratio or Fraction(1))


def _packet(track: TrackFormat, frame: _Frame) -> av.Packet:
    sample = Samples(track, [frame.decoded], [0], [len(frame.data)], [0], [frame.is_key], frame.data)
    if not has_whole_units(sample, track.length_size):
        raise PictureDamaged("the footage of this moment is damaged: the NAL units of a frame are incomplete")
    packet = av.Packet(bytes(frame.data))
    packet.pts, packet.dts, packet.time_base = frame.shown, frame.decoded, Fraction(1, track.timescale)
    return packet
