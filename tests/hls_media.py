"""Checks the media of a playlist against the playlist: tracks, times, key frames, lengths of files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.mp4.boxes import InvalidMedia, find_box
from gateway.mp4.fragments import AUDIO, VIDEO, Track, parse_tracks, summarize_samples
from gateway.mp4.silence import split_parts
from tests.hls_reading import ByteRange, HlsPart, HlsPlaylist, HlsSegment
from tests.hls_validator import Fetch

#: Tolerance between EXTINF and the times of the media: the index has milliseconds, and the duration of a last frame is
#: an estimate.
_TOLERANCE_SECONDS = 0.1


@dataclass
class _Media:
    """Summary of a range of media. Times in seconds of its own clock."""

    start: float
    end: float
    is_key: bool
    has_audio: bool


def check_media(playlist: HlsPlaylist, fetch: Fetch) -> list[str]:
    """Problems of the media that a playlist names; stops where media cannot be loaded or read."""
    problems: list[str] = []
    inits: dict[tuple[str, ByteRange | None], tuple[Track, ...]] = {}
    end: float | None = None
    before: tuple[Track, ...] | None = None
    try:
        for segment, map_, is_discontinuity in _with_maps(playlist):
            if map_ not in inits:
                inits[map_] = _read_init(fetch, map_)
            tracks = inits[map_]
            if before is not None and kinds(tracks) != kinds(before):
                problems.append(f"the tracks change from {kinds(before)} to {kinds(tracks)}: hls.js gives up there")
            place = f"segment {segment.number}" if isinstance(segment, HlsSegment) else f"the part {segment.uri}"
            if segment.is_gap:
                end = None
                continue
            media = _read_media(fetch, segment.uri, segment.byte_range, tracks, place)
            problems += _check_one(segment, media, tracks, place)
            is_new_clock = before is None or is_discontinuity
            if not is_new_clock and end is not None and abs(media.start - end) > _TOLERANCE_SECONDS:
                problems.append(f"{place}: its clock jumps by {media.start - end:+.3f} s without EXT-X-DISCONTINUITY")
            if playlist.has_independent_segments and isinstance(segment, HlsSegment) and not media.is_key:
                problems.append(
                    f"{place} does not begin with a key frame, against EXT-X-INDEPENDENT-SEGMENTS (4.4.2.1)"
                )
            if is_new_clock and not media.is_key:
                problems.append(f"{place} begins without a key frame after a discontinuity")
            if isinstance(segment, HlsSegment):
                for part in segment.parts:
                    part_media = _read_media(fetch, part.uri, part.byte_range, tracks, f"the part {part.uri}")
                    problems += _check_one(part, part_media, tracks, f"the part {part.uri}")
            end, before = media.end, tracks
    except (InvalidMedia, LookupError) as error:
        problems.append(str(error))
    return problems


def kinds(tracks: tuple[Track, ...]) -> str:
    """The kinds of the tracks, such as `soun+vide`."""
    return "+".join(sorted(track.kind for track in tracks))


def _with_maps(
    playlist: HlsPlaylist,
) -> Iterator[tuple[HlsSegment | HlsPart, tuple[str, ByteRange | None], bool]]:
    """Each segment, and each part of the incomplete one, with its map and whether a discontinuity precedes it."""
    for segment in playlist.segments:
        yield segment, segment.map or ("", None), segment.is_discontinuity
    for number, part in enumerate(playlist.parts):
        yield part, playlist.map or ("", None), playlist.is_discontinuity and number == 0


def _load(fetch: Fetch, uri: str, byte_range: ByteRange | None, place: str) -> bytes:
    data = fetch(uri, byte_range)
    if byte_range is not None and len(data) != byte_range[0]:
        raise LookupError(f"{place}: the range {byte_range[0]}@{byte_range[1]} of {uri} gives {len(data)} bytes")
    return data


def _read_init(fetch: Fetch, map_: tuple[str, ByteRange | None]) -> tuple[Track, ...]:
    data = _load(fetch, *map_, "EXT-X-MAP")
    found = find_box(data, 0, len(data), b"moov")
    if found is None or found[1] != len(data):
        raise InvalidMedia(f"{map_[0]} is no init segment alone")
    return parse_tracks(data[found[0] - 8 : found[1]])


def _read_media(fetch: Fetch, uri: str, byte_range: ByteRange | None, tracks: tuple[Track, ...], place: str) -> _Media:
    data = _load(fetch, uri, byte_range, place)
    timescale = next(track.timescale for track in tracks if track.kind == VIDEO)
    media: _Media | None = None
    try:
        for moof, _ in split_parts(data):
            samples = summarize_samples(moof, tracks)
            video, audio = samples[VIDEO], samples.get(AUDIO)
            start = (video.start or 0) / timescale
            has_audio = audio is not None and audio.frames > 0
            if media is None:
                media = _Media(start, start, video.is_key, True)
            media.end = start + video.duration / timescale
            media.has_audio &= has_audio
    except InvalidMedia as error:
        raise InvalidMedia(f"{place}: {error}") from error
    if media is None:
        raise InvalidMedia(f"{place}: {uri} is empty")
    return media


def _check_one(listed: HlsSegment | HlsPart, media: _Media, tracks: tuple[Track, ...], place: str) -> Iterator[str]:
    if abs(media.end - media.start - listed.duration) > _TOLERANCE_SECONDS:
        yield f"{place} lasts {media.end - media.start:.3f} s, not {listed.duration} s"
    if isinstance(listed, HlsPart) and listed.is_independent and not media.is_key:
        yield f"{place} is called independent, but begins without a key frame (4.4.4.9)"
    if any(track.kind == AUDIO for track in tracks) and not media.has_audio:
        yield f"{place} lacks the audio that its EXT-X-MAP declares: a browser stops there"
