"""Each payload format of H.264 and H.265, as the standards have it and as cameras send it, gives the same unit."""

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
from workers.rtp.h265_sets import parse_sps
from workers.rtp.parameter_sets import is_same_format
from workers.rtp.units import CodecData

AUD = {"h264": b"\x09\xf0", "hevc": b"\x46\x01\x50"}
FILLER = {"h264": b"\x0c\xff\xff\x80", "hevc": b"\x4c\x01\xff\xff\x80"}
OPTIONS = {
    "h264": ("-pix_fmt", "yuv420p", "-bf", "0", "-g", "4", "-x264-params", "aud=1:slices=2"),
    "hevc": ("-pix_fmt", "yuv420p", "-x265-params", "aud=1:keyint=4:bframes=0:repeat-headers=1:log-level=none"),
}


@pytest.fixture(scope="module")
def pictures() -> dict[str, list[list[bytes]]]:
    return {codec: split_pictures(codec, encode(codec, *options, frames=8)) for codec, options in OPTIONS.items()}


@pytest.fixture(params=["h264", "hevc"])
def codec(request) -> str:
    return request.param


def is_set(codec: str, nal: bytes) -> bool:
    return nal[0] & 0x1F in (7, 8) if codec == "h264" else nal[0] >> 1 in (32, 33, 34)


def is_message(codec: str, nal: bytes) -> bool:
    return nal[0] & 0x1F == 6 if codec == "h264" else nal[0] >> 1 in (39, 40)


def with_length(nal: bytes) -> bytes:
    return struct.pack(">H", len(nal)) + nal


def send(rig: Rig, units: list[list[bytes]], **options: int) -> list:
    """Send units of payloads."""
    sender = Sender(**options)
    for number, payloads in enumerate(units):
        for payload in payloads:
            rig.feed([sender.packet(payload, number * 3600, payload is payloads[-1])], flush=False)
    rig.receiver.flush()
    assert rig.receiver.damaged_units == 0
    return rig.units


def stap_a(nals: list[bytes]) -> list[bytes]:
    return [b"\x78" + b"".join(map(with_length, nals))]


def stap_b(nals: list[bytes]) -> list[bytes]:
    return [b"\x79\x00\x07" + b"".join(map(with_length, nals))]


def mtap16(nals: list[bytes]) -> list[bytes]:
    return [b"\x7a\x00\x07" + b"".join(struct.pack(">HBH", len(nal), 0, 0) + nal for nal in nals)]


def mtap24(nals: list[bytes]) -> list[bytes]:
    return [b"\x7b\x00\x07" + b"".join(struct.pack(">HB", len(nal), 0) + b"\0\0\0" + nal for nal in nals)]


def fu_b(nals: list[bytes]) -> list[bytes]:
    found = []
    for nal in nals:
        payloads = fragment("h264", nal)
        if len(payloads) > 1:
            payloads[0] = bytes((payloads[0][0] & 0xE0 | 29,)) + payloads[0][1:2] + b"\0\7" + payloads[0][2:]
        found += payloads
    return found


def fu_without_end(nals: list[bytes]) -> list[bytes]:
    found = []
    for nal in nals:
        payloads = fragment("h264", nal)
        if len(payloads) > 1:
            payloads[-1] = payloads[-1][:1] + bytes((payloads[-1][1] & 0xBF,)) + payloads[-1][2:]
        found += payloads
    return found


def start_codes_in_one(nals: list[bytes]) -> list[bytes]:
    return [b"\0\0\0\1".join(nals)]


def start_code_first(nals: list[bytes]) -> list[bytes]:
    return [b"\0\0\0\1" + nal for nal in nals]


def start_codes_in_fragments(nals: list[bytes]) -> list[bytes]:
    return fragment("h264", b"\0\0\1".join(nals), 333)


def start_codes_in_fragments_from_the_start(nals: list[bytes]) -> list[bytes]:
    return fragment("h264", b"".join(b"\0\0\0\1" + nal for nal in nals), 333)


@pytest.mark.parametrize(
    "form",
    [
        stap_a,
        stap_b,
        mtap16,
        mtap24,
        fu_b,
        fu_without_end,
        start_codes_in_one,
        start_code_first,
        start_codes_in_fragments,
        start_codes_in_fragments_from_the_start,
    ],
)
def test_every_form_of_h264_gives_the_same_units(form, pictures):
    plain = [b"".join(map(nal_with_length, nals)) for nals in pictures["h264"]]
    units = send(find_rig("h264"), [form(nals) for nals in pictures["h264"]])
    assert [unit.data for unit in units] == plain


