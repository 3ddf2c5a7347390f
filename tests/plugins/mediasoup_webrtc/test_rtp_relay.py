"""The relay: FFmpeg processes come and go, and the SFU sees one stream whose sequence and time go on."""

import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from gateway.media import SourceInfo, VideoInfo
from plugins.mediasoup_webrtc.rtp import build_audio_arguments, build_video_arguments
from plugins.mediasoup_webrtc.rtp_relay import RtpRelay
from plugins.mediasoup_webrtc.rtp_track import RtpTrack
from tests.plugins.mediasoup_webrtc.rtp_packets import Packet, Receiver, nal_units


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def make_relay(media_loop, receiver, clock) -> Iterator[Callable[..., RtpRelay]]:
    """Make a relay to `receiver`."""
    relays, track = [], RtpTrack(receiver.ports(), 500)

    def make(*, rate: int = 90_000, **options: bool) -> RtpRelay:
        async def make() -> RtpRelay:
            return RtpRelay(media_loop.loop, lambda: track, rate, 5.0, clock=clock, **options)

        relays.append(media_loop.run(make(), timeout_seconds=5))
        return relays[-1]

    async def close() -> None:
        for relay in relays * 2:
            relay.close()

    yield make
    media_loop.run(close(), timeout_seconds=5)
    track.close()


@pytest.fixture
def relay(make_relay) -> RtpRelay:
    return make_relay()


class Ffmpeg:
    """A process that sends RTP, with a number and a time of its own choice."""

    def __init__(self, relay: RtpRelay, sequence: int = 65_534, timestamp: int = 0xFFFFFF00) -> None:
        words = relay.destination
        self.ssrc = int(words[words.index("-ssrc") + 1])
        self.kind = int(words[words.index("-payload_type") + 1])
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", urlsplit(words[-1]).port))
        self.sequence, self.timestamp = sequence, timestamp

    def send(self, payload: bytes = b"\x41abc", *, ticks: int = 3600, missing: int = 0, **changes: int) -> None:
        fields = {"first": 0x80, "kind": self.kind | 0x80, "ssrc": self.ssrc} | changes
        header = struct.pack(">BBHII", fields["first"], fields["kind"], self.sequence, self.timestamp, fields["ssrc"])
        self.socket.send(header + payload)
        self.sequence = (self.sequence + 1 + missing) & 0xFFFF
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF


def test_packets_get_our_numbers_and_times(relay, receiver, clock):
    ffmpeg, packets = Ffmpeg(relay), []
    for number in range(4):
        ffmpeg.send(bytes([0x41, number]))
        packets += receiver.read(1)
        clock.now += 0.04
    assert [packet.sequence for packet in packets] == [500, 501, 502, 503]
    assert {(packet.ssrc, packet.payload_type, packet.is_marked) for packet in packets} == {(77, 101, True)}
    assert [packet.payload for packet in packets] == [bytes([0x41, number]) for number in range(4)]
    assert packets[0].timestamp == 105 * 90_000
    assert [b.timestamp - a.timestamp for a, b in pairwise(packets)] == [3600] * 3


def test_the_next_process_goes_on_now(relay, receiver, clock):
    Ffmpeg(relay).send()
    [first] = receiver.read(1)
    clock.now += 7
    Ffmpeg(relay, sequence=3, timestamp=12).send()
    [second] = receiver.read(1)
    assert (second.sequence, second.timestamp - first.timestamp) == (501, 7 * 90_000)


def test_pictures_of_the_past_are_over_as_fast_as_they_come(relay, receiver, clock):
    """An encoder begins at the last key frame: four seconds of video, at once."""
    ffmpeg = Ffmpeg(relay)
    for _ in range(50):
        ffmpeg.send(ticks=0)
        ffmpeg.send(ticks=7200)
    packets = receiver.read(100)
    assert all(later.timestamp >= earlier.timestamp for earlier, later in pairwise(packets))
    assert [one.timestamp for one in packets[::2]] == [one.timestamp for one in packets[1::2]], "two packets a picture"
    assert len({packet.timestamp for packet in packets}) == 50
    assert packets[-1].timestamp - packets[0].timestamp <= 0.05 * 90_000
    clock.now += 0.1
    ffmpeg.send()
    [next_packet] = receiver.read(1)
    assert next_packet.timestamp - packets[-1].timestamp == 7200, "from then on times are the encoder's"
    assert [packet.sequence for packet in [*packets, next_packet]] == list(range(500, 601))
    Ffmpeg(relay).send()
    [other] = receiver.read(1)
    assert other.timestamp > next_packet.timestamp, "another process does not go back"


