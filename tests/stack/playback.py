"""Plays a recording back as a player does: by its playlist, range by range, down to the numbers of its frames."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urljoin

import requests

from tests.cameras.counter import CounterCamera
from tests.cameras.footage import FootageError, read_frames, read_raw_counters

from .stack import Stack

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class ByteRange:
    """A byte range of a resource; `size` None is the whole resource."""

    url: str
    size: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class MediaSegment:
    """One media segment of a playlist. `time`: seconds since 1970 by EXT-X-PROGRAM-DATE-TIME, if it has one."""

    media: ByteRange
    init: ByteRange
    duration: float
    time: float | None
    is_discontinuous: bool
    is_gap: bool


@dataclass(frozen=True)
class Playlist:
    """A media playlist (RFC 8216). `is_ended`: it has EXT-X-ENDLIST."""

    text: str
    segments: tuple[MediaSegment, ...]
    is_ended: bool


@dataclass
class Played:
    """The played frames: the numbers of the frames of each contiguous range, in playing order.

    `clock_errors`: for each frame, the difference in seconds between its time in the playlist and its due time.
    """

    ranges: list[list[int]] = field(default_factory=list)
    clock_errors: list[float] = field(default_factory=list)

    @property
    def counters(self) -> list[int]:
        """The numbers of all frames."""
        return [counter for numbers in self.ranges for counter in numbers]


def format_time(seconds: float) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def playlist_url(stack: Stack, device_id: str, start: float, end: float | None = None) -> str:
    """The URL of a range's playlist; times in seconds since 1970."""
    until = f"&end={format_time(end)}" if end is not None else ""
    return f"{stack.url}/api/v1/recordings/devices/{device_id}/playlist?start={format_time(start)}{until}"


