"""Exports: a range of a recording as one MP4, copied where it can be and encoded anew where it must be."""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.boxes import InvalidMedia
from gateway.errors import NotFound
from gateway.export_files import ResultFile, check_space
from gateway.models.base import TenantScope
from gateway.models.cuts import Stretch, cut_footage, holes_between
from gateway.models.footage import main_gap
from gateway.models.jobs import JobAttempt
from gateway.models.recordings import Recording, find_recording
from gateway.states import reason_for
from gateway.storage import open_storage
from workers.encoder_feed import EncoderFeed, Lookahead
from workers.ffmpeg.reencode import TIMESCALE, Encoder, EncoderMissing, EncoderSettings, EncodingFailed
from workers.film import Film
from workers.footage_reader import FootagePart, FootageReader
from workers.jobs import JobContext, JobFailed, result_stem
from workers.mp4.avc import AvcConfiguration, parse_avc, replace_avc
from workers.mp4.samples import AUDIO, VIDEO, Samples, TrackFormat
from workers.mp4.writer import Mp4Writer, estimate_index_bytes

log = logging.getLogger(__name__)

EXPORT = "export"
KEY_FRAMES, EXACT = "key_frames", "exact"

#: The index tells times in whole milliseconds, which are rounded.
_ROUNDING_MS = 2
#: Holes and damages that are told one by one; of more only how many there are.
_MOST_NOTES = 20
#: The first group of pictures is kept in memory while its end is encoded anew.
_HEAD_BYTES = 96 << 20


def run_export(attempt: JobAttempt, context: JobContext) -> dict[str, Any]:
    """Run a job of the kind `export`; parameters: `start_ms end_ms cut name`. Gives the result of the job.

    Raises JobFailed, and what `context.check` raises.
    """
    asked = attempt.parameters
    recording = _find(attempt)
    stretches = cut_footage(recording, asked["start_ms"], asked["end_ms"])
    if not stretches:
        raise JobFailed("no_footage", "there is no footage in this range (any more)")
    index = estimate_index_bytes(
        sum(one.frames for one in stretches), sum(one.parts for one in stretches),
        sum(one.end_ms - one.start_ms for one in stretches) / 1000,
    )
    check_space(context.config, sum(one.size for one in stretches) + index)
    name = f"{result_stem(attempt)}.mp4"
    with ResultFile(context.config.exports_dir, name) as sink:
        export = _Export(context, recording, stretches, sink, index)
        try:
            export.run()
        except JobFailed:
            # With a device goes its footage: then that is the reason.
            _find(attempt)
            raise
        context.report(0.99, "finishing")
        _find(attempt)
        context.check()
        size = sink.keep()
    return {"file": name, "size": size, "content_type": "video/mp4", "name": asked["name"], **export.facts()}


def _find(attempt: JobAttempt) -> Recording:
    try:
        return find_recording(TenantScope(attempt.tenant_id), attempt.device_id)
    except NotFound:
        raise JobFailed("device_deleted", "the device was deleted, and its footage with it") from None


@dataclass(slots=True)
class _Source:
    """What the files of a range hold: the formats of each stretch, and whether frames are shown in another order."""

    formats: list[TrackFormat] = field(default_factory=list)
    sounds: list[tuple[TrackFormat, int]] = field(default_factory=list)
    is_reordered: bool = False

    @property
    def sound(self) -> TrackFormat | None:
        """The format of most of the sound."""
        best: TrackFormat | None = None
        most = -1
        for candidate, _ in self.sounds:
            total = sum(length for other, length in self.sounds if other.fits(candidate))
            if total > most:
                best, most = candidate, total
        return best

    @property
    def is_one_format(self) -> bool:
        return all(other.fits(self.formats[0]) for other in self.formats)

    @property
    def largest(self) -> tuple[int, int]:
        width, height = max((one.picture_size for one in self.formats), key=lambda size: size[0] * size[1])
        return width + width % 2, height + height % 2


