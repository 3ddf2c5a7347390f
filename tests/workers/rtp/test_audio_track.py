"""Sound through the receiver: frames with times, the direct output, losses, sender reports."""

import struct

from tests.workers.rtp.feeds import FakeClock, FakeTaker, Rig, Sender
from workers.rtp.units import AUDIO, TrackDescription


def sound_rig(codec: str = "pcm_alaw", rate: int = 8000, **parameters: str) -> Rig:
    return Rig(TrackDescription(1, AUDIO, codec, 8, rate, parameters=parameters), FakeClock(rate))


def aac_rig() -> Rig:
    parameters = {"config": "1408", "mode": "AAC-hbr", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3"}
    return sound_rig("aac", 16_000, **parameters)


def aac(*frames: bytes, size: int = 0) -> bytes:
    heads = b"".join(struct.pack(">H", (size or len(frame)) << 3) for frame in frames)
    return struct.pack(">H", len(heads) * 8) + heads + b"".join(frames)


def test_each_packet_is_a_frame_with_time_and_duration():
    rig = sound_rig()
    rig.receiver.taker = taker = FakeTaker()
    sender = Sender(8)
    units = rig.feed([sender.packet(bytes((number,)) * 160, number * 160) for number in range(5)])
    assert [(unit.kind, unit.time, unit.data, unit.duration, unit.is_key) for unit in units] == [
        (AUDIO, number * 0.02, bytes((number,)) * 160, 0.02, True) for number in range(5)
    ]
    assert [unit.codec_data is None for unit in units] == [False, True, True, True, True]
    assert (units[0].codec_data.codec, units[0].codec_data.sample_rate) == ("pcm_alaw", 8000)
    assert [(kind, payload, ends) for kind, payload, _, ends in taker.taken] == [
        (AUDIO, unit.data, True) for unit in units
    ]
    assert rig.receiver.units == 5


def test_frames_of_one_packet_follow_each_other():
    units = aac_rig().feed([Sender(8).packet(aac(b"\x21" * 10, b"\x22" * 20), 16_000, True)])
    assert [(unit.time, unit.data[:1]) for unit in units] == [(1.0, b"\x21"), (1.064, b"\x22")]


def test_packets_of_one_frame_are_placed_once():
    rig = aac_rig()
    sender = Sender(8)
    parts = [aac(b"\x21" * 500, size=1000), aac(b"\x21" * 500, size=1000)]
    units = rig.feed([sender.packet(parts[0], 0), sender.packet(parts[1], 0, True)])
    assert [len(unit.data) for unit in units] == [1000]
    assert len(rig.clock.calls) == 1


def test_sound_whose_stamps_stand_still_is_placed_anew_with_each_packet():
    rig = sound_rig()
    sender = Sender(8)
    rig.feed([sender.packet(bytes(160), 77) for _ in range(4)])
    assert len(rig.clock.calls) == 4


def test_a_loss_drops_the_beginning_of_a_frame_alone():
    rig = aac_rig()
    sender = Sender(8)
    whole = [sender.packet(aac(b"\x21" * 50), number * 1024, True) for number in range(4)]
    assert len(rig.feed([whole[0], *whole[2:]])) == 3
    assert rig.receiver.lost_packets == 1


def test_a_codec_that_is_unknown_is_passed_on_and_gives_no_units():
    rig = sound_rig("strange")
    rig.receiver.taker = taker = FakeTaker()
    assert not rig.feed([Sender(8).packet(b"x", 0, True)])
    assert len(taker.taken) == 1
    assert rig.receiver.codec_data is None
    assert rig.receiver.problem


def test_the_time_of_a_sender_report_is_unwrapped_near_the_last_packet():
    rig = sound_rig()
    assert rig.receiver.unwrap(5) is None
    sender = Sender(8)
    rig.feed([sender.packet(bytes(160), 0xFFFFFFFF - 159), sender.packet(bytes(160), 0)])
    start = rig.clock.calls[0][0]
    assert rig.receiver.unwrap(8000) == start + 160 + 8000
    assert rig.receiver.unwrap(0xFFFFFFFF - 7999) == start + 160 - 8000
