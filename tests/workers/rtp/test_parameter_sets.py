"""Parameter sets say what FFmpeg reads from them, in whatever order and form a camera sends them."""

import base64

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mp4.avc import parse_avc
from tests.workers.rtp.feeds import encode, nals_of, split_nals, sprop_of
from workers.rtp import h264_sets, h265_sets
from workers.rtp.bits import Bits
from workers.rtp.parameter_sets import (
    InvalidParameterSet,
    ParameterSets,
    build_codec_data,
    is_same_format,
    parse_sprop,
)

X265 = "log-level=none:keyint=4"
CASES = {
    "h264 baseline": ("h264", "-profile:v", "baseline", "-pix_fmt", "yuv420p"),
    "h264 main": ("h264", "-profile:v", "main", "-pix_fmt", "yuv420p", "-bf", "2"),
    "h264 high, cropped": ("h264", "-pix_fmt", "yuv420p", "-s", "322x182", "-bf", "0"),
    "h264 interlaced": ("h264", "-pix_fmt", "yuv420p", "-flags", "+ildct+ilme", "-x264-params", "tff=1"),
    "h264 full range": ("h264", "-pix_fmt", "yuvj420p", "-color_range", "pc", "-colorspace", "bt709"),
    "h264 with hrd": (
        "h264",
        "-pix_fmt",
        "yuv420p",
        "-b:v",
        "300k",
        "-x264-params",
        "nal-hrd=cbr:vbv-maxrate=300:vbv-bufsize=300",
    ),
    "h264 own quantisation": ("h264", "-pix_fmt", "yuv420p", "-x264-params", "cqm=jvt"),
    "h264 10 bits": ("h264", "-pix_fmt", "yuv420p10le"),
    "h264 4:2:2": ("h264", "-pix_fmt", "yuv422p"),
    "h264 4:4:4": ("h264", "-pix_fmt", "yuv444p"),
    "h264 grey": ("h264", "-pix_fmt", "gray"),
    "h264 intra": ("h264", "-pix_fmt", "yuv422p10le", "-profile:v", "high422", "-g", "1"),
    "h265": ("hevc", "-pix_fmt", "yuv420p", "-x265-params", X265 + ":bframes=0"),
    "h265 with B-frames": ("hevc", "-pix_fmt", "yuv420p", "-x265-params", X265 + ":bframes=3"),
    "h265 cropped": ("hevc", "-pix_fmt", "yuv420p", "-s", "322x182", "-x265-params", X265),
    "h265 10 bits": ("hevc", "-pix_fmt", "yuv420p10le", "-x265-params", X265),
    "h265 4:2:2": ("hevc", "-pix_fmt", "yuv422p", "-x265-params", X265),
    "h265 4:4:4, 12 bits": ("hevc", "-pix_fmt", "yuv444p12le", "-x265-params", X265),
    "h265 grey": ("hevc", "-pix_fmt", "gray", "-x265-params", X265),
    "h265 full range": ("hevc", "-pix_fmt", "yuvj420p", "-color_range", "pc", "-x265-params", X265 + ":range=full"),
    "h265 own quantisation": ("hevc", "-pix_fmt", "yuv420p", "-x265-params", X265 + ":scaling-list=default"),
    "h265 with layers": ("hevc", "-pix_fmt", "yuv420p", "-x265-params", X265 + ":temporal-layers=2"),
    "h265 with hrd": (
        "hevc",
        "-pix_fmt",
        "yuv420p",
        "-x265-params",
        X265 + ":hrd=1:vbv-maxrate=300:vbv-bufsize=300:bitrate=300",
    ),
}


@pytest.fixture(scope="module")
def stream_of():
    found: dict[str, bytes] = {}

    def find(name: str) -> bytes:
        if name not in found:
            codec, *options = CASES[name]
            found[name] = encode(codec, *options, frames=3)
        return found[name]

    return find


def is_set(codec: str, nal: bytes) -> bool:
    return nal[0] & 0x1F in (7, 8) if codec == "h264" else nal[0] >> 1 in (32, 33, 34)


def sets_of(codec: str, stream: bytes) -> list[bytes]:
    return list(dict.fromkeys(nal for nal in split_nals(stream) if is_set(codec, nal)))


