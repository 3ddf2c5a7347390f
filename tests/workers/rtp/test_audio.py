"""Depacketizers of sound: what a real sender sends is heard, and what cameras announce wrongly is corrected."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.ingest.encoded import H264, encode_audio, encode_video
from tests.workers.ingest.hearing import as_stream, decode_sound, pitch_of
from tests.workers.rtp.sent import Sent, send_sound
from workers.ingest.matroska import FEEDABLE_AUDIO, MatroskaWriter
from workers.rtp.aac_config import InvalidConfig, build_config, parse_config
from workers.rtp.audio import depacketizer_for
from workers.rtp.depacketizer import AudioDepacketizer
from workers.rtp.units import AUDIO, CodecData, MediaUnit, TrackDescription

LC_16000_MONO = "1408"
G726 = ("-ar", "8000", "-c:a")
SENDERS = {
    "a-law": (("-ar", "8000", "-c:a", "pcm_alaw"), ""),
    "µ-law": (("-ar", "8000", "-c:a", "pcm_mulaw"), ""),
    "µ-law of 16 kHz": (("-c:a", "pcm_mulaw"), ""),
    "L16": (("-c:a", "pcm_s16be"), ""),
    "L16 in stereo": (("-ac", "2", "-ar", "44100", "-c:a", "pcm_s16be"), ""),
    "G.722": (("-c:a", "g722"), ""),
    "G726-16": ((*G726, "adpcm_g726le", "-b:a", "16k"), ""),
    "G726-24": ((*G726, "adpcm_g726le", "-b:a", "24k"), ""),
    "G726-32": ((*G726, "adpcm_g726le", "-b:a", "32k"), ""),
    "G726-40": ((*G726, "adpcm_g726le", "-b:a", "40k"), ""),
    "AAL2-G726-24": ((*G726, "g726", "-b:a", "24k"), ""),
    "AAL2-G726-32": ((*G726, "g726", "-b:a", "32k"), ""),
    "AAC": (("-c:a", "aac"), ""),
    "AAC in stereo": (("-ac", "2", "-ar", "48000", "-b:a", "128k", "-c:a", "aac"), ""),
    "AAC in fragments": (("-ac", "2", "-ar", "48000", "-b:a", "512k", "-c:a", "aac"), "-pkt_size 200"),
    "LATM": (("-c:a", "aac"), "-rtpflags latm"),
    "LATM in fragments": (("-ac", "2", "-ar", "48000", "-b:a", "512k", "-c:a", "aac"), "-rtpflags latm -pkt_size 200"),
    "Opus": (("-ar", "48000", "-c:a", "libopus"), ""),
    "Opus of 60 ms": (("-ar", "48000", "-c:a", "libopus", "-frame_duration", "60"), ""),
    "MPEG layer 2": (("-c:a", "mp2"), ""),
    "MPEG layer 3": (("-ar", "32000", "-c:a", "libmp3lame"), ""),
    "MPEG layer 2 in fragments": (("-ar", "48000", "-c:a", "mp2", "-b:a", "384k"), "-pkt_size 300"),
}


def describe(codec: str, *, rate: int = 16000, channels: int = 1, **parameters: str) -> TrackDescription:
    return TrackDescription(0, AUDIO, codec, 97, rate, channels, parameters)


def receive(sent: Sent, track: TrackDescription | None = None) -> tuple[AudioDepacketizer, list[MediaUnit]]:
    """The units of all packets; the times must follow each other without a hole."""
    depacketizer = depacketizer_for(track or sent.track)
    units = []
    for stamp, payload in sent.packets:
        for ticks, frame in depacketizer.take(payload):
            unit = MediaUnit(AUDIO, (stamp + ticks) / sent.track.clock_rate, frame)
            unit.duration = depacketizer.frame_ticks / sent.track.clock_rate
            units.append(unit)
    return depacketizer, units


def mux_config(config: int = 0x1408, *, subframes: int = 1) -> str:
    """The bits of a StreamMuxConfig of one layer, with frames of any length and nothing else."""
    return "0" + "1" + f"{subframes - 1:06b}" + "0000" + "000" + f"{config:016b}" + "000" + "1" * 8 + "00"


def to_bytes(bits: str) -> bytes:
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def hear(codec_data: CodecData, units: list[MediaUnit]) -> tuple[float, float]:
    """Seconds and pitch of what FFmpeg decodes."""
    video, pictures = encode_video(*H264)
    both = sorted([*pictures, *units], key=lambda unit: unit.time)
    samples = decode_sound(as_stream(MatroskaWriter(video, codec_data), both, begin=1.0), 16000)
    return len(samples) / 16000, pitch_of(samples, 16000)


@pytest.mark.integration
@pytest.mark.parametrize("name", SENDERS)
def test_what_a_sender_sends_is_heard(name: str):
    arguments, options = SENDERS[name]
    sent = send_sound(*arguments, options=options)
    depacketizer, units = receive(sent)
    assert depacketizer.problem is None
    assert depacketizer.codec_data.codec in FEEDABLE_AUDIO
    seconds, pitch = hear(depacketizer.codec_data, units)
    assert seconds == pytest.approx(2, abs=0.15)
    assert pitch == pytest.approx(440, abs=3)
    for before, after in itertools.pairwise(units):
        assert after.time - before.time == pytest.approx(before.duration, abs=0.001)


#: What is announced for packets of AAC LC with 16 kHz and one channel.
WRONG = {
    "no configuration": {"config": None},
    "no parameter at all": None,
    "an empty configuration": {"config": ""},
    "a configuration that is no hexadecimal": {"config": "14x8"},
    "the profile Main": {"config": "0c08"},
    "the profile SSR": {"config": "1c08"},
    "two channels": {"config": "1410"},
    "a configuration of another codec": {"config": "42001f"},
    "channels that nobody has": {"config": "1478"},
}


@pytest.mark.integration
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("options", ["", "-rtpflags latm"], ids=["RFC 3640", "LATM"])
def test_aac_that_is_described_wrongly_is_heard(name: str, options: str):
    sent = send_sound("-c:a", "aac", options=options)
    encoding = sent.track.parameters["encoding"]
    wrong = WRONG[name]
    if options and name == "two channels":
        wrong = {"config": to_bytes(mux_config(0x1410)).hex()}
    parameters = dict(sent.track.parameters) | {key: value for key, value in (wrong or {}).items() if value is not None}
    if wrong is None:
        parameters = {"encoding": encoding}
    elif wrong["config"] is None:
        del parameters["config"]
    depacketizer, units = receive(sent, dataclasses.replace(sent.track, parameters=parameters))
    assert depacketizer.problem is None
    config = parse_config(depacketizer.codec_data.extra_data)
    assert (config.object_type, config.sample_rate, config.channels) == (2, 16000, 1)
    last = [unit for unit in units if unit.time > 0.7]
    seconds, pitch = hear(depacketizer.codec_data, last)
    assert seconds > 1.1
    assert pitch == pytest.approx(440, abs=3)


@pytest.mark.parametrize("config", ["", "zz", "0c08", "14", "f8", "ffff", "12" * 100, "1478", "0000", "1408" * 40])
def test_no_aac_is_announced_without_a_valid_configuration(config: str):
    depacketizer = depacketizer_for(describe("aac", encoding="mpeg4-generic", config=config))
    assert depacketizer.codec_data is None
    assert "AAC" in depacketizer.problem
    assert depacketizer.take(b"\x00\x10" + (400 << 3).to_bytes(2, "big") + b"\xaa" * 400) == []


def test_the_profile_that_cannot_be_played_is_named():
    assert "'Main'" in depacketizer_for(describe("aac", config="0c08")).problem


def test_packets_of_another_codec_prove_nothing():
    depacketizer = depacketizer_for(describe("aac", encoding="mpeg4-generic"))
    for number in range(500):
        assert depacketizer.take(bytes([0xD5 ^ number % 7] * 160)) == []
    assert depacketizer.codec_data is None
    assert depacketizer.problem


@pytest.mark.integration
@pytest.mark.parametrize("is_wrapped", [False, True], ids=["bare", "behind an AU header"])
def test_frames_with_an_adts_header_are_stripped_of_it_and_prove_the_configuration(is_wrapped: bool):
    _, sounds = encode_audio("-c:a", "aac")
    depacketizer = depacketizer_for(describe("aac", encoding="mpeg4-generic"))
    for unit in sounds:
        size = len(unit.data) + 7
        adts = bytes([0xFF, 0xF1, 0x60, 0x40 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F, 0xFC]) + unit.data
        payload = b"\x00\x10" + (size << 3).to_bytes(2, "big") + adts if is_wrapped else adts
        assert depacketizer.take(payload) == [(0, unit.data)]
    assert depacketizer.codec_data.extra_data.hex() == LC_16000_MONO


def test_several_frames_in_a_packet_follow_each_other():
    depacketizer = depacketizer_for(describe("aac", encoding="mpeg4-generic", config=LC_16000_MONO))
    payload = b"\x00\x20" + (10 << 3).to_bytes(2, "big") + (5 << 3).to_bytes(2, "big") + b"a" * 10 + b"b" * 5
    assert depacketizer.take(payload) == [(0, b"a" * 10), (1024, b"b" * 5)]


def test_the_fields_of_an_au_header_have_any_length():
    parameters = {"config": LC_16000_MONO, "sizelength": "6", "indexlength": "2", "indexdeltalength": "2"}
    depacketizer = depacketizer_for(describe("aac", **parameters, ctsdeltalength="8", randomaccessindication="1"))
    # Two headers of 10 and 18 bits: size, index, CTS flag (with 8 bits in the second), random access.
    bits = f"{9:06b}00" + "01" + f"{4:06b}01" + "1" + "00000000" + "1"
    headers = int(bits.ljust(32, "0"), 2).to_bytes(4, "big")
    payload = len(bits).to_bytes(2, "big") + headers + b"a" * 9 + b"b" * 4
    assert depacketizer.take(payload) == [(0, b"a" * 9), (2048, b"b" * 4)]


def test_frames_of_a_constant_size_need_no_header():
    depacketizer = depacketizer_for(describe("aac", config=LC_16000_MONO, constantsize="8"))
    assert depacketizer.take(b"a" * 8 + b"b" * 8 + b"c") == [(0, b"a" * 8), (1024, b"b" * 8)]


def test_a_frame_whose_fragment_was_lost_is_left_out():
    depacketizer = depacketizer_for(describe("aac", config=LC_16000_MONO))
    header = b"\x00\x10" + (300 << 3).to_bytes(2, "big")
    assert depacketizer.take(header + b"a" * 200) == []
    depacketizer.reset()
    assert depacketizer.take(header + b"b" * 200) == []
    assert depacketizer.take(header + b"b" * 100) == [(0, b"b" * 300)]


@pytest.mark.integration
def test_latm_with_its_configuration_in_band():
    _, sounds = encode_audio("-c:a", "aac")
    depacketizer = depacketizer_for(describe("aac", encoding="mp4a-latm", cpresent="1"))
    for number, unit in enumerate(sounds):
        length = "1" * 8 * (len(unit.data) // 255) + f"{len(unit.data) % 255:08b}"
        bits = ("0" + mux_config() if number == 0 else "1") + length + "".join(f"{byte:08b}" for byte in unit.data)
        assert depacketizer.take(to_bytes(bits)) == [(0, unit.data)]
    assert depacketizer.codec_data.extra_data.hex() == LC_16000_MONO


def test_latm_with_several_frames_in_an_element():
    config = to_bytes(mux_config(subframes=2)).hex()
    depacketizer = depacketizer_for(describe("aac", encoding="mp4a-latm", cpresent="0", config=config))
    assert depacketizer.take(b"\x03aaa\x02bb") == [(0, b"aaa"), (1024, b"bb")]


@pytest.mark.parametrize(("text", "profile", "rate"), [("1408", "LC", 16000), ("2b09880800", "HE-AAC", 24000)])
def test_a_configuration_is_read(text: str, profile: str, rate: int):
    config = parse_config(bytes.fromhex(text))
    assert (config.profile, config.sample_rate, config.is_playable) == (profile, rate, True)
    assert config.codec_data().extra_data == bytes.fromhex(text)


def test_a_rate_that_aac_does_not_have_cannot_be_built():
    with pytest.raises(InvalidConfig, match="90000"):
        build_config(90000, 1)


@pytest.mark.parametrize("codec", ["speex", "g723_1", "pcm_s24be", "", "h264"])
def test_an_unknown_codec_has_no_depacketizer(codec: str):
    assert depacketizer_for(describe(codec)) is None


def test_robust_mpeg_audio_is_not_taken_for_plain():
    assert depacketizer_for(describe("mp3", rate=90000, encoding="mpa-robust")) is None


@pytest.mark.parametrize("track", [describe("pcm_alaw", rate=0), describe("pcm_s16be", channels=64)])
def test_a_track_with_absurd_properties_has_no_depacketizer(track: TrackDescription):
    assert depacketizer_for(track) is None


CODECS = st.sampled_from(
    [
        ("pcm_alaw", "pcma"),
        ("pcm_s16be", "l16"),
        ("adpcm_g722", "g722"),
        ("adpcm_g726", "g726-24"),
        ("adpcm_g726", "aal2-g726-40"),
        ("aac", "mpeg4-generic"),
        ("aac", "mp4a-latm"),
        ("opus", "opus"),
        ("mp2", "mpa"),
    ]
)
NUMBERS = st.one_of(st.integers(0, 70).map(str), st.sampled_from(["", "-1", "x", "9" * 30, "²"]))
LENGTHS = (
    "sizelength",
    "indexlength",
    "indexdeltalength",
    "constantsize",
    "ctsdeltalength",
    "dtsdeltalength",
    "randomaccessindication",
    "streamstateindication",
    "auxiliarydatasizelength",
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "config": st.one_of(st.binary(max_size=40).map(bytes.hex), st.sampled_from(["1408", "40002420", "4000"])),
        "cpresent": st.sampled_from(["0", "1", "?"]),
        **dict.fromkeys(LENGTHS, NUMBERS),
    },
)
PAYLOADS = st.one_of(
    st.binary(max_size=100),
    st.binary(max_size=60).map(lambda data: b"\x00\x10" + data),
    st.binary(max_size=60).map(lambda data: b"\xff\xf1" + data),
    st.integers(1, 65_000).map(lambda size: b"\xff" * size),
)


@given(CODECS, PARAMETERS, st.lists(PAYLOADS, max_size=20))
def test_no_packet_and_no_description_raises_or_collects_memory(codec, parameters, payloads):
    depacketizer = depacketizer_for(describe(codec[0], encoding=codec[1], **parameters))
    begun = 0
    for payload in payloads:
        frames = depacketizer.take(payload)
        assert sum(len(frame) for _, frame in frames) <= begun + len(payload) + 2
        assert all(frame and ticks >= 0 for ticks, frame in frames)
        begun = len(getattr(depacketizer, "_begun", b""))
        assert begun <= 70_000
        if frames:
            assert depacketizer.codec_data is not None
        if depacketizer.codec_data is not None and depacketizer.codec_data.codec == "aac":
            parse_config(depacketizer.codec_data.extra_data)