def nal_with_length(nal: bytes) -> bytes:
    return struct.pack(">I", len(nal)) + nal


def test_delimiters_filler_and_nonsense_are_left_out(pictures):
    plain = [b"".join(map(nal_with_length, nals)) for nals in pictures["h264"]]
    rig = find_rig("h264")
    sender = Sender()
    for number, nals in enumerate(pictures["h264"]):
        payloads = [b"\0\0\0", b"\x1e\x01\x02", b"\x1f\x01", AUD["h264"], FILLER["h264"]]
        payloads += [payload for nal in nals for payload in (*fragment("h264", nal), FILLER["h264"])]
        rig.feed([sender.packet(payload, number * 3600, payload is payloads[-1]) for payload in payloads], flush=False)
    rig.receiver.flush()
    assert [unit.data for unit in rig.units] == plain


def find_rig(codec: str, parameters: dict[str, str] | None = None) -> Rig:
    return Rig(video_track(codec, parameters))


def h265_ap(nals: list[bytes]) -> list[bytes]:
    return [b"\x60\x01" + b"".join(map(with_length, nals))]


def h265_ap_with_order(nals: list[bytes]) -> list[bytes]:
    return [b"\x60\x01\x00\x07" + b"\0".join(map(with_length, nals))]


def h265_with_order(nals: list[bytes]) -> list[bytes]:
    found = []
    for nal in nals:
        payloads = fragment("hevc", nal)
        at = 2 if len(payloads) == 1 else 3
        payloads[0] = payloads[0][:at] + b"\0\7" + payloads[0][at:]
        found += payloads
    return found


@pytest.mark.parametrize(
    ("form", "difference"),
    [
        (h265_ap, "0"),
        (h265_ap, ""),
        (h265_ap_with_order, "1"),
        (h265_with_order, "32767"),
        (start_codes_in_one, "0"),
        (start_code_first, "0"),
        (lambda nals: [AUD["hevc"], *(part for nal in nals for part in (*fragment("hevc", nal), FILLER["hevc"]))], "0"),
        (lambda nals: fragment("hevc", b"\0\0\0\1".join(nals), 333), "0"),
    ],
)
def test_every_form_of_h265_gives_the_same_units(form, difference, pictures):
    plain = [b"".join(map(nal_with_length, nals)) for nals in pictures["hevc"]]
    rig = find_rig("hevc", {"sprop-max-don-diff": difference})
    assert [unit.data for unit in send(rig, [form(nals) for nals in pictures["hevc"]])] == plain


def test_units_of_another_layer_are_left_out(pictures):
    layered = [[*nals, b"\x02\x09\xd0\x11\x22"] for nals in pictures["hevc"]]
    assert hashes_of_units(send(find_rig("hevc"), layered))


def test_key_units_get_the_parameter_sets_that_they_lack(codec, pictures):
    sets = [nal for nal in pictures[codec][0] if is_set(codec, nal)]
    bare = [[nal for nal in nals if not is_set(codec, nal)] for nals in pictures[codec]]
    rig = find_rig(codec, sprop_of(codec, sets))
    assert rig.receiver.codec_data.parameter_sets == tuple(sets)
    for unit in send(rig, bare):
        assert [nal for nal in nals_of(unit.data) if is_set(codec, nal)] == (sets if unit.is_key else [])
    # A part of them in band: the rest is put in.
    rig = find_rig(codec, sprop_of(codec, sets))
    for unit in send(rig, [[sets[-1], *nals] if number % 4 == 0 else nals for number, nals in enumerate(bare)]):
        assert sorted(nal for nal in nals_of(unit.data) if is_set(codec, nal)) == (sorted(sets) if unit.is_key else [])


def test_sets_with_a_stamp_of_their_own_are_put_before_the_key_unit(codec, pictures):
    units = []
    for nals in pictures[codec]:
        sets = [nal for nal in nals if is_set(codec, nal)]
        units += [sets] if sets else []
        units.append([nal for nal in nals if nal not in sets])
    found = send(find_rig(codec), units)
    stream = b"".join(b"\0\0\0\1" + nal for nals in pictures[codec] for nal in nals)
    assert hashes_of_units(found) == hashes_of_stream(codec, stream)


