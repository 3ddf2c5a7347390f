"""The parameter sets of a camera, from its SDP and in band, and the codec data that they make."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

from workers.rtp import h264_sets, h265_sets
from workers.rtp.bits import InvalidParameterSet
from workers.rtp.units import CodecData

__all__ = ["InvalidParameterSet", "ParameterSets", "build_codec_data", "is_same_format", "parse_sprop"]

H264, HEVC = "h264", "hevc"

#: Longer parameter sets are not believed.
MAX_SET_BYTES = 4096
_MAX_SPROP = 64 * 1024
#: SPS without an end in sight: an SDP that lists more sets than this is cut.
_MAX_SPROP_SETS = 64
_SPROP_NAMES = {
    H264: ("sprop-parameter-sets",),
    HEVC: ("sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets"),
}
#: Profiles that any decoder of the other reads.
_PROFILE_CLASSES = {"Constrained Baseline": "Baseline"}


def parse_sprop(text: str) -> list[bytes]:
    """NAL units of a `sprop-…` parameter: base64 with any padding, also with start codes; junk is skipped."""
    found = []
    for part in text[:_MAX_SPROP].split(",", _MAX_SPROP_SETS)[:_MAX_SPROP_SETS]:
        letters = part.strip().strip("\"'").rstrip("=")
        letters = letters.replace("-", "+").replace("_", "/")
        if len(letters) % 4 == 1:
            letters = letters[:-1]
        try:
            nal = base64.b64decode(letters + "=" * (-len(letters) % 4))
        except (binascii.Error, ValueError):
            continue
        found += [piece for piece in split_start_codes(nal) if piece]
    return found


def split_start_codes(nal: bytes) -> list[bytes]:
    """NAL units of bytes that may hold Annex B start codes, which a valid NAL unit never does."""
    if b"\0\0\1" not in nal:
        return [nal]
    pieces = nal.split(b"\0\0\1")
    # A zero byte before a start code belongs to it, and no NAL unit ends with one.
    return [piece for piece in (*(part.rstrip(b"\0") for part in pieces[:-1]), pieces[-1]) if piece]


def build_codec_data(codec: str, sets: Iterable[bytes]) -> CodecData | None:
    """Codec data of these NAL units; None if they do not suffice."""
    store = ParameterSets(codec)
    for nal in sets:
        store.add(nal)
    store.use(None)
    return store.codec_data


def is_same_format(a: CodecData, b: CodecData) -> bool:
    """Whether what decodes or writes `a` can go on with `b`: same codec, size, profile class and chroma."""
    return _describe_format(a) == _describe_format(b)


def _describe_format(data: CodecData) -> tuple[Any, ...]:
    profile = _PROFILE_CLASSES.get(data.profile or "", data.profile)
    # yuvj420p and yuv420p differ in a flag of the VUI.
    pixel_format = (data.pixel_format or "").replace("yuvj", "yuv")
    return data.codec, data.width, data.height, profile, pixel_format, data.sample_rate, data.channels


def _describe_picture(sps: Any) -> tuple[int, ...]:
    return sps.width, sps.height, sps.chroma, sps.luma_depth, sps.chroma_depth


class ParameterSets:
    """The sets of one track by their ids. `codec_data` holds those of the last picture asked for with `use`."""

    def __init__(self, codec: str) -> None:
        """`codec`: "h264" or "hevc"."""
        self.codec = codec
        self.codec_data: CodecData | None = None
        #: The active SPS as parsed (a SequenceSet of the codec).
        self.sps: Any = None
        #: PPS as parsed, by id: (id, sps id) of H.264, a PictureSet of H.265.
        self.pps: dict[int, Any] = {}
        #: A set of another size has replaced the active one: until the next key picture nothing can be decoded.
        self.is_superseded = False
        self.invalid = 0
        self._vps: dict[int, bytes] = {}
        self._sps: dict[int, tuple[bytes, Any]] = {}
        self._pps: dict[int, tuple[bytes, int]] = {}
        #: PPS that came before the present content of their SPS.
        self._stale: set[int] = set()
        self._stored: set[bytes] = set()
        self._active: tuple[Any, ...] = ()
        self._add_kind: dict[int, Callable[[bytes], None]] = (
            {h264_sets.NAL_SPS: self._add_sps, h264_sets.NAL_PPS: self._add_pps}
            if codec == H264
            else {
                h265_sets.NAL_VPS: self._add_vps,
                h265_sets.NAL_SPS: self._add_sps,
                h265_sets.NAL_PPS: self._add_pps,
            }
        )

    def add_from_sdp(self, parameters: Any) -> None:
        """Add the sets of an SDP's format parameters, in whatever order and parameter they are."""
        for name in _SPROP_NAMES[self.codec]:
            for nal in parse_sprop(str(parameters.get(name) or "")):
                self.add(nal)
        self.use(None)

    def add(self, nal: bytes) -> bool:
        """Add a NAL unit; False if it is no set that can be used."""
        if nal in self._stored and not self._stale:
            return True
        kind = (nal[0] & 0x1F if self.codec == H264 else nal[0] >> 1 & 0x3F) if nal else -1
        add = self._add_kind.get(kind)
        if add is None or not 3 < len(nal) <= MAX_SET_BYTES:
            return False
        try:
            add(nal)
        except InvalidParameterSet:
            self.invalid += 1
            return False
        return True

    def use(self, pps_id: int | None) -> None:
        """Make `codec_data` those of a key picture with this PPS; if it is unknown, of the first complete sets."""
        found = self._pps.get(pps_id) if pps_id is not None else None
        sps_id = found[1] if found else self._first_complete()
        if sps_id is None or sps_id not in self._sps:
            return
        self.is_superseded = False
        sps, parsed = self._sps[sps_id]
        pictures = tuple(self._pps[number][0] for number in sorted(self._pps) if self._pps[number][1] == sps_id)
        vps = self._vps.get(parsed.vps_id) if self.codec == HEVC else b""
        active = (vps, sps, pictures)
        if not pictures or vps is None or active == self._active:
            return
        self._active = active
        self.sps = parsed
        if self.codec == H264:
            sets, extra_data = (sps, *pictures), h264_sets.build_avcc(sps, parsed, pictures)
        else:
            sets = (vps, sps, *pictures)
            arrays = ((h265_sets.NAL_VPS, (vps,)), (h265_sets.NAL_SPS, (sps,)), (h265_sets.NAL_PPS, pictures))
            extra_data = h265_sets.build_hvcc(parsed, arrays)
        self.codec_data = CodecData(
            self.codec,
            extra_data,
            sets,
            parsed.width,
            parsed.height,
            parsed.profile,
            parsed.pixel_format,
            parsed.fps,
            parsed.has_b_frames,
        )

    def _first_complete(self) -> int | None:
        present = {sps_id for _, sps_id in self._pps.values()}
        return next((number for number in self._sps if number in present), None)

    def _add_vps(self, nal: bytes) -> None:
        number = h265_sets.parse_vps(nal)
        self._replace(self._vps.get(number), nal)
        self._vps[number] = nal

    def _add_sps(self, nal: bytes) -> None:
        parsed = h264_sets.parse_sps(nal) if self.codec == H264 else h265_sets.parse_sps(nal)
        before = self._sps.get(parsed.id, (None,))[0]
        if before == nal:
            return
        self._replace(before, nal)
        self._sps[parsed.id] = nal, parsed
        if before is not None:
            if self._active and self._active[1] == before:
                self.is_superseded = _describe_picture(parsed) != _describe_picture(self.sps)
            self._stale.update(number for number, (_, sps_id) in self._pps.items() if sps_id == parsed.id)

    def _add_pps(self, nal: bytes) -> None:
        parsed = h264_sets.parse_pps(nal) if self.codec == H264 else h265_sets.parse_pps(nal)
        number, sps_id = parsed if self.codec == H264 else (parsed.id, parsed.sps_id)
        self._stale.discard(number)
        # The first PPS for a new SPS tells that those before it belonged to the old one.
        for old in [old for old in self._stale if self._pps[old][1] == sps_id]:
            self._stale.discard(old)
            self.pps.pop(old)
            self._stored.discard(self._pps.pop(old)[0])
        self._replace(self._pps.get(number, (None,))[0], nal)
        self._pps[number] = nal, sps_id
        self.pps[number] = parsed

    def _replace(self, old: bytes | None, new: bytes) -> None:
        if old is not None:
            self._stored.discard(old)
        self._stored.add(new)