@pytest.mark.parametrize("name", CASES)
def test_codec_data_are_what_ffmpeg_reads_from_the_stream(name, stream_of):
    codec = CASES[name][0]
    stream = stream_of(name)
    data = build_codec_data(codec, sets_of(codec, stream))
    context = av.CodecContext.create(codec, "r")
    for packet in [*context.parse(stream), *context.parse(b"")]:
        context.decode(packet)
    assert (data.width, data.height) == (context.width, context.height)
    assert data.pixel_format == context.pix_fmt
    assert data.profile == context.profile
    assert data.fps == 25
    assert data.has_b_frames == context.has_b_frames
    # A decoder that has only the extra data knows the same, and decodes the units.
    alone = av.CodecContext.create(codec, "r")
    alone.extradata = data.extra_data
    alone.options = {"err_detect": "explode"}
    units = b"".join(len(nal).to_bytes(4, "big") + nal for nal in split_nals(stream) if not is_set(codec, nal))
    key = nals_of(units)
    first = b"".join(len(nal).to_bytes(4, "big") + nal for nal in key[: 1 + next(filter_slices(codec, key))])
    frames = [*alone.decode(av.Packet(first)), *alone.decode(None)]
    assert [(frame.width, frame.height, frame.format.name) for frame in frames] == [
        (data.width, data.height, data.pixel_format)
    ]


def filter_slices(codec: str, nals: list[bytes]):
    """Numbers of the slices."""
    for number, nal in enumerate(nals):
        if (nal[0] & 0x1F in (1, 5)) if codec == "h264" else (nal[0] >> 1 < 32):
            yield number


def test_avcc_is_what_ffmpeg_writes(stream_of):
    for name, (codec, *_) in CASES.items():
        if codec == "h264":
            data = build_codec_data(codec, sets_of(codec, stream_of(name)))
            parsed = parse_avc(data.extra_data)
            assert (*parsed.sequence_sets, *parsed.picture_sets) == data.parameter_sets
            assert parsed.length_size == 4
            assert bool(parsed.extension) == (parsed.profile not in (66, 77, 88))


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_nothing_is_announced_before_all_sets_are_known(codec, stream_of):
    sets = sets_of(codec, stream_of("h264 main" if codec == "h264" else "h265"))
    for number in range(len(sets)):
        assert build_codec_data(codec, sets[:number] + sets[number + 1 :]) is None
    assert build_codec_data(codec, reversed(sets)) == build_codec_data(codec, sets)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_sets_of_an_sdp_are_read_in_any_form(codec, stream_of):
    sets = sets_of(codec, stream_of("h264 main" if codec == "h264" else "h265"))
    wanted = build_codec_data(codec, sets)
    texts = [base64.b64encode(nal).decode() for nal in sets]
    joined = base64.b64encode(b"".join(b"\0\0\0\1" + nal for nal in sets)).decode()
    forms = [
        ",".join(texts),
        ",".join(reversed(texts)),
        ", ".join(text.rstrip("=") for text in texts),
        ",".join(text + "==" for text in texts),
        '"' + ",".join(texts) + '"',
        ",".join(text.replace("+", "-").replace("/", "_") for text in texts),
        "AAAA,!!!!,,=,é," + ",".join(texts) + ",x",
        joined,
        ",".join(base64.b64encode(b"\0\0\1" + nal).decode() for nal in sets),
    ]
    for form in forms:
        store = ParameterSets(codec)
        store.add_from_sdp({"sprop-parameter-sets": form})
        assert store.codec_data == wanted, form
    store = ParameterSets(codec)
    store.add_from_sdp(sprop_of(codec, sets))
    assert store.codec_data == wanted


def test_sets_in_band_count_more_than_those_of_the_sdp(stream_of):
    for codec, old, new in (("h264", "h264 high, cropped", "h264 10 bits"), ("hevc", "h265 cropped", "h265 10 bits")):
        store = ParameterSets(codec)
        store.add_from_sdp(sprop_of(codec, sets_of(codec, stream_of(old))))
        sets = sets_of(codec, stream_of(new))
        for nal in sets:
            assert store.add(nal)
        store.use(0)
        assert store.codec_data == build_codec_data(codec, sets)


def test_sets_of_several_ids_are_those_of_the_picture():
    first = sets_of("h264", encode("h264", "-pix_fmt", "yuv420p", frames=1))
    second = sets_of("h264", encode("h264", "-pix_fmt", "yuv420p", "-s", "96x64", "-x264-params", "sps-id=1", frames=1))
    store = ParameterSets("h264")
    for nal in [*first, *second]:
        store.add(nal)
    for pps_id, sets in ((0, first), (1, second), (0, first)):
        store.use(pps_id)
        assert store.codec_data.parameter_sets == tuple(sets)
    store.use(77)
    assert store.codec_data.parameter_sets == tuple(first)


