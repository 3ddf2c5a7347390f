"""H.264 of cameras becomes payloads that mediasoup and every player accept, whatever the camera sends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.mediasoup_webrtc.h264 import H264Packetizer
from tests.plugins.mediasoup_webrtc.rtp_packets import nal_units

LIMIT = 1188
SPS = bytes.fromhex("6742c01fda02d0286a")
PPS = bytes.fromhex("68ce3c80")
OTHER_SPS = bytes.fromhex("6742c01fda01401fab")
OTHER_PPS = bytes.fromhex("68ce3c88")
SECOND_PPS = bytes.fromhex("6852c0")  # id 1
SEI = bytes.fromhex("0605ffee")
RECOVERY = bytes.fromhex("06060100")
DELIMITER = b"\x09\xf0"
FILLER = b"\x0c\xff\xff\x80"


def filled(size: int, seed: int = 0) -> bytes:
    """Bytes without a start code."""
    return bytes((at * 31 + seed) % 251 + 4 for at in range(size))


IDR = b"\x65\x88" + filled(300)
P_SLICE = b"\x41\x9a" + filled(200)  # slice_type 5
I_SLICE = b"\x41\x88" + filled(200)  # slice_type 7
LARGE_IDR = b"\x65\x88" + filled(9000)


def fragments(unit: bytes, size: int) -> list[bytes]:
    """A NAL unit in fragments with so many bytes of it each (FU-A), as a camera sends it."""
    data = unit[1:]
    cuts = [data[at : at + size] for at in range(0, len(data), size)]
    flags = [0x80, *[0] * (len(cuts) - 2), 0x40]
    return [bytes((unit[0] & 0xE0 | 28, unit[0] & 31 | flag)) + cut for flag, cut in zip(flags, cuts, strict=True)]


def stap_a(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def packetizer(*sets: bytes) -> H264Packetizer:
    made = H264Packetizer(LIMIT)
    made.set_parameter_sets(sets)
    return made


def pack_unit(made: H264Packetizer, *payloads: bytes) -> list[bytes]:
    """Pack the payloads of one access unit."""
    packed = [part for payload in payloads for part in made.pack(payload)]
    made.end_unit()
    return packed


def test_parameter_sets_from_the_description_are_put_in_before_a_key_frame_as_one_packet():
    packed = pack_unit(packetizer(SPS, PPS), IDR)
    assert packed == [stap_a(SPS, PPS), IDR]


@pytest.mark.parametrize("payloads", [(SPS, PPS, IDR), (stap_a(SPS, PPS), IDR), (stap_a(SPS, PPS, IDR),)])
def test_parameter_sets_of_the_picture_itself_are_sent_once(payloads):
    packed = pack_unit(packetizer(SPS, PPS), *payloads)
    assert nal_units(packed) == [SPS, PPS, IDR]


def test_each_key_frame_has_them_and_only_before_its_first_slice():
    made = packetizer(SPS, PPS)
    for _ in range(2):
        assert nal_units(pack_unit(made, IDR, IDR)) == [SPS, PPS, IDR, IDR]
        assert pack_unit(made, P_SLICE) == [P_SLICE]


def test_sets_in_the_stream_replace_those_of_the_description():
    made = packetizer(SPS, PPS)
    assert nal_units(pack_unit(made, OTHER_SPS, OTHER_PPS, SECOND_PPS, IDR)) == [OTHER_SPS, OTHER_PPS, SECOND_PPS, IDR]
    assert nal_units(pack_unit(made, IDR)) == [OTHER_SPS, OTHER_PPS, SECOND_PPS, IDR]
    made.set_parameter_sets((SPS, PPS))
    assert nal_units(pack_unit(made, IDR)) == [SPS, PPS, IDR]
    made.set_parameter_sets(())
    assert nal_units(pack_unit(made, IDR)) == [SPS, PPS, IDR], "a track without sets in its description keeps them"


def test_sets_that_stand_alone_or_before_other_pictures_start_no_viewer_there():
    """mediasoup takes any SPS for a key frame: the viewer would begin with a picture that cannot be decoded."""
    made = packetizer(SPS, PPS)
    assert pack_unit(made, SPS, PPS) == []
    assert pack_unit(made, SPS, PPS, P_SLICE) == [P_SLICE]
    assert pack_unit(made, OTHER_SPS) == []
    assert nal_units(pack_unit(made, IDR)) == [OTHER_SPS, PPS, IDR]


def test_a_changed_pps_of_another_picture_is_passed_on_at_once():
    made = packetizer(SPS, PPS)
    assert nal_units(pack_unit(made, OTHER_PPS, P_SLICE)) == [OTHER_PPS, P_SLICE]
    assert nal_units(pack_unit(made, OTHER_PPS, P_SLICE)) == [P_SLICE]


@pytest.mark.parametrize("payloads", [(SPS, PPS, I_SLICE), (SPS, PPS, RECOVERY, P_SLICE)])
def test_a_camera_without_idr_pictures_starts_viewers_where_it_repeats_its_sets(payloads):
    units = nal_units(pack_unit(packetizer(), *payloads))
    assert units[:2] == [SPS, PPS]
    assert units[-1] == payloads[-1]


def test_information_before_a_picture_goes_with_its_sets_and_delimiters_are_left_out():
    made = packetizer(SPS, PPS)
    assert pack_unit(made, DELIMITER, SEI, IDR) == [stap_a(SPS, PPS, SEI), IDR]
    assert nal_units(pack_unit(made, DELIMITER, P_SLICE, FILLER)) == [P_SLICE, FILLER]


def test_large_units_are_cut_and_the_same_come_out():
    packed = pack_unit(packetizer(SPS, PPS), LARGE_IDR)
    assert max(map(len, packed)) == LIMIT
    assert nal_units(packed) == [SPS, PPS, LARGE_IDR]


@pytest.mark.parametrize("size", [100, 1186, 1187, 1300, 1458, 8000, 60_000])
def test_fragments_of_any_size_come_out_as_packets_that_fit(size):
    unit = b"\x65\x88" + filled(150_000)
    packed = pack_unit(packetizer(SPS, PPS), *fragments(unit, size))
    assert max(map(len, packed)) <= LIMIT
    assert nal_units(packed) == [SPS, PPS, unit]


def test_fragments_that_fit_are_passed_unchanged():
    sent = fragments(b"\x41\x9a" + filled(5000), 1000)
    assert pack_unit(packetizer(SPS, PPS), *sent) == sent


def test_bytes_are_sent_before_the_end_of_the_unit():
    made = packetizer(SPS, PPS)
    packed = [made.pack(payload) for payload in fragments(b"\x41\x9a" + filled(7000), 1400)]
    assert all(packed), "no packet of the camera waits for the last"
    assert sum(len(part) - 2 for parts in packed[:3] for part in parts) > 2.1 * 1400


def test_fragments_after_a_loss_are_dropped_until_the_next_start():
    made = packetizer(SPS, PPS)
    unit = b"\x41\x9a" + filled(7000)
    first, second, *others = fragments(unit, 1400)
    assert made.pack(first)
    made.resync()
    assert [made.pack(payload) for payload in (second, *others)] == [[]] * 5
    assert nal_units(pack_unit(made, *fragments(unit, 1400))) == [unit]


@pytest.mark.parametrize("code", [b"\0\0\1", b"\0\0\0\1"])
def test_start_codes_are_taken_out(code):
    made = packetizer()
    annex_b = b"".join(code + unit for unit in (DELIMITER, SPS, PPS, SEI, IDR))
    assert nal_units(pack_unit(made, annex_b)) == [SPS, PPS, SEI, IDR]
    assert nal_units(pack_unit(made, SPS + code + PPS + code + IDR)) == [SPS, PPS, IDR]
    assert nal_units(pack_unit(made, stap_a(code + SPS, code + PPS), code + IDR)) == [SPS, PPS, IDR]


@pytest.mark.parametrize("size", [4, 50, 1400])
def test_start_codes_within_fragments_are_taken_out(size):
    large = SPS + b"\0\0\0\1" + PPS + b"\0\0\0\1" + b"\x65\x88" + filled(3000)
    # Borders of the fragments are not inside a start code.
    head, tail = large[:20], large[20:]
    payloads = [
        bytes((0x7C, 0x87)) + head[1:],
        *[bytes((0x7C, 0x07)) + tail[at : at + size] for at in range(0, len(tail) - 1, size)],
        bytes((0x7C, 0x47)) + tail[-1:],
    ]
    rest = len(tail) - (len(tail) - 1) // size * size
    payloads[-2] = payloads[-2][: 2 + (rest - 1 if rest > 1 else size)]
    units = nal_units(pack_unit(packetizer(), *payloads))
    assert units[:2] == [SPS, PPS]
    assert units[2][:2] == b"\x65\x88"


def test_parameter_sets_in_fragments_are_understood():
    made = packetizer()
    pack_unit(made, *fragments(SPS, 4), *fragments(PPS, 2))
    assert nal_units(pack_unit(made, IDR)) == [SPS, PPS, IDR]


def test_large_information_before_a_picture_in_fragments_is_cut_too():
    large = b"\x06\x05" + filled(3000)
    made = packetizer(SPS, PPS)
    packed = pack_unit(made, large, *fragments(LARGE_IDR, 1300))
    assert max(map(len, packed)) <= LIMIT
    assert nal_units(packed) == [SPS, PPS, large, LARGE_IDR]


def test_a_fragment_that_is_start_and_end_is_a_whole_unit():
    assert pack_unit(packetizer(), b"\x5c\xc1" + P_SLICE[1:]) == [P_SLICE]


def test_the_flags_of_a_camera_that_marks_every_fragment_as_start_are_mended():
    first, second, third = fragments(b"\x41\x9a" + filled(2500), 1000)
    packed = pack_unit(packetizer(), first, second, bytes((third[0], third[1])) + third[2:])
    assert nal_units(packed) == [b"\x41\x9a" + filled(2500)]


UNUSABLE = [
    b"\x00\x00\x01\x00",
    b"\x78\x00\x02\x1eab",
    b"\x7c\x80abc",
    b"\x7c\x9cabc",
    b"\x7c\xdeabc",
    b"\x00\x00\x01\x1eab",
    b"",
    b"\x65",
    b"\x7c",
    b"\x7c\x85",
    b"\x7c\xc5",
    b"\x78",
    b"\x78\x00",
    b"\x00\x00",
    b"\x1d\x85abc",
]


@pytest.mark.parametrize("payload", UNUSABLE)
def test_unusable_payloads_yield_nothing(payload):
    made = packetizer(SPS, PPS)
    assert made.pack(payload) == []
    assert nal_units(pack_unit(made, IDR)) == [SPS, PPS, IDR]


def test_memory_is_bounded_whatever_a_camera_sends():
    made = packetizer(SPS, PPS)
    for number in range(5000):
        made.pack(b"\x06\x05" + filled(1000, number))
        made.pack(bytes((0x68, 0, 0, number >> 8 | 1, number & 255 | 1)) + filled(800, number))
        made.pack(b"\x7c\x87" + filled(1000))
        made.pack(b"\x7c\x07" + filled(1000))
    held = [*made._prefix, *made._sps.values(), *made._pps.values(), made._rest]
    assert sum(map(len, held)) < 400_000


PIECES = [SPS, PPS, SEI, IDR, P_SLICE, DELIMITER, FILLER, b"\0\0\1", b"\0\0\0\1", b"\x7c\x85", b"\x7c\x05", b"\x7c\x45"]
HEADS = [b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x65", b"\x78\x04\xb0\x65", b"\x7c\x87", b"\x7c\x48"]
PAYLOADS = st.lists(
    st.one_of(
        st.binary(max_size=1500),
        st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join),
        st.builds(
            lambda head, size: head + filled(size),
            st.sampled_from(
                [b"\x7c\x85", b"\x7c\x05", b"\x7c\x45", b"\x65", b"\x78\x04\xb0\x65", b"\x7c\x87", b"\x7c\x48"]
            ),
            st.integers(0, 65_000),
        ),
    ),
    max_size=12,
)


@settings(max_examples=400)
@given(payloads=PAYLOADS, lost=st.sets(st.integers(0, 11)), ends=st.sets(st.integers(0, 11)))
def test_any_payloads_yield_valid_packets_that_fit(payloads, lost, ends):
    made = packetizer(SPS, PPS)
    for number, payload in enumerate(payloads):
        for part in made.pack(payload):
            assert 0 < len(part) <= LIMIT
            assert 0 < part[0] & 31 < 29
            assert part[0] & 31 != 28 or part[1] & 0xC0 != 0xC0
        if number in lost:
            made.resync()
        if number in ends:
            made.end_unit()
    units = nal_units([*made.pack(P_SLICE)][-1:])
    assert units == [P_SLICE]
