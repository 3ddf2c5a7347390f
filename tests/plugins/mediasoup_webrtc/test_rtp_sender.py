"""The sender: one RTP stream of our own on a real socket, whatever becomes of the camera's packets and sessions."""

import errno
import socket
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.mediasoup_webrtc.rtp import PACKET_BYTES
from plugins.mediasoup_webrtc.rtp_sender import RtpSender, count_opus_samples
from plugins.mediasoup_webrtc.rtp_track import PacketSocket
from tests.plugins.mediasoup_webrtc.rtp_packets import Receiver, nal_units
from tests.plugins.mediasoup_webrtc.test_h264 import IDR, LARGE_IDR, P_SLICE, PAYLOADS, PPS, SPS, filled, fragments


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def sender(receiver) -> Iterator[RtpSender]:
    sender = RtpSender(wall_clock=lambda: 1_000_000.0)
    sender.open(receiver.ports(), None, "opus")
    sender.begin("video", "h264", (SPS, PPS))
    sender.want(True)
    yield sender
    sender.close()
    sender.close()


@pytest.fixture
def sound(receiver) -> Iterator[Receiver]:
    """The port for sound of `sender`, which is opened for G.711."""
    sound = Receiver()
    yield sound
    sound.close()


def open_sound(sender: RtpSender, sound: Receiver, codec: str) -> None:
    sender.open(sender.video.ports, sound.ports(ssrc=78, payload_type=100, sequence=0), codec)


def send(sender: RtpSender, at: float, *payloads: bytes, kind: str = "video") -> None:
    """One access unit, which arrived together."""
    for number, payload in enumerate(payloads):
        sender.take(kind, payload, at, ends_unit=number == len(payloads) - 1)
    sender.flush()


def test_packets_are_ours_from_the_agreed_port(sender, receiver):
    send(sender, 5.0, IDR)
    send(sender, 5.04, P_SLICE)
    sets, key, other = receiver.read(3)
    assert [packet.sequence for packet in (sets, key, other)] == [10, 11, 12]
    assert {(packet.ssrc, packet.payload_type) for packet in (sets, key, other)} == {(77, 101)}
    assert {packet.source for packet in (sets, key, other)} == {sender.video.ports.source_rtp_port}
    assert [packet.is_marked for packet in (sets, key, other)] == [False, True, True]
    assert sets.timestamp == key.timestamp
    assert other.timestamp - key.timestamp == 3600
    assert nal_units([sets.payload, key.payload, other.payload]) == [SPS, PPS, IDR, P_SLICE]


def test_bytes_on_the_wire_are_exact(sender, receiver):
    send(sender, 5.0, P_SLICE)
    receiver.socket.settimeout(5)
    wire = receiver.socket.recv(2000)
    ticks = (5 * 90_000 + round(sender.offset_seconds * 90_000)) & 0xFFFFFFFF
    assert wire == bytes.fromhex("80e5000a") + ticks.to_bytes(4, "big") + bytes.fromhex("0000004d") + P_SLICE


@pytest.mark.parametrize("can_segment", [True, False])
def test_a_large_picture_arrives_whole_in_packets_that_fit(sender, receiver, monkeypatch, can_segment):
    monkeypatch.setattr(PacketSocket, "can_segment", can_segment)
    unit = b"\x65\x88" + filled(150_000)
    send(sender, 5.0, *fragments(unit, 1400))
    packets = receiver.read_all()
    assert nal_units(packet.payload for packet in packets) == [SPS, PPS, unit]
    assert max(packet.size for packet in packets) == PACKET_BYTES
    assert [packet.sequence for packet in packets] == list(range(10, 10 + len(packets)))
    assert [packet.is_marked for packet in packets] == [False] * (len(packets) - 1) + [True]
    assert sender.sent == len(packets)


def test_a_burst_is_one_system_call(sender, monkeypatch):
    if not PacketSocket.can_segment:
        pytest.skip("the kernel does not cut bursts")
    calls = []
    real = socket.socket.sendmsg
    monkeypatch.setattr(socket.socket, "sendmsg", lambda self, *args: calls.append(1) or real(self, *args))
    sender.take("video", IDR, 4.0, ends_unit=True)
    sender.flush()
    calls.clear()
    send(sender, 5.0, *fragments(b"\x41\x9a" + filled(20_000), 1400))
    assert len(calls) == 1


@pytest.mark.parametrize("error", [errno.EIO, errno.EINVAL])
def test_a_kernel_that_does_not_cut_bursts_is_asked_once(sender, receiver, monkeypatch, error):
    monkeypatch.setattr(PacketSocket, "can_segment", True)
    calls = []

    def refuse(self, *args):
        calls.append(1)
        raise OSError(error, "no")

    monkeypatch.setattr(socket.socket, "sendmsg", refuse)
    for number in range(3):
        send(sender, 5.0 + number, LARGE_IDR)
    assert len(calls) == 1
    assert nal_units(packet.payload for packet in receiver.read_all()) == [SPS, PPS, LARGE_IDR] * 3