def test_picture_sets_of_an_old_sequence_set_are_forgotten():
    one = sets_of("h264", encode("h264", "-pix_fmt", "yuv420p", frames=1))
    other = sets_of("h264", encode("h264", "-profile:v", "main", "-pix_fmt", "yuv420p", frames=1))
    store = ParameterSets("h264")
    extra = b"\x68" + bytes((0b01010000,)) + one[1][1:]  # pps id 1, sps id 0 …
    assert h264_sets.parse_pps(extra)[0] == 1
    for nal in (one[0], extra, one[1], other[0], other[1]):
        store.add(nal)
    store.use(0)
    assert store.codec_data.parameter_sets == tuple(other)


def test_what_changes_within_a_format_is_the_same_format(stream_of):
    def data(codec: str, *options: str):
        return build_codec_data(codec, sets_of(codec, encode(codec, *options, frames=1)))

    plain = data("h264", "-pix_fmt", "yuv420p", "-bf", "0")
    same = [
        data(
            "h264",
            "-pix_fmt",
            "yuv420p",
            "-bf",
            "2",
            "-b:v",
            "300k",
            "-x264-params",
            "nal-hrd=vbr:vbv-maxrate=300:vbv-bufsize=300",
        ),
        data("h264", "-pix_fmt", "yuv420p", "-bf", "0", "-r", "13"),
        data("h264", "-pix_fmt", "yuv420p", "-bf", "0", "-x264-params", "sps-id=3"),
        data("h264", "-pix_fmt", "yuvj420p", "-color_range", "pc"),
    ]
    assert all(is_same_format(plain, one) and one != plain for one in same)
    others = [
        data("h264", "-pix_fmt", "yuv420p", "-s", "192x176"),
        data("h264", "-pix_fmt", "yuv422p"),
        data("h264", "-pix_fmt", "yuv420p10le"),
        data("h264", "-pix_fmt", "yuv420p", "-profile:v", "baseline"),
        data("hevc", "-pix_fmt", "yuv420p"),
    ]
    assert not any(is_same_format(plain, one) for one in others)


def test_too_many_and_too_long_sets_are_not_kept():
    assert len(parse_sprop(",".join(["Z0LAHtkA"] * 10_000))) <= 64
    assert len(parse_sprop("A" * 10_000_000)) <= 64
    store = ParameterSets("h264")
    assert not store.add(b"\x67\x42\x00\x1e" + b"\xff" * 5000)
    assert not store.add(b"")


@given(st.binary(max_size=200), st.sampled_from([0x67, 0x68, 0x40, 0x42, 0x44]))
def test_any_bytes_are_a_set_or_refused(content, first):
    nal = bytes((first,)) + content
    for parse in (
        h264_sets.parse_sps,
        h264_sets.parse_pps,
        h265_sets.parse_sps,
        h265_sets.parse_pps,
        h265_sets.parse_vps,
    ):
        try:
            parse(nal)
        except InvalidParameterSet:
            continue
    for codec in ("h264", "hevc"):
        store = ParameterSets(codec)
        store.add(nal)
        store.use(None)


@given(st.data())
def test_a_set_with_wrong_bits_is_read_or_refused(data):
    for codec, sets in KNOWN_SETS.items():
        for nal in sets:
            changed = bytearray(nal)
            for _ in range(data.draw(st.integers(1, 4))):
                changed[data.draw(st.integers(1, len(nal) - 1))] = data.draw(st.integers(0, 255))
            found = build_codec_data(codec, [bytes(changed[: data.draw(st.integers(1, len(nal)))]), *sets])
            assert found is None or found.width > 0


KNOWN_SETS = {
    "h264": parse_sprop("Z2QADKyyBgzYCIAAAAMAgAAAGQeKFck=,aOvjyyLA"),
    "hevc": parse_sprop(
        "QAEMAf//AWAAAAMAkAAAAwAAAwA8koCQ,QgEBAWAAAAMAkAAAAwAAAwA8oGIBQWWWpJKa4BAAAAMAEAAAAwGQgA==,RAHBcrRiQA=="
    ),
}


@given(st.text())
def test_any_text_is_a_parameter_of_an_sdp(text):
    assert all(isinstance(nal, bytes) for nal in parse_sprop(text))


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=20))
def test_numbers_are_read_as_they_were_written(values):
    written = "".join("0" * ((value + 1).bit_length() - 1) + f"{value + 1:b}" for value in values)
    data = int(written.ljust(-(-len(written) // 8) * 8, "0"), 2).to_bytes(-(-len(written) // 8), "big")
    bits = Bits(data.replace(b"\0\0\0", b"\0\0\3\0") if b"\0\0\3" not in data else data)
    if b"\0\0\3" not in data and b"\0\0" not in data:
        assert [bits.number() for _ in values] == values
