"""Reads the SDP of a camera (RFC 4566) tolerantly: whatever it holds, tracks come out, unusable ones with a problem."""

import re
from dataclasses import dataclass, field, replace

from gateway.sources.camera_text import clean_camera_text
from workers.rtp.units import AUDIO, VIDEO, TrackDescription

#: Media of a description that are looked at; cameras have up to ten.
MAX_TRACKS = 32
_MAX_LINES = 20_000
_MAX_FORMATS = 64
_MAX_LINE = 16 * 1024

#: Static payload types (RFC 3551): encoding name, clock rate, channels.
STATIC_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("pcmu", 8000, 1),
    3: ("gsm", 8000, 1),
    4: ("g723", 8000, 1),
    5: ("dvi4", 8000, 1),
    6: ("dvi4", 16000, 1),
    7: ("lpc", 8000, 1),
    8: ("pcma", 8000, 1),
    9: ("g722", 8000, 1),
    10: ("l16", 44100, 2),
    11: ("l16", 44100, 1),
    12: ("qcelp", 8000, 1),
    14: ("mpa", 90000, 1),
    15: ("g728", 8000, 1),
    18: ("g729", 8000, 1),
    26: ("jpeg", 90000, 1),
    31: ("h261", 90000, 1),
    32: ("mpv", 90000, 1),
    33: ("mp2t", 90000, 1),
    34: ("h263", 90000, 1),
}

#: FFmpeg's names of the encodings that differ from them.
_CODECS = {
    "h265": "hevc",
    "jpeg": "mjpeg",
    "mp4v-es": "mpeg4",
    "mpv": "mpeg2video",
    "mp2t": "mpegts",
    "h263-1998": "h263",
    "h263-2000": "h263",
    "mpeg4-generic": "aac",
    "mp4a-latm": "aac",
    "pcmu": "pcm_mulaw",
    "pcma": "pcm_alaw",
    "l16": "pcm_s16be",
    "l24": "pcm_s24be",
    "l8": "pcm_u8",
    "g722": "adpcm_g722",
    "mpa": "mp2",
    "mpa-robust": "mp3",
    "g723": "g723_1",
}
_G726 = re.compile(r"(?:aal2-)?g726-(?:16|24|32|40)")

USABLE = {
    VIDEO: frozenset({"h264", "hevc", "mjpeg", "mpeg4"}),
    AUDIO: frozenset({"aac", "pcm_alaw", "pcm_mulaw", "adpcm_g726", "adpcm_g722", "pcm_s16be", "opus", "mp2", "mp3"}),
}
_DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
#: Attributes of a track that are kept beside those of `fmtp`.
_KEPT_ATTRIBUTES = frozenset({"framerate", "framesize", "x-dimensions", "x-framerate"})


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """The tracks in their order, and the session's control as it was written; `control` of the tracks likewise."""

    tracks: tuple[TrackDescription, ...]
    control: str | None = None
    quirks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Media:
    kind: str
    formats: list[int]
    control: str = ""
    direction: str | None = None
    rtpmaps: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    fmtps: dict[int, dict[str, str]] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


def parse_sdp(body: bytes) -> SessionDescription | None:
    """The description; None if the body is no SDP at all.

    The `parameters` of a track are those of its `fmtp` (names in lower case), with `encoding` for the name of its
    `rtpmap` in lower case, and `framerate`, `framesize` and `x-dimensions` where the track has such attributes.
    """
    session = _Media("session", [])
    media: list[_Media] = []
    left_out = 0
    is_sdp = False
    for line in re.split(r"[\r\n\0]+", body.decode("utf-8", "replace"), maxsplit=_MAX_LINES)[:_MAX_LINES]:
        text = line[:_MAX_LINE].strip()
        name, equals, value = text[:1], text[1:2], text[2:].strip()
        if equals != "=":
            continue
        is_sdp |= name in ("v", "m")
        if name == "m":
            if len(media) < MAX_TRACKS:
                media.append(_read_media(value))
            else:
                left_out += 1
        elif name == "a" and not left_out:
            _read_attribute(media[-1] if media else session, value)
    if not is_sdp:
        return None
    quirks = [f"describes {len(media) + left_out} tracks; only {MAX_TRACKS} are read"] if left_out else []
    tracks = tuple(_build_track(index, item, session) for index, item in enumerate(media))
    return SessionDescription(_mark_talk_back(tracks), session.control or None, tuple(quirks))


def _read_media(value: str) -> _Media:
    words = value.split(maxsplit=3)
    kind = clean_camera_text(words[0].lower(), 20) if words else ""
    formats = [int(word) for word in (words[3].split() if len(words) > 3 else []) if re.fullmatch(r"\d{1,3}", word)]
    return _Media(kind, [number for number in formats if number < 128][:_MAX_FORMATS])


def _read_attribute(media: _Media, value: str) -> None:
    name, _, rest = value.partition(":")
    name, rest = name.strip().lower(), rest.strip()
    if name == "control":
        media.control = media.control or rest
    elif name in _DIRECTIONS:
        media.direction = name
    elif name == "rtpmap":
        _read_rtpmap(media, rest)
    elif name == "fmtp":
        _read_fmtp(media, rest)
    elif name in _KEPT_ATTRIBUTES:
        media.attributes.setdefault(name, clean_camera_text(rest, 60))