def test_sound_of_the_past_is_left_out(make_relay, receiver, clock):
    """Players would play it in full, and stay late by as much for long."""
    ffmpeg = Ffmpeg(make_relay(rate=48_000, is_sound=True))
    for _ in range(200):
        ffmpeg.send(ticks=960)
    packets = []
    while not packets or packets[-1].timestamp - packets[0].timestamp < 12_000 - 960:
        packets += receiver.read(1)
    clock.now += 0.02
    ffmpeg.send(ticks=960)
    packets += receiver.read(1)
    assert {later.timestamp - earlier.timestamp for earlier, later in pairwise(packets)} == {960}
    assert [packet.sequence for packet in packets] == list(range(500, 500 + len(packets)))
    assert 12 <= len(packets) <= 16


def test_packets_that_are_missing_leave_a_gap_and_old_ones_are_dropped(relay, receiver):
    ffmpeg = Ffmpeg(relay)
    ffmpeg.send(missing=2)
    ffmpeg.send(missing=-3)
    ffmpeg.send(missing=2)
    ffmpeg.send()
    assert [packet.sequence for packet in receiver.read(3)] == [500, 503, 504]


def test_a_clock_that_leaps_is_another_run(relay, receiver, clock):
    ffmpeg = Ffmpeg(relay, timestamp=0)
    ffmpeg.send(ticks=0x7FFFFFFF)
    [first] = receiver.read(1)
    clock.now += 1
    ffmpeg.send()
    [second] = receiver.read(1)
    assert second.timestamp - first.timestamp == 90_000


def test_packets_of_others_reports_and_fragments_of_packets_are_not_passed(relay, receiver):
    ffmpeg = Ffmpeg(relay)
    ffmpeg.send(ssrc=ffmpeg.ssrc ^ 1)
    ffmpeg.send(kind=200)
    ffmpeg.send(kind=97)
    ffmpeg.send(first=0x00)
    ffmpeg.send(b"")
    ffmpeg.socket.send(b"\x80")
    ffmpeg.socket.send(b"")
    ffmpeg.send(b"\x41good")
    assert receiver.read(1)[0].payload == b"\x41good"
    assert receiver.read_all() == []


def test_without_a_track_packets_are_dropped(media_loop, clock):
    async def make() -> RtpRelay:
        return RtpRelay(media_loop.loop, lambda: None, 90_000, 0.0, clock=clock)

    relay = media_loop.run(make(), timeout_seconds=5)
    ffmpeg = Ffmpeg(relay)
    ffmpeg.send()
    ffmpeg.send()

    async def close() -> None:
        relay.close()

    media_loop.run(close(), timeout_seconds=5)


def encode(arguments: list[str]) -> None:
    """Encode a second of a drawn picture and a tone with a real FFmpeg."""
    drawn = ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=10"]
    heard = ["-re", "-f", "lavfi", "-i", "sine=sample_rate=16000"]
    command = ["ffmpeg", "-v", "error", "-nostdin", *drawn, *heard, "-t", "1", *arguments]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def test_video_of_real_ffmpeg_processes_is_one_stream(relay, receiver, clock):
    packets: list[Packet] = []
    for _ in range(2):
        encode(build_video_arguments(SourceInfo(VideoInfo("hevc", fps=10)), relay.destination))
        packets += receiver.read_all()
        clock.now += 2
    assert [later.sequence - earlier.sequence for earlier, later in pairwise(packets)] == [1] * (len(packets) - 1)
    assert all(later.timestamp >= earlier.timestamp for earlier, later in pairwise(packets))
    assert max(packet.size for packet in packets) <= 1200
    kinds = [unit[0] & 31 for unit in nal_units(packet.payload for packet in packets)]
    assert kinds[0] == 7
    assert kinds.count(7) >= 2, "mediasoup detects key frames by the SPS"


def test_sound_of_a_real_ffmpeg_process_is_opus(make_relay, receiver, monkeypatch):
    monkeypatch.setattr(Clock, "__call__", lambda _: time.monotonic())
    arguments = build_audio_arguments(make_relay(rate=48_000, is_sound=True).destination)
    encode(["-map", "1:a", *arguments[2:]])
    packets = receiver.read_all()
    assert 45 <= len(packets) <= 55
    assert {later.timestamp - earlier.timestamp for earlier, later in pairwise(packets)} == {960}