@pytest.mark.parametrize("first", [0, 4])
def test_without_sets_in_the_sdp_units_are_given_from_the_first_that_can_be_decoded(codec, first, pictures):
    late = [
        [nal for nal in nals if number >= first or not is_set(codec, nal)]
        for number, nals in enumerate(pictures[codec])
    ]
    rig = find_rig(codec)
    units = send(rig, late)
    assert len(units) == 8 - first
    assert rig.receiver.units == 8
    assert units[0].is_key
    assert isinstance(units[0].codec_data, CodecData)
    assert len(units[0].codec_data.parameter_sets) == (2 if codec == "h264" else 3)


def test_a_vps_that_is_nowhere_is_not_made_up(pictures):
    rig = find_rig("hevc")
    assert not send(rig, [[nal for nal in nals if nal[0] >> 1 != 32] for nals in pictures["hevc"]])
    assert rig.receiver.codec_data is None
    assert rig.receiver.units == 8


def test_sets_in_band_that_differ_from_the_sdp_are_announced_with_their_key_unit(codec, pictures):
    small = encode(codec, *OPTIONS[codec], frames=1, source="testsrc2=size=96x64:rate=25")
    rig = find_rig(codec, sprop_of(codec, split_pictures(codec, small)[0]))
    assert rig.receiver.codec_data.width == 96
    rig.receiver.taker = taker = FakeTaker()
    units = send(rig, pictures[codec])
    assert units[0].codec_data.width == 192
    assert all(unit.codec_data is None for unit in units[1:])
    assert [len(sets) for _, _, sets in taker.begun] == [len(units[0].codec_data.parameter_sets)] * 2
    assert taker.begun[-1][2] == units[0].codec_data.parameter_sets


def test_sets_that_change_with_each_group_are_announced_and_are_the_same_format():
    streams = [
        encode("h264", *OPTIONS["h264"][:-1], f"aud=1:{more}", frames=4)
        for more in ("fps=25", "sps-id=1:fps=30:force-cfr=1")
    ]
    groups = [split_pictures("h264", stream) for stream in streams]
    rig = find_rig("h264")
    units = send(rig, [*groups[0], *groups[1], *groups[0], *groups[1]])
    changes = [unit for unit in units if unit.codec_data]
    assert [unit.time for unit in changes] == [0, 0.16, 0.32, 0.48]
    assert all(is_same_format(changes[0].codec_data, unit.codec_data) for unit in changes)
    assert hashes_of_units(units) == 2 * [digest for stream in streams for digest in hashes_of_stream("h264", stream)]


def test_a_change_of_size_in_mid_stream_is_announced(codec):
    streams = [
        encode(codec, *OPTIONS[codec], frames=4, source=f"testsrc2=size={size}:rate=25") for size in ("96x64", "64x96")
    ]
    units = send(find_rig(codec), [nals for stream in streams for nals in split_pictures(codec, stream)])
    changes = {number: unit.codec_data for number, unit in enumerate(units) if unit.codec_data}
    assert {number: (data.width, data.height) for number, data in changes.items()} == {0: (96, 64), 4: (64, 96)}
    assert not is_same_format(changes[0], changes[4])


def test_intra_refresh_is_told_from_a_camera_whose_key_frame_has_not_come(pictures):
    # Only the first picture of this stream is an IDR: without it, a camera that has been refreshing for long.
    options = ("-pix_fmt", "yuv420p", "-bf", "0", "-x264-params", "aud=1:intra-refresh=1:keyint=4")
    stream = split_pictures("h264", encode("h264", *options, frames=12))
    rig = find_rig("h264", sprop_of("h264", stream[0]))
    units = send(rig, stream[1:])
    assert len(units) == 11
    assert not any(unit.is_key for unit in units)
    assert rig.receiver.has_recovery_points
    waiting = find_rig("h264", sprop_of("h264", pictures["h264"][0]))
    send(waiting, pictures["h264"][1:4])
    assert not waiting.receiver.has_recovery_points
    send(rig, pictures["h264"], ssrc=2)
    assert not rig.receiver.has_recovery_points


