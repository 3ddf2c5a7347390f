"""From the packets of a track to its access units: losses, restarts, stamps, markers, and the direct output."""

import struct

import pytest

from tests.workers.rtp.feeds import (
    FakeTaker,
    Rig,
    Sender,
    encode,
    fragment,
    hashes_of_stream,
    hashes_of_units,
    nals_of,
    split_pictures,
    sprop_of,
    video_track,
)

OPTIONS = {
    "h264": ("-pix_fmt", "yuv420p", "-bf", "0", "-g", "5", "-x264-params", "aud=1:slices=3:scenecut=0"),
    "hevc": (
        "-pix_fmt",
        "yuv420p",
        "-x265-params",
        "aud=1:slices=2:keyint=5:bframes=0:repeat-headers=1:log-level=none",
    ),
}


@pytest.fixture(scope="module")
def streams() -> dict[str, bytes]:
    source = "testsrc2=size=192x192:rate=25,noise=alls=6:allf=t"
    return {codec: encode(codec, *options, frames=12, source=source) for codec, options in OPTIONS.items()}


@pytest.fixture(params=["h264", "hevc"])
def codec(request) -> str:
    return request.param


def find_rig(codec: str = "h264", **parameters: str) -> Rig:
    return Rig(video_track(codec, parameters))


def packets_of(streams, codec: str, marks: str = "end") -> list[bytes]:
    return Sender().pictures(codec, split_pictures(codec, streams[codec]), marks)


@pytest.mark.parametrize("marks", ["end", "never", "packets", "units"])
def test_every_picture_is_one_unit_however_the_camera_sets_markers(streams, codec, marks):
    rig = find_rig(codec)
    units = rig.feed(packets_of(streams, codec, marks))
    assert hashes_of_units(units) == hashes_of_stream(codec, streams[codec])
    assert len(units) == len(rig.clock.calls) == 12
    assert rig.receiver.damaged_units == 0
    assert [unit.is_key for unit in units] == [number % 5 == 0 for number in range(12)]


def test_a_right_marker_ends_the_unit_at_once_from_the_second_unit_on(streams, codec):
    rig = find_rig(codec)
    marked = 0
    for number, packet in enumerate(packets_of(streams, codec)):
        rig.receiver.receive(packet, number)
        if marked:
            assert len(rig.units) == marked + (packet[1] >> 7)
        marked += packet[1] >> 7


def test_the_first_unit_waits_no_longer_than_its_rest_could_take(streams):
    rig = find_rig()
    packets = packets_of(streams, "h264")
    end = next(number for number, packet in enumerate(packets) if packet[1] & 0x80)
    for packet in packets[: end + 1]:
        rig.receiver.receive(packet, 50.0)
    rig.receiver.settle(50.1)
    assert not rig.units
    rig.receiver.settle(50.21)
    assert len(rig.units) == 1


def test_a_picture_whose_end_has_not_come_is_not_settled(streams, codec):
    rig = find_rig(codec)
    packets = packets_of(streams, codec, "packets")
    fragments = find_slice_fragment(codec, packets)
    for packet in packets[: fragments + 1]:
        rig.receiver.receive(packet, 50.0)
    rig.receiver.settle(60.0)
    rig.receiver.flush()
    assert not rig.units
    assert rig.receiver.damaged_units == 1


def test_markers_that_become_right_are_believed_again(streams):
    rig = find_rig()
    pictures = split_pictures("h264", streams["h264"])
    sender = Sender()
    rig.feed(sender.pictures("h264", pictures[:5], "units"), flush=False)
    for round_ in range(25):
        rig.feed(sender.pictures("h264", pictures[:5], start=10**6 + round_ * 18_000), flush=False)
    assert len(rig.units) == 130
    assert rig.receiver.damaged_units == 0