def _read_rtpmap(media: _Media, text: str) -> None:
    found = re.match(r"(\d{1,3})\s+([^/\s]+)\s*(?:/\s*(\d{1,9})\s*(?:/\s*(\d{1,3}))?)?", text)
    if found and len(media.rtpmaps) < _MAX_FORMATS:
        name = clean_camera_text(found[2].lower(), 40)
        media.rtpmaps.setdefault(int(found[1]), (name, int(found[3] or 0), int(found[4] or 1) or 1))


def _read_fmtp(media: _Media, text: str) -> None:
    found = re.match(r"(\d{1,3})\s*;?\s*(.*)", text)
    if not found or len(media.fmtps) >= _MAX_FORMATS:
        return
    parameters = media.fmtps.setdefault(int(found[1]), {})
    for item in found[2].split(";")[:_MAX_FORMATS]:
        key, _, value = item.partition("=")
        if key.strip():
            parameters.setdefault(key.strip().lower(), value.strip().strip('"'))


def _build_track(index: int, media: _Media, session: _Media) -> TrackDescription:
    candidates = [_describe_format(number, media) for number in media.formats]
    usable = USABLE.get(media.kind, frozenset())
    chosen = next((item for item in candidates if item[1] in usable), candidates[0] if candidates else None)
    payload_type, codec, (encoding, rate, channels) = chosen or (0, "", ("", 0, 1))
    parameters = dict(media.fmtps.get(payload_type, {}))
    if not parameters and len(media.formats) == 1 and len(media.fmtps) == 1:
        # Some cameras give the parameters under a payload type that the track does not have.
        parameters = dict(next(iter(media.fmtps.values())))
    parameters |= {"encoding": encoding} | {
        name: value for name, value in media.attributes.items() if name not in parameters
    }
    track = TrackDescription(
        index=index,
        kind=media.kind,
        codec=codec,
        payload_type=payload_type,
        clock_rate=_clock_rate(media.kind, encoding, rate),
        channels=channels,
        parameters=parameters,
        control=media.control,
        direction=media.direction or session.direction or "sendrecv",
    )
    return replace(track, problem=_find_problem(track, usable))


def _describe_format(number: int, media: _Media) -> tuple[int, str, tuple[str, int, int]]:
    """Payload type, FFmpeg's name of the codec, and encoding name, clock rate and channels."""
    known = media.rtpmaps.get(number) or STATIC_TYPES.get(number) or _guess(media, number)
    encoding = known[0]
    return number, "adpcm_g726" if _G726.fullmatch(encoding) else _CODECS.get(encoding, encoding), known


def _guess(media: _Media, number: int) -> tuple[str, int, int]:
    """The format of a dynamic payload type without `rtpmap`, by its parameters."""
    if len(media.rtpmaps) == 1 and len(media.formats) == 1:
        return next(iter(media.rtpmaps.values()))
    parameters = media.fmtps.get(number, {})
    if media.kind == VIDEO and {"sprop-vps", "sprop-sps"} & parameters.keys():
        return "h265", 90000, 1
    if media.kind == VIDEO and {"sprop-parameter-sets", "packetization-mode", "profile-level-id"} & parameters.keys():
        return "h264", 90000, 1
    return "", 0, 1


def _clock_rate(kind: str, encoding: str, rate: int) -> int:
    if encoding == "g722":
        # RFC 3551: 8000 by mistake, although the sound has 16 kHz; so do cameras that write 16000.
        return 8000
    if 1000 <= rate <= 1_000_000:
        return rate
    return 90000 if kind == VIDEO or encoding.startswith("mpa") else 48000 if encoding == "opus" else 8000


def _find_problem(track: TrackDescription, usable: frozenset[str]) -> str | None:
    if track.kind not in USABLE:
        return f"it carries neither video nor sound but '{track.kind}'" if track.kind else "it has no kind"
    if track.direction == "inactive":
        return "the camera has switched it off"
    if not track.codec:
        return "its codec is not named"
    if track.codec not in usable:
        return f"the codec '{track.codec}' is not supported"
    return None


def _mark_talk_back(tracks: tuple[TrackDescription, ...]) -> tuple[TrackDescription, ...]:
    """Find the tracks by which the camera wants to receive sound.

    ONVIF writes directions as the client sees them: `sendonly` is the camera's loudspeaker. RFC 4566 has them as the
    camera sees them: a camera whose video is `sendonly` writes so, and `recvonly` is its loudspeaker.
    """
    directions = {track.direction for track in tracks if track.kind == VIDEO}
    loudspeaker = "recvonly" if "sendonly" in directions and "recvonly" not in directions else "sendonly"
    return tuple(
        replace(track, problem="it is the camera's loudspeaker (talk-back)")
        if track.kind == AUDIO and track.direction == loudspeaker
        else track
        for track in tracks
    )