def reason_to_encode(source: _Source, is_exact: bool) -> str:
    """Why the footage cannot be copied, as a note; empty when it can."""
    if not source.is_one_format:
        sizes = sorted({one.picture_size for one in source.formats}, reverse=True)
        width, height = source.largest
        what = ", ".join(f"{w}x{h}" for w, h in sizes) if len(sizes) > 1 else "other settings of its encoder"
        return f"the camera changed its picture ({what}): all of it was encoded anew, at {width}x{height}"
    if not is_exact:
        return ""
    video = source.formats[0]
    if source.is_reordered:
        return "the camera sends frames in another order than they are shown: all of it was encoded anew"
    avc = video.box(b"avcC")
    if video.codec != "avc1" or avc is None:
        return f"the video ({_spell_codec(video)}) was encoded anew as H.264, so that it begins at an exact frame"
    if not parse_avc(avc).is_plain or video.length_size != 4:
        return "all of it was encoded anew, so that it begins at an exact frame"
    return ""


class _Export:
    """One run of an export."""

    def __init__(
        self, context: JobContext, recording: Recording, stretches: list[Stretch], sink: ResultFile, index_bytes: int
    ) -> None:
        attempt = context.attempt
        self._attempt, self._context, self._recording = attempt, context, recording
        self._stretches, self._sink, self._index_bytes = stretches, sink, index_bytes
        self._start_ms, self._end_ms = attempt.parameters["start_ms"], attempt.parameters["end_ms"]
        self._is_exact = attempt.parameters["cut"] == EXACT
        self._reader = FootageReader(open_storage(context.config), self._check)
        self._total = sum(stretch.size for stretch in stretches) or 1
        self._film: Film | None = None
        self._first_ms: int | None = None
        self._last_ms = 0
        self._notes: list[str] = []
        self._joined: AvcConfiguration | None = None
        self._lost_sound = False
        self._checked_ms = 0
        self._seconds = 0.0

    def run(self) -> None:
        """Write the film. Raises JobFailed."""
        source = self._look()
        why = reason_to_encode(source, self._is_exact)
        try:
            if why:
                self._notes.append(why)
                self._encode(source)
            else:
                self._copy(source)
        except EncoderMissing as error:
            raise JobFailed("ffmpeg_missing", str(error)) from error
        except EncodingFailed as error:
            raise JobFailed("encoding_failed", f"the footage could not be encoded: {error}") from error
        if self._film is None or not self._film.frames:
            raise JobFailed("footage_damaged", "nothing in this range can be read")
        if self._joined is not None:
            self._film.writer.video.entry = replace_avc(self._film.writer.video.entry, self._joined)
        self._context.report(0.97, "finishing")
        self._seconds = self._film.writer.close()

    def facts(self) -> dict[str, Any]:
        """What the result tells of the film."""
        first = self._first_ms or self._start_ms
        return {
            "start_ms": first,
            "end_ms": self._last_ms,
            "duration_seconds": round(self._seconds, 3),
            "frames": self._film.frames if self._film else 0,
            "notes": self._notes + self._tell_damages() + self._tell_holes(first),
        }

    # ---- what there is -----------------------------------------------------------------------------------------

    def _look(self) -> _Source:
        """Look at the beginning of each stretch; those of which nothing can be read are left out."""
        source = _Source()
        readable = []
        for stretch in self._stretches:
            self._check()
            formats = self._reader.read_formats(stretch)
            video = next((one for one in formats if one.kind == VIDEO), None)
            if video is None:
                self._reader.damaged.append((stretch.start_ms, stretch.end_ms))
                continue
            readable.append(stretch)
            source.formats.append(video)
            sound = next((one for one in formats if one.kind == AUDIO), None)
            if sound is not None and any(part.has_audio for piece in stretch.pieces for part in piece.parts):
                source.sounds.append((sound, stretch.end_ms - stretch.start_ms))
            source.is_reordered |= self._has_reordered_frames(stretch)
        self._stretches = readable
        if not readable:
            raise JobFailed("footage_damaged", "nothing in this range can be read")
        return source

    def _has_reordered_frames(self, stretch: Stretch) -> bool:
        if not self._is_exact:
            return False
        reader = FootageReader(open_storage(self._context.config), self._check)
        first = next(reader.read(stretch), None)
        offsets = {offset for samples in first.video for offset in samples.offsets} if first else set()
        return len(offsets) > 1

    # ---- copying -----------------------------------------------------------------------------------------------

    def _copy(self, source: _Source) -> None:
        film = self._open_film(source.formats[0], source.sound)
        for number, stretch in enumerate(self._stretches):
            parts = self._reader.read(stretch)
            if self._is_exact and number == 0 and stretch.start_ms < self._start_ms - _ROUNDING_MS:
                parts = self._copy_head(film, parts, source.formats[0])
            film.begin()
            for part in parts:
                if part.is_break:
                    film.begin()
                self._add_part(film, part, None)
                self._report("copying")

    def _add_part(self, film: Film, part: FootagePart, from_ms: int | None) -> None:
        """Add what of a part lies inside the range; all of it when the cut is at key frames."""
        zero = part.video[0] if part.video else None
        for samples in part.video:
            first, last = 0, len(samples)
            if self._is_exact:
                first, last = self._inside(part, zero, samples, from_ms)
            cut = samples.cut(first, last)
            if len(cut):
                film.add_video(cut)
                self._note_times(_wall_ms(part, zero, cut, 0), _wall_ms(part, zero, cut, len(cut)))
        end = self._sound_end(part, zero) if self._is_exact and zero is not None else None
        for samples in part.audio:
            self._add_sound(film, samples, end)

    def _inside(self, part: FootagePart, zero: Samples, samples: Samples, from_ms: int | None) -> tuple[int, int]:
        """The first frame of a part inside the range, and the first after it."""
        walls = [_wall_ms(part, zero, samples, index) for index in range(len(samples))]
        limit = self._end_ms - _ROUNDING_MS
        first = 0 if from_ms is None else next((i for i, wall in enumerate(walls) if wall >= from_ms), len(walls))
        last = next((i for i, wall in enumerate(walls) if wall >= limit), len(walls))
        return first, max(first, last)

    def _sound_end(self, part: FootagePart, zero: Samples) -> float | None:
        """The media time in seconds at which the range ends, when it ends in this part."""
        return zero.times[0] / zero.track.timescale + (self._end_ms - part.start_ms) / 1000

    def _add_sound(self, film: Film, samples: Samples, end_seconds: float | None) -> None:
        track = film.writer.audio
        if track is None or not samples.track.fits(self._sound):
            self._lost_sound = True
            return
        if end_seconds is not None:
            limit = end_seconds * samples.track.timescale
            samples = samples.cut(0, sum(time < limit for time in samples.times))
        film.add_audio(samples)

    def _copy_head(self, film: Film, parts: Iterator[FootagePart], video: TrackFormat) -> Iterator[FootagePart]:
        """Encode the range's part of its first group of pictures anew; gives the parts that follow it."""
        head, size, following = [], 0, None
        for part in parts:
            if head and (part.is_key or part.is_break):
                following = part
                break
            head.append(part)
            size += len(part.data)
            if size > _HEAD_BYTES:
                break
        rest = _chain(following, parts)
        from_ms = self._start_ms - _ROUNDING_MS
        wanted: list[tuple[int, int]] = []  # wall clock and media time of each frame
        for part in head:
            for samples in part.video:
                first, last = self._inside(part, part.video[0], samples, from_ms)
                wanted += [(_wall_ms(part, part.video[0], samples, i), samples.times[i]) for i in range(first, last)]
        if not head or not wanted:
            return rest
        configuration = parse_avc(video.box(b"avcC"))
        encoded = self._encode_head(head, wanted[0][1] / video.timescale, video, configuration.free_id())
        taken = [frames for frames in encoded if len(frames)]
        if sum(len(frames) for frames in taken) < len(wanted) or size > _HEAD_BYTES:
            self._notes.append("the first pictures could not be encoded anew: it begins at the key frame before")
            return _chain(None, iter(head), rest)
        own = parse_avc(self._encoder_format.box(b"avcC"))
        self._joined = configuration.joined_with(own)
        self._write_head(film, head, taken, wanted, video)
        return rest

    def _encode_head(
        self, head: list[FootagePart], from_seconds: float, video: TrackFormat, parameter_id: int
    ) -> list[Samples]:
        settings = EncoderSettings(
            preset="fast", quality=18, parameter_id=parameter_id, from_seconds=from_seconds - 0.5 / video.timescale
        )
        encoder = Encoder(self._context.config.ffmpeg_bin, self._attempt.id, settings)
        init = self._reader.read_init(self._stretches[0].pieces[0])
        self._context.report(0.01, "encoding")
        with closing(encoder.run([init, *(part.data for part in head)], self._check)) as frames:
            found = list(frames)
        self._encoder_format = encoder.format
        return found

    def _write_head(
        self, film: Film, head: list[FootagePart], encoded: list[Samples], wanted: list[tuple[int, int]],
        video: TrackFormat,
    ) -> None:
        """Encoded frames take the times of the frames that they were made of: a camera's clock is not even."""
        film.begin()
        number = 0
        for whole in encoded:
            frames = whole.cut(0, len(wanted) - number)
            if not len(frames):
                break
            times = [wanted[number + index][1] for index in range(len(frames))]
            number += len(frames)
            following = wanted[number][1] if number < len(wanted) else _end_of(head)
            durations = [later - earlier for earlier, later in zip(times, [*times[1:], following], strict=True)]
            film.add_video(Samples(video, times, durations, frames.sizes, [0] * len(frames), frames.keys, frames.data))
        self._note_times(wanted[0][0], wanted[-1][0] + 1000 * durations[-1] // video.timescale)
        end = self._sound_end(head[0], head[0].video[0])
        for part in head:
            for samples in part.audio:
                self._add_sound(film, samples, end)

    # ---- encoding ----------------------------------------------------------------------------------------------

    def _encode(self, source: _Source) -> None:
        size = None if source.is_one_format else source.largest
        self._sound = source.sound
        for number, stretch in enumerate(self._stretches):
            parts = Lookahead(self._reader.read(stretch))
            from_ms = self._start_ms - _ROUNDING_MS if self._is_exact and number == 0 else None
            while parts.has_more:
                self._encode_run(stretch, parts, size, from_ms, source)
                from_ms = None

    def _encode_run(
        self, stretch: Stretch, parts: Lookahead, size: tuple[int, int] | None, from_ms: int | None, source: _Source
    ) -> None:
        """Encode parts until the next break."""
        feed = EncoderFeed(self._read_any_init(stretch), parts, self._end_ms - _ROUNDING_MS if self._is_exact else None)
        begin = None
        if from_ms is not None and parts.first.start_ms < from_ms:
            begin = feed.media_seconds(parts.first, from_ms)
        encoder = Encoder(
            self._context.config.ffmpeg_bin, self._attempt.id, EncoderSettings(size=size, from_seconds=begin)
        )
        is_first = True
        with closing(encoder.run(feed, self._check)) as encoded:
            for frames in encoded:
                if is_first:
                    self._join_film(encoder.format, source)
                    is_first = False
                self._add_encoded(frames, feed)
        if not is_first:
            self._drain_sound(feed)

    def _join_film(self, video: TrackFormat, source: _Source) -> None:
        if self._film is None:
            self._open_film(video, source.sound)
        elif not video.fits(self._video_format):
            raise EncodingFailed("its runs cannot be joined")
        self._film.begin()

    def _add_encoded(self, frames: Samples, feed: EncoderFeed) -> None:
        limit = feed.end_seconds
        last = len(frames) if limit is None else sum(time / TIMESCALE < limit for time in frames.times)
        inside = frames.cut(0, last)
        if len(inside):
            self._film.add_video(inside)
            self._note_times(feed.wall_ms(inside.times[0] / TIMESCALE), feed.wall_ms(inside.end / TIMESCALE))
        self._drain_sound(feed)
        self._report("encoding")

    def _drain_sound(self, feed: EncoderFeed) -> None:
        end_seconds = feed.end_seconds
        for samples in feed.take_audio():
            self._add_sound(self._film, samples, end_seconds)

    def _read_any_init(self, stretch: Stretch) -> bytes:
        for piece in stretch.pieces:
            try:
                return self._reader.read_init(piece)
            except (InvalidMedia, NotFound):
                continue
        raise JobFailed("footage_damaged", "nothing in this range can be read")

    # ---- what both need ----------------------------------------------------------------------------------------

    def _open_film(self, video: TrackFormat, sound: TrackFormat | None) -> Film:
        self._video_format, self._sound = video, sound
        created = datetime.fromtimestamp(max(self._stretches[0].start_ms, self._start_ms) / 1000, UTC)
        writer = Mp4Writer(self._sink, video, sound, index_bytes=self._index_bytes, created=created)
        self._film = Film(writer)
        return self._film

    def _note_times(self, start_ms: float, end_ms: float) -> None:
        if self._first_ms is None:
            self._first_ms = round(start_ms)
        self._last_ms = max(self._last_ms, round(end_ms))

    def _check(self) -> None:
        self._context.check()

    def _report(self, stage: str) -> None:
        self._context.report(0.96 * min(1.0, self._reader.bytes_read / self._total), stage)

    def _tell_damages(self) -> list[str]:
        notes = [f"damaged, left out: {_spell_range(*one)}" for one in self._reader.damaged]
        if self._lost_sound:
            notes.append("sound of another format than most of it was left out")
        return _shorten(notes, "damaged places")

    def _tell_holes(self, first_ms: int) -> list[str]:
        notes = []
        for start, end in holes_between(self._stretches, max(first_ms, self._start_ms), self._end_ms)[: _MOST_NOTES + 1]:
            gap = main_gap(self._recording.id, start, end)
            why = f" ({reason_for(gap.reason_code).message})" if gap else ""
            notes.append(f"no footage: {_spell_range(start, end)}{why}")
        return _shorten(notes, "gaps")


def _wall_ms(part: FootagePart, zero: Samples, samples: Samples, index: int) -> float:
    """The wall clock of a frame; of the one after the last: its end."""
    time = samples.times[index] if index < len(samples) else samples.end
    return part.start_ms + (time - zero.times[0]) * 1000 / samples.track.timescale


def _end_of(head: list[FootagePart]) -> int:
    return head[-1].video[-1].end


def _chain(first: FootagePart | None, *parts: Iterator[FootagePart]) -> Iterator[FootagePart]:
    if first is not None:
        yield first
    for one in parts:
        yield from one


def _spell_codec(video: TrackFormat) -> str:
    return {"hvc1": "H.265", "hev1": "H.265", "avc1": "H.264"}.get(video.codec, video.codec)


def _spell_range(start_ms: int, end_ms: int) -> str:
    start, end = (datetime.fromtimestamp(moment / 1000, UTC) for moment in (start_ms, end_ms))
    return f"{start:%Y-%m-%dT%H:%M:%S}Z to {end:%Y-%m-%dT%H:%M:%S}Z ({(end_ms - start_ms) / 1000:.1f} s)"


def _shorten(notes: list[str], what: str) -> list[str]:
    return notes if len(notes) <= _MOST_NOTES else [*notes[:_MOST_NOTES], f"and more {what}"]
