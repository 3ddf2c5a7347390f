"""Inspects the files of some ranges: their formats, and whether they can be copied into one movie."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.footage.cuts import ContiguousRange
from gateway.mp4.avc import parse_avc
from gateway.mp4.samples import AUDIO, VIDEO, TrackFormat
from gateway.storage.footage_reader import FootageReader

_CODECS = {"avc1": "H.264", "hvc1": "H.265", "hev1": "H.265"}


@dataclass(slots=True)
class Source:
    """The readable ranges with the video format of each, and the audio formats with the milliseconds of each."""

    ranges: list[ContiguousRange] = field(default_factory=list)
    formats: list[TrackFormat] = field(default_factory=list)
    sounds: list[tuple[TrackFormat, int]] = field(default_factory=list)
    is_reordered: bool = False

    @property
    def sound(self) -> TrackFormat | None:
        """The format of most of the audio; None without audio."""

        def length_of(candidate: TrackFormat) -> int:
            return sum(length for other, length in self.sounds if other.fits(candidate))

        return max((candidate for candidate, _ in self.sounds), key=length_of, default=None)

    @property
    def is_one_format(self) -> bool:
        return all(other.fits(self.formats[0]) for other in self.formats)

    @property
    def largest(self) -> tuple[int, int]:
        """Width and height of the largest picture, made even as encoders require."""
        width, height = max((one.picture_size for one in self.formats), key=lambda size: size[0] * size[1])
        return width + width % 2, height + height % 2


def inspect(ranges: Iterable[ContiguousRange], reader: FootageReader, *, is_exact: bool) -> Source:
    """Inspect the start of each range. Unreadable ranges are added to the reader's `damaged`."""
    source = Source()
    for footage_range in ranges:
        formats = reader.read_formats(footage_range)
        video = next((one for one in formats if one.kind == VIDEO), None)
        if video is None:
            reader.damaged.append((footage_range.start_ms, footage_range.end_ms))
            continue
        source.ranges.append(footage_range)
        source.formats.append(video)
        sound = next((one for one in formats if one.kind == AUDIO), None)
        if sound is not None and footage_range.has_audio:
            source.sounds.append((sound, footage_range.end_ms - footage_range.start_ms))
        if is_exact and not source.is_reordered:
            source.is_reordered = _has_reordered_frames(footage_range, reader.again())
    return source


def reason_to_encode(source: Source, is_exact: bool) -> str:
    """The reason why the footage cannot be copied, as a note; empty when it can be copied."""
    if not source.is_one_format:
        sizes = sorted({one.picture_size for one in source.formats}, reverse=True)
        width, height = source.largest
        changes = ", ".join(f"{w}x{h}" for w, h in sizes) if len(sizes) > 1 else "other settings of its encoder"
        return f"the camera changed its picture ({changes}): all of it was re-encoded at {width}x{height}"
    if not is_exact:
        return ""
    if source.is_reordered:
        return "the camera does not send frames in presentation order: all of it was re-encoded"
    video = source.formats[0]
    configuration = video.box(b"avcC")
    if configuration is None or not parse_avc(configuration).is_plain or video.length_size != 4:
        codec = _CODECS.get(video.codec, video.codec)
        return f"the video ({codec}) was re-encoded as plain H.264, so that it begins at an exact frame"
    return ""


def _has_reordered_frames(footage_range: ContiguousRange, reader: FootageReader) -> bool:
    first = next(reader.read(footage_range), None)
    return first is not None and len({offset for samples in first.video for offset in samples.offsets}) > 1
