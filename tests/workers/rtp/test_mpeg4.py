"""MPEG-4 part 2 from RTP: pictures with a configuration from the SDP or in band."""

import pytest

from tests.workers.rtp.feeds import Rig, Sender, encode, video_track

OPTIONS = ("-q:v", "4", "-g", "4", "-flags", "+bitexact")


def pictures(*options: str, source: str = "testsrc2=size=192x160:rate=25,noise=alls=6:allf=t") -> list[bytes]:
    """Pictures, the first behind the configuration."""
    stream = encode("mpeg4", *OPTIONS, *options, frames=8, source=source)
    parts = stream.split(b"\0\0\1\xb6")
    found, head = [], parts[0]
    for part in parts[1:]:
        cut = part.find(b"\0\0\1\xb3")
        found.append(head + b"\0\0\1\xb6" + (part[:cut] if cut >= 0 else part))
        head = part[cut:] if cut >= 0 else b""
    return found


def config_of(first: bytes) -> bytes:
    ends = [at for at in (first.find(b"\0\0\1\xb3"), first.find(b"\0\0\1\xb6")) if at >= 0]
    return first[: min(ends)]


def packets_of(units: list[bytes], size: int = 400, *, marks: bool = True) -> list[bytes]:
    sender = Sender()
    packets = []
    for number, unit in enumerate(units):
        for at in range(0, len(unit), size):
            packets.append(sender.packet(unit[at : at + size], number * 3600, marks and at + size >= len(unit)))
    return packets


@pytest.mark.parametrize("marks", [True, False])
def test_a_configuration_in_the_sdp_alone_is_put_before_key_pictures(marks):
    units = pictures()
    config = config_of(units[0])
    rig = Rig(video_track("mpeg4", {"config": config.hex()}))
    data = rig.receiver.codec_data
    assert (data.codec, data.width, data.height) == ("mpeg4", 192, 160)
    assert (data.profile, data.has_b_frames) == ("Simple Profile", False)
    found = rig.feed(packets_of([units[0].removeprefix(config), *units[1:]], marks=marks))
    assert [unit.is_key for unit in found] == [number % 4 == 0 for number in range(8)]
    assert found[0].data == units[0]
    assert [unit.data for unit in found[1:4]] == units[1:4]
    assert found[4].data == config + units[4]


def test_a_configuration_in_band_counts_more():
    units = pictures("-bf", "2")
    other = config_of(pictures(source="testsrc2=size=96x64:rate=25")[0])
    rig = Rig(video_track("mpeg4", {"config": other.hex()}))
    assert rig.receiver.codec_data.width == 96
    found = rig.feed(packets_of(units))
    assert (found[0].codec_data.width, found[0].codec_data.has_b_frames) == (192, True)
    assert any(unit.is_b_frame for unit in found)


@pytest.mark.parametrize("config", ["", "xyz", "00", "000001b001", "00000120", "000001200000000000000000"])
def test_a_configuration_that_cannot_be_read_is_none(config):
    rig = Rig(video_track("mpeg4", {"config": config}))
    assert rig.receiver.codec_data is None
    assert not rig.feed(packets_of([b"\0\0\1\xb6\x10\x11\x12"]))


def test_a_lost_packet_costs_its_picture_alone():
    units = pictures()
    packets = packets_of(units)
    for lost in range(1, len(packets) - 1):
        rig = Rig(video_track("mpeg4", {"config": config_of(units[0]).hex()}))
        rig.feed(packets[:lost] + packets[lost + 1 :])
        assert len(rig.units) + rig.receiver.damaged_units == 8
        assert rig.receiver.damaged_units <= 1
