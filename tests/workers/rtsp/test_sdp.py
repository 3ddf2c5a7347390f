"""Descriptions as cameras write them: tracks, codecs, directions, and a problem named for what cannot be used."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.rtsp.sdp import MAX_TRACKS, STATIC_TYPES, parse_sdp


def tracks(*lines: str, newline: str = "\r\n"):
    parsed = parse_sdp(newline.join(["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", *lines, ""]).encode())
    assert parsed is not None
    return parsed.tracks


def test_a_plain_description():
    video, audio = tracks(
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;profile-level-id=4D401F; sprop-parameter-sets=Z00A==,aO48gA==",
        "a=framerate:25.0",
        "a=control:trackID=1",
        "m=audio 0 RTP/AVP 104",
        "a=rtpmap:104 mpeg4-generic/16000/2",
        "a=fmtp:104 streamtype=5;mode=AAC-hbr;config=1408;SizeLength=13",
        "a=control:trackID=2",
    )
    assert (video.index, video.kind, video.codec, video.payload_type, video.clock_rate) == (
        0,
        "video",
        "h264",
        96,
        90000,
    )
    assert video.parameters["sprop-parameter-sets"] == "Z00A==,aO48gA=="
    assert video.parameters["framerate"] == "25.0"
    assert video.problem is None
    assert (audio.index, audio.codec, audio.clock_rate, audio.channels) == (1, "aac", 16000, 2)
    assert audio.parameters["config"] == "1408"
    assert audio.parameters["sizelength"] == "13"
    assert (audio.control, audio.direction) == ("trackID=2", "sendrecv")


@pytest.mark.parametrize(
    ("rtpmap", "codec", "rate", "channels"),
    [
        ("H264/90000", "h264", 90000, 1),
        ("h264/90000", "h264", 90000, 1),
        ("H265/90000", "hevc", 90000, 1),
        ("JPEG/90000", "mjpeg", 90000, 1),
        ("MP4V-ES/90000", "mpeg4", 90000, 1),
        ("H264", "h264", 90000, 1),
        ("H264/0", "h264", 90000, 1),
        ("H264/999999999", "h264", 90000, 1),
    ],
)
def test_video_codecs_have_the_names_of_ffmpeg(rtpmap: str, codec: str, rate: int, channels: int):
    (track,) = tracks("m=video 0 RTP/AVP 96", f"a=rtpmap:96 {rtpmap}")
    assert (track.codec, track.clock_rate, track.channels, track.problem) == (codec, rate, channels, None)


@pytest.mark.parametrize(
    ("rtpmap", "codec", "rate", "channels"),
    [
        ("PCMU/8000", "pcm_mulaw", 8000, 1),
        ("pcma/8000/1", "pcm_alaw", 8000, 1),
        ("PCMU/16000", "pcm_mulaw", 16000, 1),
        ("L16/16000", "pcm_s16be", 16000, 1),
        ("L16/44100/2", "pcm_s16be", 44100, 2),
        ("G722/8000", "adpcm_g722", 8000, 1),
        ("G722/16000", "adpcm_g722", 8000, 1),
        ("G726-16/8000", "adpcm_g726", 8000, 1),
        ("G726-32/8000", "adpcm_g726", 8000, 1),
        ("AAL2-G726-40/8000", "adpcm_g726", 8000, 1),
        ("mpeg4-generic/48000/2", "aac", 48000, 2),
        ("MPEG4-GENERIC/8000", "aac", 8000, 1),
        ("MP4A-LATM/90000", "aac", 90000, 1),
        ("opus/48000/2", "opus", 48000, 2),
        ("OPUS", "opus", 48000, 1),
        ("MPA/90000", "mp2", 90000, 1),
    ],
)
def test_sound_codecs_have_the_names_of_ffmpeg(rtpmap: str, codec: str, rate: int, channels: int):
    (track,) = tracks("m=audio 0 RTP/AVP 97", f"a=rtpmap:97 {rtpmap}")
    assert (track.codec, track.clock_rate, track.channels, track.problem) == (codec, rate, channels, None)
    assert track.parameters["encoding"] == rtpmap.partition("/")[0].lower()


def test_static_payload_types_need_no_rtpmap():
    kinds = {0: "pcm_mulaw", 8: "pcm_alaw", 9: "adpcm_g722", 10: "pcm_s16be", 14: "mp2"}
    for number, codec in kinds.items():
        (track,) = tracks(f"m=audio 0 RTP/AVP {number}")
        assert (track.codec, track.problem) == (codec, None)
        assert (track.clock_rate, track.channels) == STATIC_TYPES[number][1:]
    (track,) = tracks("m=video 0 RTP/AVP 26")
    assert (track.codec, track.clock_rate, track.problem) == ("mjpeg", 90000, None)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["m=video 0 RTP/AVP 96", "a=rtpmap:96 VP8/90000"], "the codec 'vp8' is not supported"),
        (["m=audio 0 RTP/AVP 18"], "the codec 'g729' is not supported"),
        (["m=video 0 RTP/AVP 96"], "its codec is not named"),
        (["m=video 0 RTP/AVP"], "its codec is not named"),
        (["m=video"], "its codec is not named"),
        (["m="], "it has no kind"),
        (["m=application 0 RTP/AVP 107"], "it carries neither video nor sound but 'application'"),
        (["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=inactive"], "the camera has switched it off"),
    ],
)
def test_what_cannot_be_used_is_named(lines: list[str], problem: str):
    assert tracks(*lines)[0].problem == problem


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n", "\n\r", "\r\r\n", "\r\n\r\n", " \r\n ", "\0\r\n"])
def test_any_mix_of_line_ends(newline: str):
    (track,) = tracks("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:x", newline=newline)
    assert (track.codec, track.control) == ("h264", "x")


def test_missing_lines_and_attributes_of_the_session():
    parsed = parse_sdp(b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n")
    assert parsed.control is None
    assert parsed.tracks[0].control == ""
    parsed = parse_sdp(
        b"v=0\na=control:rtsp://h/x/\na=recvonly\nm=video 0 RTP/AVP 26\nm=audio 0 RTP/AVP 0\na=sendrecv\n"
    )
    assert parsed.control == "rtsp://h/x/"
    assert [track.direction for track in parsed.tracks] == ["recvonly", "sendrecv"]


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"\xff" * 100, b"RTSP/1.0 200 OK\r\n", b"hello=world"])
def test_what_is_no_description(body: bytes):
    assert parse_sdp(body) is None


def test_the_first_payload_type_with_a_codec_that_is_supported_is_taken():
    (track,) = tracks("m=audio 0 RTP/AVP 18 99 8 0", "a=rtpmap:99 SPEEX/8000", "a=fmtp:8 x=1")
    assert (track.payload_type, track.codec, track.problem) == (8, "pcm_alaw", None)


def test_parameters_of_another_payload_type_count_where_there_is_only_one():
    (track,) = tracks(
        "m=audio 0 RTP/AVP 104", "a=rtpmap:104 mpeg4-generic/16000/1", "a=fmtp:97 mode=AAC-hbr; config=1408"
    )
    assert track.parameters["config"] == "1408"
    (track,) = tracks(
        "m=audio 0 RTP/AVP 104", "a=rtpmap:104 mpeg4-generic/16000/1", "a=fmtp:97 config=1", "a=fmtp:104 config=2"
    )
    assert track.parameters["config"] == "2"


@pytest.mark.parametrize(
    ("fmtp", "codec"),
    [
        ("sprop-parameter-sets=Z0==", "h264"),
        ("packetization-mode=1", "h264"),
        ("sprop-vps=QA==; sprop-sps=QB==", "hevc"),
    ],
)
def test_a_dynamic_type_without_rtpmap_is_known_by_its_parameters(fmtp: str, codec: str):
    (track,) = tracks("m=video 0 RTP/AVP 96", f"a=fmtp:96 {fmtp}")
    assert (track.codec, track.clock_rate, track.problem) == (codec, 90000, None)


def test_a_rtpmap_of_another_payload_type_counts_where_there_is_only_one():
    (track,) = tracks("m=video 0 RTP/AVP 96", "a=rtpmap:97 H265/90000")
    assert (track.payload_type, track.codec) == (96, "hevc")


TYPES = "0 3 4 5 6 7 8 9 10 11 12 14 15 16 17 18 97 98 99 100"


@pytest.mark.parametrize(
    ("directions", "loudspeaker"),
    [
        # As ONVIF writes them: the client's view.
        ({"back": "sendonly", "sound": "recvonly", "video": "recvonly"}, "back"),
        ({"back": "sendonly", "sound": "recvonly", "video": None}, "back"),
        ({"back": "sendonly", "sound": None, "video": None}, "back"),
        # As RFC 4566 means them: the camera's view.
        ({"back": "recvonly", "sound": "sendonly", "video": "sendonly"}, "back"),
        ({"back": None, "sound": None, "video": None}, None),
        ({"back": "sendrecv", "sound": "sendrecv", "video": "sendrecv"}, None),
    ],
)
def test_the_loudspeaker_of_a_camera_is_known_by_its_direction(directions: dict, loudspeaker: str | None):
    lines = [f"m=audio 0 RTP/AVP {TYPES}", "a=control:back"]
    lines += [f"a={directions['back']}"] * bool(directions["back"])
    lines += ["m=audio 0 RTP/AVP 8", "a=control:sound"] + [f"a={directions['sound']}"] * bool(directions["sound"])
    lines += ["m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000", "a=control:meta"]
    lines += ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:video"]
    lines += [f"a={directions['video']}"] * bool(directions["video"])
    found = [item.control for item in tracks(*lines) if item.problem == "it is the camera's loudspeaker (talk-back)"]
    assert found == ([loudspeaker] if loudspeaker else [])


def test_ten_thousand_tracks_are_bounded():
    body = b"v=0\r\n" + b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 a=1;b=2\r\n" * 10_000
    began = time.process_time()
    parsed = parse_sdp(body)
    assert time.process_time() - began < 5
    assert len(parsed.tracks) == MAX_TRACKS
    assert len(parsed.quirks) == 1
    assert parsed.quirks[0].endswith(f"tracks; only {MAX_TRACKS} are read")


def test_a_line_of_a_megabyte_takes_no_time():
    for line in (
        b"a=fmtp:96 " + b"x=1;" * 250_000,
        b"m=video 0 RTP/AVP " + b"96 " * 300_000,
        b"a=rtpmap:" + b"9" * 900_000,
    ):
        began = time.process_time()
        parse_sdp(b"v=0\r\nm=video 0 RTP/AVP 96\r\n" + line)
        assert time.process_time() - began < 5


FRAGMENTS = st.sampled_from(
    [
        "v=0",
        "m=video 0 RTP/AVP 96",
        "m=audio 0 RTP/AVP 8 97",
        "a=rtpmap:96 H264/90000",
        "a=rtpmap:97 opus/48000/2",
        "a=fmtp:96 ",
        "a=control:",
        "a=sendonly",
        "m=",
        "a=rtpmap:",
        "a=fmtp:97 config=;;=;a",
        "=",
        "a=framerate:",
    ]
)


@given(st.lists(FRAGMENTS | st.text(max_size=30), max_size=30), st.sampled_from(["\n", "\r\n", ""]))
def test_any_text_gives_tracks_or_none(lines: list[str], newline: str):
    parsed = parse_sdp(newline.join(lines).encode("utf-8", "replace"))
    for track in parsed.tracks if parsed else ():
        assert 1000 <= track.clock_rate <= 1_000_000
        assert 0 <= track.payload_type <= 127
        assert track.channels >= 1
        assert track.problem is None or track.problem


@given(st.binary(max_size=500))
def test_any_bytes_give_tracks_or_none(body: bytes):
    parse_sdp(body)