def test_without_a_receiver_packets_are_dropped_and_counted_and_nothing_is_raised(sender, receiver):
    receiver.close()
    for number in range(20):
        send(sender, 5.0 + number, LARGE_IDR, P_SLICE)
    assert sender.video.dropped > 0


@pytest.mark.parametrize("error", [BlockingIOError(), ConnectionRefusedError(), OSError(errno.ENOBUFS, "full")])
def test_a_full_socket_drops_packets_and_the_sequence_shows_it(sender, receiver, monkeypatch, error):
    send(sender, 5.0, P_SLICE)
    with monkeypatch.context() as patch:

        def refuse(self, *args):
            raise error

        patch.setattr(socket.socket, "send", refuse)
        patch.setattr(socket.socket, "sendmsg", refuse)
        send(sender, 5.04, LARGE_IDR)
    send(sender, 5.08, P_SLICE)
    first, second = receiver.read_all()
    assert second.sequence - first.sequence == 1 + sender.video.dropped
    assert sender.sent == 2


def test_losses_of_the_camera_leave_a_gap_of_that_size_but_none_that_looks_like_another_stream(sender, receiver):
    send(sender, 5.0, P_SLICE)
    sender.lost("video", 7)
    send(sender, 5.04, P_SLICE)
    sender.lost("video", 60_000)
    sender.lost("video", 60_000)
    send(sender, 5.08, P_SLICE)
    sender.lost("video", -3)
    send(sender, 5.12, P_SLICE)
    numbers = [packet.sequence for packet in receiver.read(4)]
    assert numbers == [10, 18, 1019, 1020]


def test_a_fragment_after_a_loss_is_not_sent(sender, receiver):
    first, _, *others = fragments(LARGE_IDR, 1000)
    sender.take("video", first, 5.0, ends_unit=False)
    sender.lost("video", 1)
    for payload in others:
        sender.take("video", payload, 5.0, ends_unit=payload is others[-1])
    send(sender, 5.04, P_SLICE)
    packets = receiver.read_all()
    assert [packet.payload[0] & 31 for packet in packets] == [24, 28, 1]
    assert [packet.sequence for packet in packets] == [10, 11, 13]


def test_sequence_numbers_wrap_around(receiver):
    sender = RtpSender()
    sender.open(receiver.ports(sequence=65_534), None, "opus")
    sender.want(True)
    for number in range(4):
        send(sender, 5 + number / 25, P_SLICE)
    assert [packet.sequence for packet in receiver.read(4)] == [65_534, 65_535, 0, 1]
    sender.close()


@pytest.mark.parametrize(
    ("times", "steps"),
    [
        ((5.0, 5.04, 5.04 + 1e-7), [3600, 1]),
        ((5.0, 4.99, 5.03), [1, 2699]),
        ((5.0, 305.0), [27_000_000]),
        ((5.0, 90_005.0, 90_005.04), [3600 * 90_000, 3600]),
        ((5000.0, 5.0, 5.04), [1, 3600]),
    ],
    ids=["a picture follows at once", "it goes back a little", "a pause", "a very long pause", "another clock"],
)
def test_time_is_the_capture_time_and_never_goes_back(sender, receiver, times, steps):
    for at in times:
        send(sender, at, P_SLICE)
    stamps = [packet.timestamp for packet in receiver.read(len(times))]
    assert [(later - earlier) & 0xFFFFFFFF for earlier, later in pairwise(stamps)] == steps


def test_after_hours_without_viewers_time_stamps_are_wall_clock_time(receiver):
    wall = {"offset": 0.0}
    sender = RtpSender(wall_clock=lambda: time.monotonic() + 1000 + wall["offset"])
    sender.open(receiver.ports(), None, "opus")
    for at in (5.0, 90_005.0):
        sender.want(True)
        send(sender, at, P_SLICE)
        sender.want(False)
    # The clock was set back meanwhile: players that stayed must not see time go back.
    wall["offset"] = -50.0
    sender.want(True)
    send(sender, 90_006.0, P_SLICE)
    first, second, third = (packet.timestamp for packet in receiver.read(3))
    assert abs(first - round(1005.0 * 90_000)) < 900
    assert abs(second - round(91_005.0 * 90_000) % 2**32) < 900
    assert third == second + 1
    sender.close()


def test_the_next_worker_goes_on_in_time():
    first, second = (RtpSender() for _ in range(2))
    assert abs(first.offset_seconds - second.offset_seconds) < 0.01


def test_sequence_and_time_go_on_at_other_ports(sender, receiver):
    send(sender, 5.0, P_SLICE)
    before = receiver.read(1)[0]
    moved = receiver.ports(sequence=40_000)
    sender.open(moved, None, "opus")
    send(sender, 5.04, P_SLICE)
    after = receiver.read(1)[0]
    assert (after.sequence - before.sequence, after.timestamp - before.timestamp) == (1, 3600)
    assert after.source == moved.source_rtp_port != before.source
    assert sender.sent == 2


