"""Encoded video as RTP packets: made by FFmpeg, or cut here the way a camera does it; and decoded again."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import subprocess
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import av

from gateway.outputs import PacketTaker
from workers.rtp.receiver import TrackReceiver
from workers.rtp.units import VIDEO, MediaUnit, TrackDescription

SOURCE = "testsrc2=size=192x160:rate=25,noise=alls=6:allf=t"
FORMATS = {"h264": "h264", "hevc": "hevc", "mjpeg": "mjpeg", "mpeg4": "m4v"}


class FakeClock:
    """Places every unit by its stamp alone, and counts the calls."""

    def __init__(self, clock_rate: int = 90_000) -> None:
        self.clock_rate = clock_rate
        self.calls: list[tuple[int, float]] = []

    def place(self, timestamp: int, arrived: float) -> float:
        self.calls.append((timestamp, arrived))
        return timestamp / self.clock_rate


class FakeTaker(PacketTaker):
    """Keeps what it is given."""

    is_wanted = True

    def __init__(self) -> None:
        self.begun: list[tuple[str, str, tuple[bytes, ...]]] = []
        self.taken: list[tuple[str, bytes, float, bool]] = []
        self.losses: list[int] = []

    def begin(self, kind: str, codec: str, parameter_sets: tuple[bytes, ...]) -> None:
        self.begun.append((kind, codec, parameter_sets))

    def take(self, kind: str, payload: bytes, time: float, *, ends_unit: bool) -> None:
        self.taken.append((kind, payload, time, ends_unit))

    def lost(self, kind: str, packets: int) -> None:
        self.losses.append(packets)


@dataclass
class Rig:
    """A receiver with its clock, and the units that it gave."""

    track: TrackDescription
    clock: FakeClock = field(default_factory=FakeClock)
    units: list[MediaUnit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver = TrackReceiver(self.track, self.clock, self.units.append)

    def feed(self, packets: Iterable[bytes], *, flush: bool = True) -> list[MediaUnit]:
        for number, packet in enumerate(packets):
            self.receiver.receive(packet, 100 + number * 0.001)
        if flush:
            self.receiver.flush()
        return self.units


def video_track(codec: str, parameters: dict[str, str] | None = None, payload_type: int = 96) -> TrackDescription:
    return TrackDescription(0, VIDEO, codec, payload_type, 90_000, parameters=parameters or {})


def encode(codec: str, *options: str, frames: int = 30, source: str = SOURCE) -> bytes:
    """An elementary stream."""
    return _run_ffmpeg(codec, options, frames, source, ["-f", FORMATS[codec], "pipe:1"])


def capture(codec: str, *options: str, frames: int = 30, source: str = SOURCE) -> list[bytes]:
    """The RTP packets that FFmpeg's muxer makes."""
    packets: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp:
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        rtp.bind(("127.0.0.1", 0))
        rtp.settimeout(0.2)
        ended = threading.Event()

        def read() -> None:
            while True:
                try:
                    packets.append(rtp.recv(65536))
                except TimeoutError:
                    if ended.is_set():
                        return

        reader = threading.Thread(target=read)
        reader.start()
        try:
            port = rtp.getsockname()[1]
            # RTCP would go to the next port: to this one instead, where its packet types tell it apart.
            _run_ffmpeg(codec, options, frames, source, ["-f", "rtp", f"rtp://127.0.0.1:{port}?rtcpport={port}"])
        finally:
            ended.set()
            reader.join(10)
    return [packet for packet in packets if not 200 <= packet[1] <= 207]


def _run_ffmpeg(codec: str, options: Sequence[str], frames: int, source: str, output: list[str]) -> bytes:
    encoder = {"h264": "libx264", "hevc": "libx265"}.get(codec, codec)
    quiet = ["-x265-params", "log-level=none"] if codec == "hevc" and "-x265-params" not in options else []
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-frames:v", str(frames)]
    command += ["-threads", "1", "-c:v", encoder, *quiet, *options, *output]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def split_nals(stream: bytes) -> list[bytes]:
    """NAL units of Annex B."""
    pieces = stream.split(b"\0\0\1")
    return [piece.rstrip(b"\0") for piece in pieces if piece.rstrip(b"\0")]