def test_fields_of_one_frame_that_share_a_stamp_are_one_unit():
    options = ("-pix_fmt", "yuv420p", "-bf", "0", "-g", "4", "-x264-params", "aud=1:interlaced=1")
    stream = encode("h264", *options, frames=8)
    units = send(find_rig("h264"), split_pictures("h264", stream))
    assert hashes_of_units(units) == hashes_of_stream("h264", stream)


@pytest.mark.parametrize("references", [1, 2])
def test_b_frames_are_told_by_their_slices(codec, references):
    options = ("-pix_fmt", "yuv420p")
    if codec == "h264":
        options += (
            "-bf",
            "2",
            "-b_strategy",
            "0",
            "-x264-params",
            f"aud=1:b-pyramid={references % 2}:b-adapt=0:keyint=12",
        )
    else:
        pyramid = references % 2
        options += (
            "-x265-params",
            f"aud=1:bframes=2:b-adapt=0:b-pyramid={pyramid}:keyint=12:repeat-headers=1:log-level=none",
        )
    units = send(find_rig(codec), split_pictures(codec, encode(codec, *options, frames=12)))
    assert [unit.is_b_frame for unit in units][:10] == [False, False, True, True, False, True, True, False, True, True]
    assert units[0].codec_data.has_b_frames


def test_a_last_fragment_without_data_ends_its_nal_unit(codec, pictures):
    plain = [b"".join(map(nal_with_length, nals)) for nals in pictures[codec]]
    head = 2 if codec == "h264" else 3
    units = []
    for nals in pictures[codec]:
        payloads = []
        for nal in nals:
            parts = fragment(codec, nal)
            if len(parts) > 1:
                last = parts[-1]
                ending = last[: head - 1] + bytes((last[head - 1] | 0x40,))
                parts[-1:] = [last[: head - 1] + bytes((last[head - 1] & 0xBF,)) + last[head:], ending]
            payloads += parts
        units.append(payloads)
    rig = find_rig(codec)
    assert [unit.data for unit in send(rig, units)] == plain


def test_what_follows_a_picture_is_no_unit_of_its_own(codec, pictures):
    rig = find_rig(codec)
    sender = Sender()
    for number, nals in enumerate(pictures[codec]):
        rig.feed(sender.pictures(codec, [nals], start=number * 3600), flush=False)
        rig.feed([sender.packet(FILLER[codec], number * 3600, True)], flush=False)
    rig.receiver.flush()
    assert len(rig.units) == len(rig.clock.calls) == 8
    assert rig.receiver.damaged_units == 0


def test_pictures_of_a_new_size_whose_key_picture_was_lost_are_not_given(codec):
    old, new = (
        split_pictures(codec, encode(codec, *OPTIONS[codec], frames=8, source=f"testsrc2=size={size}:rate=25"))
        for size in ("96x64", "64x96")
    )
    sender = Sender()
    packets = sender.pictures(codec, old[:4])
    changed = sender.pictures(codec, new, start=200_000)
    key = next(at for at, packet in enumerate(changed) if packet[1] & 0x80)  # the last packet of the key picture
    rig = find_rig(codec)
    rig.feed([*packets, *changed[:key], *changed[key + 1 :]])
    assert [unit.is_key for unit in rig.units] == [True, False, False, False, True, False, False, False]
    assert rig.units[4].codec_data.width == 64
    assert rig.receiver.damaged_units == 4


def test_b_slices_without_reordering_are_no_b_frames(pictures):
    sets = [nal for nal in pictures["hevc"][0] if is_set("hevc", nal)]
    order_bits = parse_sps(next(nal for nal in sets if nal[0] >> 1 == 33)).order_bits

    def picture(order: int) -> list[bytes]:
        # First slice, PPS 0, slice type B, picture order count.
        bits = "111" + f"{order % (1 << order_bits):0{order_bits}b}" + "1" * 16
        bits = bits[: len(bits) // 8 * 8]
        return [b"\x02\x01" + int(bits, 2).to_bytes(len(bits) // 8, "big") + b"\xaa" * 20]

    def b_frames(*orders: int) -> list[bool]:
        return [unit.is_b_frame for unit in send(find_rig("hevc"), [pictures["hevc"][0], *map(picture, orders)])][1:]

    assert b_frames(*range(1, 40)) == [False] * 39
    assert b_frames(*range(1, 2 << order_bits)) == [False] * ((2 << order_bits) - 1)
    assert b_frames(8, 4, 2, 6, 16, 12) == [False, True, True, True, False, True]
