"""Changes the audio tracks of an init segment: removes them, or adds a track for silence. Pure.

A browser waits forever for audio that an init segment declares and no part contains, and hls.js fails where tracks
appear or disappear between two init segments. Therefore all init segments of a playlist have the same kinds of tracks.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gateway.mp4.boxes import U32, InvalidMedia, box, find_box, full_box, walk_boxes
from gateway.mp4.descriptors import parse_descriptors
from gateway.mp4.fragments import AUDIO, VIDEO, Track, parse_tracks

#: Samples in an AAC frame, and a frame of silence in AAC-LC for one and for two channels.
AAC_FRAME_SAMPLES = 1024
_SILENT_FRAMES = {1: bytes.fromhex("01182007"), 2: bytes.fromhex("211004608c1c")}
_AAC_LC = 2
_SILENCE_SAMPLE_RATE = 48_000
#: ISO/IEC 14496-3, 1.6.2.1: AAC-LC, 48 kHz, one channel.
_SILENCE_CONFIG = bytes.fromhex("1188")
_UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """The audio track of an init segment, and a frame of silence for it; None where its format has no known one."""

    track: Track
    silent_frame: bytes | None


def find_sound(init: bytes) -> SoundTrack | None:
    """The first audio track of an init segment; None without one. Raises InvalidMedia."""
    start, end = _moov_of(init)
    moov = init[start:end]
    track = next((track for track in parse_tracks(moov) if track.kind == AUDIO), None)
    if track is None:
        return None
    return SoundTrack(track, _silent_frame_of(moov))


def drop_sound(init: bytes) -> bytes:
    """The init segment without its audio tracks; unchanged when it has none. Raises InvalidMedia."""
    start, end = _moov_of(init)
    moov = init[start:end]
    dropped = {track.track_id for track in parse_tracks(moov) if track.kind == AUDIO}
    if not dropped:
        return init
    kept = []
    for name, content, last in walk_boxes(moov, 8, len(moov)):
        if name == b"trak" and _track_id(moov, content, last) in dropped:
            continue
        kept_box = moov[content - 8 : last]
        if name == b"mvex":
            kept_box = box(
                b"mvex",
                *(
                    moov[inner - 8 : until]
                    for found, inner, until in walk_boxes(moov, content, last)
                    if found != b"trex" or U32.unpack_from(moov, inner + 4)[0] not in dropped
                ),
            )
        kept.append(kept_box)
    return init[:start] + box(b"moov", *kept) + init[end:]


def add_silent_sound(init: bytes) -> bytes:
    """The init segment with an audio track (AAC-LC, 48 kHz, mono); unchanged when it has one. Raises InvalidMedia."""
    start, end = _moov_of(init)
    moov = init[start:end]
    tracks = parse_tracks(moov)
    if any(track.kind == AUDIO for track in tracks):
        return init
    if not any(track.kind == VIDEO for track in tracks):
        raise InvalidMedia("an init segment without a video track")
    track_id = max(track.track_id for track in tracks) + 1
    boxes, trak = [], _silent_trak(track_id)
    has_extends = False
    for name, content, last in walk_boxes(moov, 8, len(moov)):
        changed = moov[content - 8 : last]
        if name == b"mvhd":
            changed = changed[:-4] + U32.pack(track_id + 1)
        elif name == b"mvex":
            has_extends = True
            boxes.append(trak)
            trex = full_box(b"trex", 0, 0, struct.pack(">5I", track_id, 1, 0, 0, 0))
            changed = box(b"mvex", moov[content:last], trex)
        boxes.append(changed)
    if not has_extends:
        raise InvalidMedia("an init segment without an 'mvex' box")
    return init[:start] + box(b"moov", *boxes) + init[end:]


def _moov_of(init: bytes) -> tuple[int, int]:
    """Start and end of the whole `moov` box."""
    try:
        found = find_box(init, 0, len(init), b"moov")
    except struct.error as error:
        raise InvalidMedia(f"an init segment that ends too early: {error}") from error
    if found is None:
        raise InvalidMedia("an init segment without a 'moov' box")
    return found[0] - 8, found[1]


def _track_id(moov: bytes, start: int, end: int) -> int:
    header = find_box(moov, start, end, b"tkhd")
    if header is None:
        raise InvalidMedia("a track without its boxes")
    return U32.unpack_from(moov, header[0] + (20 if moov[header[0]] else 12))[0]


def _silent_frame_of(moov: bytes) -> bytes | None:
    """A frame of silence in the format of the first audio track, according to its AudioSpecificConfig."""
    for name, start, end in walk_boxes(moov, 8, len(moov)):
        if name != b"trak":
            continue
        handler = find_box(moov, start, end, b"mdia", b"hdlr")
        descriptions = find_box(moov, start, end, b"mdia", b"minf", b"stbl", b"stsd")
        if handler is None or descriptions is None or moov[handler[0] + 8 : handler[0] + 12] != AUDIO.encode():
            continue
        entry = descriptions[0] + 8
        if moov[entry + 4 : entry + 8] != b"mp4a":
            return None
        # AudioSampleEntry: 8 bytes of box header and 28 of fields, then the box with the decoder's configuration.
        config = find_box(moov, entry + 36, entry + U32.unpack_from(moov, entry)[0], b"esds")
        return _silent_frame(parse_descriptors(moov[config[0] + 4 : config[1]]).configuration) if config else None
    return None


def _silent_frame(config: bytes) -> bytes | None:
    """A frame of silence for an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).

    None for any format but AAC-LC with 1024 samples per frame.
    """
    bits = int.from_bytes(config[:5].ljust(5, b"\0"), "big")
    kind, rate = bits >> 35, bits >> 31 & 0xF
    rest = 7 if rate == 15 else 31  # an index of 15 is followed by 24 bits with the rate itself
    channels, is_short = bits >> (rest - 4) & 0xF, bits >> (rest - 5) & 1
    if not config or kind != _AAC_LC or (rate == 15 and len(config) < 5) or is_short:
        return None
    return _SILENT_FRAMES.get(channels)


def _silent_trak(track_id: int) -> bytes:
    # In the alternate group 1, at full volume.
    header = struct.pack(">5I", 0, 0, track_id, 0, 0) + struct.pack(">2I4H", 0, 0, 0, 1, 0x100, 0)
    return box(
        b"trak",
        # Flags: enabled and in the movie.
        full_box(b"tkhd", 0, 3, header, _UNITY_MATRIX, struct.pack(">2I", 0, 0)),
        box(
            b"mdia",
            # Language `und`, as three times five bits.
            full_box(b"mdhd", 0, 0, struct.pack(">4I2H", 0, 0, _SILENCE_SAMPLE_RATE, 0, 0x55C4, 0)),
            full_box(b"hdlr", 0, 0, struct.pack(">I4s3I", 0, AUDIO.encode(), 0, 0, 0), b"silence\0"),
            box(
                b"minf",
                full_box(b"smhd", 0, 0, U32.pack(0)),
                box(b"dinf", full_box(b"dref", 0, 0, U32.pack(1), full_box(b"url ", 0, 1))),
                box(
                    b"stbl",
                    full_box(b"stsd", 0, 0, U32.pack(1), _silent_entry()),
                    full_box(b"stts", 0, 0, U32.pack(0)),
                    full_box(b"stsc", 0, 0, U32.pack(0)),
                    full_box(b"stsz", 0, 0, struct.pack(">2I", 0, 0)),
                    full_box(b"stco", 0, 0, U32.pack(0)),
                ),
            ),
        ),
    )


def _silent_entry() -> bytes:
    config = bytes([5, len(_SILENCE_CONFIG)]) + _SILENCE_CONFIG
    # Object type 0x40 is MPEG-4 audio, stream type 5 is audio; the bit rates are unknown.
    decoder = struct.pack(">2B3s2I", 0x40, 5 << 2 | 1, b"\0\0\0", 0, 0) + config
    stream = struct.pack(">HB", 0, 0) + bytes([4, len(decoder)]) + decoder + b"\x06\x01\x02"
    esds = full_box(b"esds", 0, 0, bytes([3, len(stream)]), stream)
    fields = struct.pack(">6xH8x2H4xI", 1, 1, 16, _SILENCE_SAMPLE_RATE << 16)
    return box(b"mp4a", fields, esds)