def split_pictures(codec: str, stream: bytes) -> list[list[bytes]]:
    """NAL units of each access unit, which begins with a delimiter; the delimiters are left out."""
    pictures: list[list[bytes]] = []
    for nal in split_nals(stream):
        kind = nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F
        if kind == (9 if codec == "h264" else 35):
            pictures.append([])
        else:
            pictures[-1].append(nal)
    return pictures


def fragment(codec: str, nal: bytes, size: int = 500) -> list[bytes]:
    """The payloads of a NAL unit: itself, or fragments."""
    if len(nal) <= size:
        return [nal]
    header = 1 if codec == "h264" else 2
    kind = nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F
    indicator = bytes((nal[0] & 0xE0 | 28,)) if codec == "h264" else bytes((nal[0] & 0x81 | 49 << 1, nal[1]))
    pieces = [nal[at : at + size] for at in range(header, len(nal), size)]
    return [
        indicator + bytes(((not number) << 7 | (number == len(pieces) - 1) << 6 | kind,)) + piece
        for number, piece in enumerate(pieces)
    ]


@dataclass
class Sender:
    """Makes RTP packets."""

    payload_type: int = 96
    sequence: int = 65_530
    ssrc: int = 0x11223344

    def packet(self, payload: bytes, timestamp: int, marker: bool = False) -> bytes:
        head = struct.pack(
            "!BBHII",
            0x80,
            marker << 7 | self.payload_type,
            self.sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            self.ssrc,
        )
        self.sequence += 1
        return head + payload

    def pictures(
        self, codec: str, pictures: Iterable[list[bytes]], marks: str = "end", start: int = 0xFFFFFFFF - 9000
    ) -> list[bytes]:
        """Packets of pictures 3600 ticks apart. `marks`: "end", "never", "packets", "units" (each NAL unit's last)."""
        packets = []
        for number, nals in enumerate(pictures):
            payloads = [(payload, place) for place, nal in enumerate(nals) for payload in fragment(codec, nal)]
            for at, (payload, place) in enumerate(payloads):
                is_last = at == len(payloads) - 1
                ends_nal = is_last or payloads[at + 1][1] != place
                marker = {"end": is_last, "never": False, "packets": True, "units": ends_nal}[marks]
                packets.append(self.packet(payload, start + number * 3600, marker))
        return packets


def hashes_of_stream(codec: str, stream: bytes) -> list[str]:
    """A digest of each picture of an elementary stream."""
    context = av.CodecContext.create(codec, "r")
    frames = [frame for packet in context.parse(stream) for frame in context.decode(packet)]
    for packet in context.parse(b""):
        frames += context.decode(packet)
    return [_digest(frame) for frame in [*frames, *context.decode(None)]]


def hashes_of_units(units: Sequence[MediaUnit]) -> list[str]:
    """A digest of each picture of units as Matroska stores them."""
    data = units[0].codec_data
    context = av.CodecContext.create(data.codec, "r")
    if data.extra_data:
        context.extradata = data.extra_data
    context.thread_type = "NONE"
    context.options = {"err_detect": "explode"}
    frames = []
    for unit in units:
        packet = av.Packet(unit.data)
        packet.is_keyframe = unit.is_key
        frames += context.decode(packet)
    with contextlib.suppress(EOFError):
        frames += context.decode(None)
    return [_digest(frame) for frame in frames]


def nals_of(data: bytes) -> list[bytes]:
    """NAL units of a unit's data."""
    nals = []
    while data:
        size = int.from_bytes(data[:4], "big")
        nals.append(data[4 : 4 + size])
        data = data[4 + size :]
    return nals


def sprop_of(codec: str, nals: Iterable[bytes]) -> dict[str, str]:
    """The SDP's parameters for these parameter sets."""
    if codec == "h264":
        sets = [base64.b64encode(nal).decode() for nal in nals if nal[0] & 0x1F in (7, 8)]
        return {"sprop-parameter-sets": ",".join(sets)}
    names = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
    return {names[nal[0] >> 1]: base64.b64encode(nal).decode() for nal in nals if nal[0] >> 1 in names}


def _digest(frame: av.VideoFrame) -> str:
    return hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()[:16]