def test_a_taken_source_port_is_an_error_and_the_old_ports_stay(sender, receiver):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.bind(("0.0.0.0", 0))
        ports = receiver.ports()
        taken = type(ports)(
            **{**{f: getattr(ports, f) for f in ports.__slots__}, "source_rtp_port": thief.getsockname()[1]}
        )
        with pytest.raises(OSError, match="in use"):
            sender.open(taken, None, "opus")
    send(sender, 5.0, P_SLICE)
    assert receiver.read(1)


def test_after_a_pause_without_viewers_an_old_fragment_does_not_go_on(sender, receiver):
    first, second, *_ = fragments(LARGE_IDR, 1000)
    sender.take("video", first, 5.0, ends_unit=False)
    sender.want(False)
    sender.want(True)
    sender.take("video", second, 9.0, ends_unit=False)
    sender.flush()
    assert [packet.payload[0] & 31 for packet in receiver.read_all()] == [24, 28]


def test_a_closed_sender_takes_packets_without_an_error(sender, receiver):
    sender.close()
    send(sender, 5.0, P_SLICE)
    sender.lost("video", 3)
    sender.lost("audio", 3)
    send(sender, 5.0, b"\xd5" * 160, kind="audio")
    assert not sender.is_wanted
    assert receiver.read_all() == []


@pytest.mark.parametrize("codec", ["pcma", "pcmu"])
def test_g711_is_passed_as_it_is_and_its_time_counts_samples(sender, sound, codec):
    """The camera's clock is 1 % fast: players would hear a gap in each packet if times followed the capture time."""
    open_sound(sender, sound, codec)
    payload = bytes(range(160))
    for number in range(50):
        send(sender, 5 + number * 0.0198, payload, kind="audio")
    packets = sound.read(50)
    assert {packet.payload for packet in packets} == {payload}
    assert [packet.sequence for packet in packets] == list(range(50))
    stamps = [packet.timestamp for packet in packets]
    assert [b - a for a, b in pairwise(stamps)] == [160] * 49
    assert [packet.is_marked for packet in packets] == [True] + [False] * 49
    ticks = (5 * 8000 + round(sender.offset_seconds * 8000)) & 0xFFFFFFFF
    assert abs(stamps[0] - ticks) <= 1


def test_silence_and_losses_of_sound_leave_gaps_of_their_length(sender, sound):
    open_sound(sender, sound, "pcma")
    payload = b"\xd5" * 160
    send(sender, 5.0, payload, kind="audio")
    sender.lost("audio", 2)
    send(sender, 5.06, payload, kind="audio")
    send(sender, 8.08, payload, kind="audio")
    send(sender, 8.0, payload, kind="audio")
    packets = sound.read(4)
    stamps = [packet.timestamp - packets[0].timestamp for packet in packets]
    assert stamps == pytest.approx([0, 480, 24_640, 24_800], abs=2)
    assert [packet.sequence for packet in packets] == [0, 3, 4, 5]
    assert [packet.is_marked for packet in packets] == [True, False, True, False]


def test_long_packets_of_g711_are_cut(sender, sound):
    open_sound(sender, sound, "pcmu")
    send(sender, 5.0, filled(1600), kind="audio")
    send(sender, 5.2, filled(1600), kind="audio")
    packets = sound.read(4)
    assert b"".join(packet.payload for packet in packets) == filled(1600) * 2
    start = packets[0].timestamp
    assert [packet.timestamp - start for packet in packets] == [0, 960, 1600, 2560]


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"\x0c", 960),  # 20 ms of SILK
        (b"\x78", 960),  # 20 ms of hybrid
        (b"\xe0", 120),
        (b"\xfd", 1920),
        (b"\xff\x03", 2880),
        (b"\xff\x3f", 0),
        (b"\xff", 0),
        (b"", 0),
    ],
)
def test_the_duration_of_opus_is_that_of_its_first_bytes(payload, samples):
    assert count_opus_samples(payload) == samples


def test_opus_is_passed_as_it_is(sender, sound):
    open_sound(sender, sound, "opus")
    for number, payload in enumerate([b"\xfc" + filled(80), b"", b"\xfc" + filled(3000), b"\xfc" + filled(90)]):
        send(sender, 5 + number * 0.02, payload, kind="audio")
    packets = sound.read(2)
    assert [len(packet.payload) for packet in packets] == [81, 91]
    assert packets[1].timestamp - packets[0].timestamp == 960
    assert sender.unusable == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    payloads=PAYLOADS,
    times=st.lists(st.floats(0, 1e6), min_size=12, max_size=12),
    codec=st.sampled_from(["opus", "pcma"]),
)
def test_whatever_comes_packets_fit_and_nothing_is_raised(sender, sound, receiver, payloads, times, codec):
    open_sound(sender, sound, codec)
    for payload, at in zip(payloads, times, strict=False):
        sender.take("video", payload, at, ends_unit=len(payload) % 2 == 0)
        sender.take("audio", payload, at, ends_unit=True)
        sender.lost("video", len(payload) % 5)
    sender.flush()
    for packet in [*receiver.read_all(), *sound.read_all()]:
        assert packet.size <= PACKET_BYTES
