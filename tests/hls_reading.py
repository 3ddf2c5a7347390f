"""Parses HLS media playlists (RFC 8216 and 8216bis) strictly: every syntax error is a problem with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

ByteRange = tuple[int, int]  # length, offset

_ONCE = {
    "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST",
    "EXT-X-PLAYLIST-TYPE", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START", "EXT-X-SERVER-CONTROL", "EXT-X-PART-INF",
}  # fmt: skip
_OF_SEGMENTS = {
    "EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP",
    "EXT-X-PART", "EXT-X-PRELOAD-HINT",
}  # fmt: skip
_EMPTY = {"EXTM3U", "EXT-X-ENDLIST", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-DISCONTINUITY", "EXT-X-GAP"}
_BEFORE_SEGMENTS = _ONCE - {"EXT-X-ENDLIST"}
_ATTRIBUTES = {
    "EXT-X-MAP": ({"URI"}, {"BYTERANGE"}),
    "EXT-X-START": ({"TIME-OFFSET"}, {"PRECISE"}),
    "EXT-X-SERVER-CONTROL": (set(), {"CAN-BLOCK-RELOAD", "PART-HOLD-BACK", "HOLD-BACK", "CAN-SKIP-UNTIL"}),
    "EXT-X-PART-INF": ({"PART-TARGET"}, set()),
    "EXT-X-PART": ({"URI", "DURATION"}, {"INDEPENDENT", "BYTERANGE", "GAP"}),
    "EXT-X-PRELOAD-HINT": ({"TYPE", "URI"}, {"BYTERANGE-START", "BYTERANGE-LENGTH"}),
}
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass
class HlsPart:
    """An EXT-X-PART. Duration in seconds."""

    uri: str
    duration: float
    byte_range: ByteRange | None
    is_independent: bool
    is_gap: bool


@dataclass
class HlsSegment:
    """A media segment; `number` is its media sequence number, `discontinuity` its discontinuity sequence number."""

    number: int
    uri: str
    duration: float
    byte_range: ByteRange | None
    map: tuple[str, ByteRange | None] | None
    is_discontinuity: bool
    discontinuity: int
    time: float | None
    is_gap: bool
    parts: list[HlsPart]


@dataclass
class HlsPlaylist:
    """A parsed playlist. `parts`, `map` and `is_discontinuity` are those of the incomplete segment."""

    version: int = 1
    target: int | None = None
    sequence: int = 0
    discontinuity_sequence: int = 0
    kind: str | None = None
    is_ended: bool = False
    has_independent_segments: bool = False
    part_target: float | None = None
    control: dict[str, str] = field(default_factory=dict)
    start: float | None = None
    segments: list[HlsSegment] = field(default_factory=list)
    parts: list[HlsPart] = field(default_factory=list)
    hints: list[dict[str, str]] = field(default_factory=list)
    map: tuple[str, ByteRange | None] | None = None
    is_discontinuity: bool = False

    @property
    def duration(self) -> float:
        return sum(segment.duration for segment in self.segments)

    @property
    def part_count(self) -> int:
        return sum(len(segment.parts) for segment in self.segments) + len(self.parts)


def read_playlist(text: str) -> tuple[HlsPlaylist, list[str]]:
    """Parse a playlist; return it and the problems of its syntax."""
    reader = _Reader()
    lines = text.split("\n")
    if text.startswith("\ufeff") or lines[0].rstrip("\r") != "#EXTM3U":
        reader.problems.append("line 1: a playlist begins with #EXTM3U, without a byte order mark (4.1)")
    if lines and lines[-1] != "":
        reader.problems.append(f"line {len(lines)}: the last line has no end")
    for number, line in enumerate(lines, 1):
        reader.read(number, line.rstrip("\r"))
    reader.end()
    return reader.playlist, reader.problems


class _Reader:
    def __init__(self) -> None:
        self.playlist = HlsPlaylist()
        self.problems: list[str] = []
        self._seen: set[str] = set()
        self._line = 0
        self._ends: tuple[str, int] | None = None
        self._forget()
        self._discontinuity = 0

    def _forget(self) -> None:
        self._duration: float | None = None
        self._range: tuple[int, int | None] | None = None
        self._is_discontinuity = False
        self._time: float | None = None
        self._is_gap = False
        self._parts: list[HlsPart] = []

    def complain(self, problem: str) -> None:
        self.problems.append(f"line {self._line}: {problem}")

    def read(self, number: int, line: str) -> None:
        self._line = number
        if line != line.strip():
            self.complain("white space around it")
        if not line or (line.startswith("#") and not line.startswith("#EXT")):
            return
        if self.playlist.is_ended and line != "#EXT-X-ENDLIST":
            self.complain("something follows EXT-X-ENDLIST")
        if not line.startswith("#"):
            self._segment(line)
            return
        name, colon, value = line[1:].partition(":")
        if bool(colon) == (name in _EMPTY):
            self.complain(f"{name} {'has no' if colon else 'needs a'} value")
        if name in _ONCE and name in self._seen:
            self.complain(f"{name} stands there twice")
        if name in _BEFORE_SEGMENTS and self._seen & _OF_SEGMENTS:
            self.complain(f"{name} stands after the first segment")
        self._seen.add(name)
        if name not in _ONCE | _OF_SEGMENTS | {"EXTM3U"}:
            self.complain(f"{name} is no tag of a media playlist that we send")
            return
        attributes = self._attributes(name, value) if name in _ATTRIBUTES else {}
        if name != "EXTM3U" and attributes is not None:
            getattr(self, "_take_" + name.removeprefix("EXT-X-").lower().replace("-", "_"))(attributes or value)

    def end(self) -> None:
        self.playlist.parts = self._parts
        self.playlist.is_discontinuity = self._is_discontinuity
        if self._duration is not None or self._range is not None:
            self.complain("EXTINF or EXT-X-BYTERANGE without a URI after it (4.4.4.1)")
        if self._is_discontinuity and not self._parts:
            self.complain("EXT-X-DISCONTINUITY without a segment after it")

    # ---- tags ----------------------------------------------------------------------------------------------------

    def _take_version(self, value: str) -> None:
        self.playlist.version = self._integer(value)

    def _take_targetduration(self, value: str) -> None:
        self.playlist.target = self._integer(value)

    def _take_media_sequence(self, value: str) -> None:
        self.playlist.sequence = self._integer(value)

    def _take_discontinuity_sequence(self, value: str) -> None:
        self.playlist.discontinuity_sequence = self._discontinuity = self._integer(value)

    def _take_playlist_type(self, value: str) -> None:
        if value not in ("VOD", "EVENT"):
            self.complain(f"EXT-X-PLAYLIST-TYPE is VOD or EVENT, not {value!r}")
        self.playlist.kind = value

    def _take_endlist(self, _: str) -> None:
        self.playlist.is_ended = True

    def _take_independent_segments(self, _: str) -> None:
        self.playlist.has_independent_segments = True

    def _take_server_control(self, attributes: dict[str, str]) -> None:
        self.playlist.control = attributes

    def _take_part_inf(self, attributes: dict[str, str]) -> None:
        self.playlist.part_target = self._decimal(attributes["PART-TARGET"])

    def _take_start(self, attributes: dict[str, str]) -> None:
        self.playlist.start = self._decimal(attributes["TIME-OFFSET"].removeprefix("-"))
        if self.playlist.start is not None and attributes["TIME-OFFSET"].startswith("-"):
            self.playlist.start *= -1

    def _take_map(self, attributes: dict[str, str]) -> None:
        byte_range = None
        if "BYTERANGE" in attributes:
            length, offset = self._byte_range(attributes["BYTERANGE"])
            if offset is None:
                self.complain("the BYTERANGE of EXT-X-MAP needs an offset (4.4.4.5)")
            byte_range = (length, offset or 0)
        self.playlist.map = (attributes["URI"], byte_range)

    def _take_discontinuity(self, _: str) -> None:
        if self._is_discontinuity:
            self.complain("EXT-X-DISCONTINUITY twice before one segment")
        if self._parts:
            self.complain("EXT-X-DISCONTINUITY in the middle of a segment's parts")
        self._is_discontinuity = True
        self._discontinuity += 1

    def _take_program_date_time(self, value: str) -> None:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or "T" not in value:
            self.complain(f"EXT-X-PROGRAM-DATE-TIME must be ISO 8601 with a zone, not {value!r} (4.4.4.6)")
            return
        self._time = moment.timestamp()

    def _take_gap(self, _: str) -> None:
        self._is_gap = True

    def _take_extinf(self, value: str) -> None:
        number, comma, _title = value.partition(",")
        if not comma:
            self.complain("EXTINF needs a comma after the duration (4.4.4.1)")
        if self._duration is not None:
            self.complain("EXTINF twice before one URI")
        self._duration = self._decimal(number)

    def _take_byterange(self, value: str) -> None:
        self._range = self._byte_range(value)

    def _take_part(self, attributes: dict[str, str]) -> None:
        byte_range = None
        if "BYTERANGE" in attributes:
            length, offset = self._byte_range(attributes["BYTERANGE"])
            byte_range = (length, offset or 0)
        for name in ("INDEPENDENT", "GAP"):
            if attributes.get(name, "YES") != "YES":
                self.complain(f"{name} of EXT-X-PART is YES or left out")
        if self.playlist.hints:
            self.complain("EXT-X-PART after the part that is only hinted at")
        self._parts.append(HlsPart(
            attributes["URI"], self._decimal(attributes["DURATION"]) or 0.0, byte_range,
            "INDEPENDENT" in attributes, "GAP" in attributes,
        ))  # fmt: skip

    def _take_preload_hint(self, attributes: dict[str, str]) -> None:
        if attributes["TYPE"] not in ("PART", "MAP"):
            self.complain("TYPE of EXT-X-PRELOAD-HINT is PART or MAP")
        if attributes["TYPE"] in [hint["TYPE"] for hint in self.playlist.hints]:
            self.complain(f"two hints at a {attributes['TYPE']} (4.4.5.3)")
        self.playlist.hints.append(attributes)

    def _segment(self, uri: str) -> None:
        playlist = self.playlist
        if self._duration is None:
            self.complain("a URI without EXTINF before it (4.4.4.1)")
        byte_range = None
        if self._range is not None:
            length, offset = self._range
            if offset is None:
                if self._ends is None or self._ends[0] != uri:
                    self.complain("EXT-X-BYTERANGE without an offset does not follow a range of the same URI (4.4.4.2)")
                offset = self._ends[1] if self._ends else 0
            byte_range = (length, offset)
        self._ends = (uri, sum(byte_range)) if byte_range else None
        playlist.segments.append(HlsSegment(
            playlist.sequence + len(playlist.segments), uri, self._duration or 0.0, byte_range, playlist.map,
            self._is_discontinuity, self._discontinuity, self._time, self._is_gap, self._parts,
        ))  # fmt: skip
        self._forget()

    # ---- values --------------------------------------------------------------------------------------------------

    def _attributes(self, name: str, value: str) -> dict[str, str] | None:
        found: dict[str, str] = {}
        at = 0
        while at < len(value):
            match = _ATTRIBUTE.match(value, at)
            if match is None:
                self.complain(f"{name} has no attribute list at {value[at : at + 20]!r} (4.2)")
                return None
            if match[1] in found:
                self.complain(f"{name} has the attribute {match[1]} twice (4.2)")
            is_text = match[1] in ("URI", "BYTERANGE")
            if is_text != match[2].startswith('"'):
                self.complain(f"{match[1]} of {name} must {'' if is_text else 'not '}be in quotation marks")
            found[match[1]] = match[2].strip('"')
            at = match.end()
        required, optional = _ATTRIBUTES[name]
        if missing := required - found.keys():
            self.complain(f"{name} needs {', '.join(sorted(missing))}")
            return None
        if strange := found.keys() - required - optional:
            self.complain(f"{name} has no attribute {', '.join(sorted(strange))}")
        return found

    def _integer(self, value: str) -> int:
        if not re.fullmatch("[0-9]{1,20}", value):
            self.complain(f"a whole number must stand in place of {value!r}")
            return 0
        return int(value)

    def _decimal(self, value: str) -> float | None:
        if not NUMBER.fullmatch(value):
            self.complain(f"a decimal number must stand in place of {value!r}")
            return None
        return float(value)

    def _byte_range(self, value: str) -> tuple[int, int | None]:
        length, at, offset = value.partition("@")
        if int_length := self._integer(length):
            return int_length, self._integer(offset) if at else None
        self.complain("a range of no bytes")
        return 0, 0