def fetch_playlist(stack: Stack, device_id: str, start: float, end: float | None = None) -> Playlist:
    """Fetch the playlist of a range. Raises requests.HTTPError."""
    url = playlist_url(stack, device_id, start, end)
    answer = requests.get(url, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
    return parse_playlist(answer.text, url)


def parse_playlist(text: str, url: str) -> Playlist:
    """Parse a media playlist. Raises ValueError if no player could follow it."""
    if not text.startswith("#EXTM3U"):
        raise ValueError(f"no playlist: {text[:80]!r}")
    segments: list[MediaSegment] = []
    init: ByteRange | None = None
    duration = time = size = offset = None
    is_discontinuous = is_gap = False
    ends: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXT-X-MAP":
            init = _parse_map(value, url)
        elif name == "#EXTINF":
            duration = float(value.split(",")[0])
        elif name == "#EXT-X-BYTERANGE":
            count, _, begin = value.partition("@")
            size, offset = int(count), int(begin) if begin else None
        elif name == "#EXT-X-PROGRAM-DATE-TIME":
            time = datetime.fromisoformat(value).timestamp()
        elif name == "#EXT-X-DISCONTINUITY":
            is_discontinuous = True
        elif name == "#EXT-X-GAP":
            is_gap = True
        elif line and not line.startswith("#"):
            if duration is None or init is None:
                raise ValueError(f"{line!r} has no EXTINF or no EXT-X-MAP before it")
            address = urljoin(url, line)
            begin = offset if offset is not None else ends.get(address, 0)
            ends[address] = begin + (size or 0)
            segments.append(
                MediaSegment(ByteRange(address, size, begin), init, duration, time, is_discontinuous, is_gap)
            )
            duration = time = size = offset = None
            is_discontinuous = is_gap = False
    return Playlist(text, tuple(segments), "#EXT-X-ENDLIST" in text)


def play(
    stack: Stack, device_id: str, start: float, end: float | None = None, *, camera: CounterCamera | None = None
) -> Played:
    """Play all frames of a range, as `play_segments`. Raises FootageError and requests.HTTPError."""
    return play_segments(fetch_playlist(stack, device_id, start, end).segments, camera=camera)


def play_segments(
    segments: Iterable[MediaSegment],
    *,
    fetch: Callable[[ByteRange], bytes] | None = None,
    camera: CounterCamera | None = None,
) -> Played:
    """Play all frames, decoding each contiguous range (one init segment, no discontinuity) separately.

    With the `camera` of the frames, also compare the playlist's times. Raises FootageError and errors of `fetch`.
    """
    played = Played()
    for start, footage in fetch_ranges(segments, fetch=fetch):
        _play_range(start, footage, played, camera)
    return played


def fetch_ranges(
    segments: Iterable[MediaSegment], *, fetch: Callable[[ByteRange], bytes] | None = None
) -> Iterator[tuple[float | None, bytes]]:
    """Start (seconds since 1970 by the playlist) and footage of each contiguous range. Raises errors of `fetch`."""
    contiguous: list[MediaSegment] = []
    for segment in [*segments, None]:
        if contiguous and (segment is None or segment.is_discontinuous or segment.init != contiguous[0].init):
            yield contiguous[0].time, _join(contiguous, fetch or _fetch)
            contiguous = []
        if segment is not None and not segment.is_gap:
            contiguous.append(segment)


def play_with_ffmpeg(stack: Stack, device_id: str, start: float, end: float | None = None) -> tuple[list[int], str]:
    """The numbers of all frames as the ffmpeg program plays the whole playlist, and all of its error messages.

    Raises FootageError.
    """
    command = [
        "ffmpeg",
        "-v",
        "warning",
        "-nostdin",
        "-f",
        "hls",
        "-i",
        playlist_url(stack, device_id, start, end),
    ]
    command += [
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-s",
        "384x216",
        "-",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ffmpeg:
        counters = list(read_raw_counters(ffmpeg.stdout, 384, 216))
        complaints = ffmpeg.stderr.read().decode("utf-8", "replace").strip()
    if ffmpeg.returncode:
        raise FootageError(f"ffmpeg could not play the playlist: {complaints}")
    return counters, complaints


def _join(contiguous: list[MediaSegment], fetch: Callable[[ByteRange], bytes]) -> bytes:
    media = _merge([segment.media for segment in contiguous])
    return fetch(contiguous[0].init) + b"".join(fetch(item) for item in media)


def _play_range(start: float | None, footage: bytes, played: Played, camera: CounterCamera | None) -> None:
    counters: list[int] = []
    began: float | None = None
    for counter, seconds in read_frames(footage):
        began = seconds if began is None else began
        counters.append(counter)
        if camera is not None and start is not None:
            played.clock_errors.append(start + seconds - began - camera.wall_clock(counter))
    played.ranges.append(counters)


def _merge(ranges: list[ByteRange]) -> list[ByteRange]:
    """Merge consecutive ranges of one resource, to send fewer requests."""
    merged: list[ByteRange] = []
    for item in ranges:
        last = merged[-1] if merged else None
        if last and last.size is not None and item.url == last.url and item.offset == last.offset + last.size:
            merged[-1] = ByteRange(last.url, last.size + item.size, last.offset)
        else:
            merged.append(item)
    return merged


def _fetch(item: ByteRange) -> bytes:
    headers = {}
    if item.size is not None:
        headers["Range"] = f"bytes={item.offset}-{item.offset + item.size - 1}"
    answer = requests.get(item.url, headers=headers, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()
    if item.size is not None and (answer.status_code != 206 or len(answer.content) != item.size):
        raise FootageError(f"{item.url}: got {len(answer.content)} of {item.size} bytes from offset {item.offset}")
    return answer.content


def _parse_map(value: str, url: str) -> ByteRange:
    uri = re.search(r'URI="([^"]*)"', value)
    if uri is None:
        raise ValueError(f"EXT-X-MAP without URI: {value!r}")
    if found := re.search(r'BYTERANGE="(\d+)@(\d+)"', value):
        return ByteRange(urljoin(url, uri[1]), int(found[1]), int(found[2]))
    return ByteRange(urljoin(url, uri[1]))