def test_two_pictures_with_one_stamp_are_two_units_at_different_times(streams, codec):
    for marks in ("end", "never"):
        rig = find_rig(codec)
        pictures = split_pictures(codec, streams[codec])
        sender = Sender()
        packets = []
        for number, picture in enumerate(pictures):
            packets += sender.pictures(codec, [picture], marks, start=(number // 2) * 7200)
        units = rig.feed(packets)
        assert hashes_of_units(units) == hashes_of_stream(codec, streams[codec])
        assert len({unit.time for unit in units}) == 12


def test_a_picture_whose_slices_bear_different_stamps_is_one_unit(streams, codec):
    rig = find_rig(codec)
    sender = Sender()
    packets = []
    for number, picture in enumerate(split_pictures(codec, streams[codec])):
        for at, nal in enumerate(picture):
            for payload in fragment(codec, nal):
                packets.append(sender.packet(payload, number * 3600 + at * 7, at == len(picture) - 1))
    units = rig.feed(packets)
    assert hashes_of_units(units)[-3:] == hashes_of_stream(codec, streams[codec])[-3:]
    assert rig.receiver.damaged_units == 0


def test_a_lost_packet_costs_its_unit_alone(streams, codec):
    packets = packets_of(streams, codec)
    sets = sprop_of(codec, split_pictures(codec, streams[codec])[0])
    for lost in range(len(packets)):
        rig = find_rig(codec, **sets)
        rig.feed(packets[:lost] + packets[lost + 1 :])
        # One whose marker is lost ends with the next; what comes before a picture may be lost without harm.
        assert len(rig.units) + rig.receiver.damaged_units == 12 or lost == len(packets) - 1
        assert len(rig.units) >= 11
        assert len({unit.time for unit in rig.units}) == len(rig.units)
        assert rig.receiver.lost_packets == (0 if lost in (0, len(packets) - 1) else 1)


def test_a_unit_with_a_lost_slice_is_never_given(streams, codec):
    packets = packets_of(streams, codec)
    whole = {unit.time: unit.data for unit in find_rig(codec).feed(packets)}
    for lost in range(len(packets)):
        for unit in find_rig(codec).feed(packets[:lost] + packets[lost + 1 :]):
            # What may be missing is what only describes: parameter sets, which are put back, and messages.
            slices = [nal for nal in nals_of(unit.data) if is_slice(codec, nal)]
            assert slices == [nal for nal in nals_of(whole[unit.time]) if is_slice(codec, nal)]


def find_slice_fragment(codec: str, packets: list[bytes]) -> int:
    """The first fragment of the first slice that is fragmented."""
    if codec == "h264":
        return next(at for at, packet in enumerate(packets) if packet[12] & 0x1F == 28 and packet[13] & 0x1F == 5)
    return next(at for at, packet in enumerate(packets) if packet[12] >> 1 == 49 and packet[14] & 0x3F < 32)


def is_slice(codec: str, nal: bytes) -> bool:
    return nal[0] & 0x1F in (1, 5) if codec == "h264" else nal[0] >> 1 < 32


def test_the_start_of_a_session_in_the_middle_of_a_picture_drops_only_that(streams, codec):
    packets = packets_of(streams, codec)
    middle = find_slice_fragment(codec, packets) + 1
    rig = find_rig(codec)
    units = rig.feed(packets[middle:])
    assert rig.receiver.damaged_units == 1
    assert rig.receiver.lost_packets == 0
    # The parameter sets were lost with the first picture: the second key unit brings them.
    assert [unit.is_key for unit in units] == [number % 5 == 0 for number in range(7)]


def test_a_new_source_or_a_jump_of_the_numbers_is_a_restart_and_no_loss(streams):
    pictures = split_pictures("h264", streams["h264"])
    for change in ({"ssrc": 99}, {"sequence": 30_000}, {"ssrc": 99, "sequence": 7}):
        rig = find_rig()
        sender = Sender(sequence=100)
        rig.feed(sender.pictures("h264", pictures[:5]), flush=False)
        for name, value in change.items():
            setattr(sender, name, value)
        rig.feed(sender.pictures("h264", pictures[5:], start=123_456_789))
        assert rig.receiver.lost_packets == rig.receiver.damaged_units == 0
        assert rig.receiver.restarts == 1
        assert len(rig.units) == 12


def test_packets_that_come_twice_or_late_are_skipped(streams):
    packets = packets_of(streams, "h264")
    rig = find_rig()
    units = rig.feed([copy for packet in packets for copy in (packet, packet)])
    assert len(units) == 12
    assert rig.receiver.late_packets == len(packets)
    again = find_rig()
    again.feed(packets[:60] + packets[10:60] + packets[60:])
    assert len(again.units) == 12
    assert again.receiver.late_packets == 50
    assert again.receiver.damaged_units == again.receiver.restarts == 0


@pytest.mark.parametrize("numbers", ["none", "wild"])
def test_a_camera_that_does_not_count_is_read_all_the_same(streams, numbers):
    rig = find_rig()
    sender = Sender()
    packets = []
    for round_ in range(10):
        packets += sender.pictures("h264", split_pictures("h264", streams["h264"]), start=round_ * 43_200)
    for number, packet in enumerate(packets):
        sequence = 5 if numbers == "none" else number * 4099 % 65_536 if number % 2 else 65_535 - number * 17 % 65_536
        packets[number] = packet[:2] + struct.pack("!H", sequence & 0xFFFF) + packet[4:]
    rig.feed(packets)
    assert len(rig.units) > 100
    assert rig.receiver.lost_packets < 3000


def test_packets_of_another_payload_type_are_counted_and_leave_no_hole(streams):
    rig = find_rig()
    sender = Sender()
    packets = []
    for number, picture in enumerate(split_pictures("h264", streams["h264"])):
        packets += sender.pictures("h264", [picture], start=number * 3600)
        sender.payload_type = 13
        packets.append(sender.packet(b"comfort", number * 3600))
        sender.payload_type = 96
    rig.feed(packets)
    assert rig.receiver.foreign_packets == len(rig.units) == 12
    assert rig.receiver.lost_packets == rig.receiver.damaged_units == 0


def test_padding_extensions_and_contributing_sources_are_no_part_of_the_payload(streams):
    rig = find_rig()
    packets = []
    for packet in packets_of(streams, "h264"):
        head = bytes((0x80 | 0x20 | 0x10 | 2,)) + packet[1:12] + b"csrccsrc" + b"\xbe\xde\x00\x01\x00\x00\x00\x00"
        packets.append(head + packet[12:] + b"\0\0\0\4")
    assert len(rig.feed(packets)) == 12
    assert rig.units[0].data == find_rig().feed(packets_of(streams, "h264"))[0].data


@pytest.mark.parametrize("packet", [b"", b"\x80", b"\0" * 40, b"\x9f\x60" + b"\xff" * 20, b"\xb0\x60" + b"\0" * 30])
def test_what_is_no_packet_is_counted_and_skipped(packet):
    rig = find_rig()
    rig.feed([packet])
    assert rig.receiver.invalid_packets == 1
    assert not rig.units


def test_an_empty_packet_with_the_marker_ends_the_unit(streams):
    rig = find_rig()
    sender = Sender()
    for number, picture in enumerate(split_pictures("h264", streams["h264"])):
        rig.feed(sender.pictures("h264", [picture], "never", start=number * 3600), flush=False)
        rig.feed([sender.packet(b"", number * 3600, True)], flush=False)
        assert len(rig.units) == (number + 1 if number else 0)


def test_the_end_of_a_session_gives_the_last_unit_only_if_it_is_complete(streams, codec):
    packets = packets_of(streams, codec)
    rig = find_rig(codec)
    rig.feed(packets[:-1])
    assert len(rig.units) == 11
    assert rig.receiver.damaged_units == 1
    unmarked = packets_of(streams, codec, "never")
    assert len(find_rig(codec).feed(unmarked)) == 12


def test_the_output_gets_every_payload_at_once_with_the_time_of_its_unit(streams, codec):
    rig = find_rig(codec)
    rig.receiver.taker = taker = FakeTaker()
    packets = packets_of(streams, codec)
    for number, packet in enumerate(packets):
        rig.receiver.receive(packet, number)
        assert len(taker.taken) == number + 1
    assert [payload for _, payload, _, _ in taker.taken] == [packet[12:] for packet in packets]
    assert [ends for _, _, _, ends in taker.taken] == [bool(packet[1] & 0x80) for packet in packets]
    assert sorted({time for _, _, time, _ in taker.taken}) == [unit.time for unit in rig.units]
    assert taker.begun == [
        ("video", codec, ()),
        ("video", codec, rig.receiver.codec_data.parameter_sets),
    ]


@pytest.mark.parametrize("marks", ["never", "packets"])
def test_without_right_markers_the_output_still_learns_where_units_end(streams, codec, marks):
    rig = find_rig(codec)
    rig.receiver.taker = taker = FakeTaker()
    rig.feed(packets_of(streams, codec, marks))
    times = [time for _, _, time, _ in taker.taken]
    for at in range(len(times) // 2, len(times)):
        assert taker.taken[at][3] == (at == len(times) - 1 or times[at + 1] != times[at])


def test_an_output_that_wants_nothing_gets_nothing_and_one_that_is_set_later_gets_the_sets(streams):
    rig = find_rig()
    packets = packets_of(streams, "h264")
    rig.receiver.taker = idle = FakeTaker()
    idle.is_wanted = False
    rig.feed(packets[:20], flush=False)
    assert not idle.taken
    rig.receiver.taker = late = FakeTaker()
    rig.feed(packets[20:])
    assert len(late.taken) == len(packets) - 20
    assert late.begun == [("video", "h264", rig.receiver.codec_data.parameter_sets)]


def test_the_output_is_told_of_losses(streams):
    rig = find_rig()
    rig.receiver.taker = taker = FakeTaker()
    packets = packets_of(streams, "h264")
    rig.feed(packets[:10] + packets[13:])
    assert taker.losses == [3]
    assert rig.receiver.lost_packets == 3


def test_an_output_that_raises_is_removed_and_no_unit_is_lost(streams):
    rig = find_rig()
    errors = []
    rig.receiver.on_taker_error = lambda taker, error: errors.append((taker, str(error)))

    class Broken(FakeTaker):
        def take(self, *_: object, **__: object) -> None:
            raise RuntimeError("broken")

    rig.receiver.taker = broken = Broken()
    assert len(rig.feed(packets_of(streams, "h264"))) == 12
    assert errors == [(broken, "broken")]
    assert rig.receiver.taker is None


def test_stamps_are_unwrapped_in_both_directions(streams):
    rig = find_rig()
    pictures = split_pictures("h264", streams["h264"])
    sender = Sender()
    stamps = [0xFFFFFFFF - 3599, 0xFFFFFFFF, 3599, 0xFFFFFFFF - 1000, 7199]
    for picture, stamp in zip(pictures, stamps, strict=False):
        rig.feed(sender.pictures("h264", [picture], start=stamp), flush=False)
    first = rig.clock.calls[0][0]
    assert [stamp - first for stamp, _ in rig.clock.calls] == [0, 3599, 7199, 2599, 10799]
