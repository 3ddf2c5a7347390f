"""Samples are taken from the start of a fragment, sound is joined with the part after it; all else stays decodable."""

import io

import av
import pytest

from gateway.mp4.boxes import U32, InvalidMedia
from gateway.mp4.fragments import AUDIO, VIDEO
from gateway.mp4.merging import merge_sound
from gateway.mp4.trimming import trim_fragment
from tests.fragmented_media import H264, make_media
from workers.ffmpeg.fmp4 import Fmp4Reader, Fragment, InitSegment, parse_fragment

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def media() -> tuple[InitSegment, list[Fragment]]:
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:a", "aac")
    init, *parts = Fmp4Reader().feed(make_media(*sound, *H264, "-bf", "0", seconds=3))
    assert len(parts) >= 5
    return init, parts


def trim(init: InitSegment, part: Fragment, video: float | None, audio: float | None) -> Fragment | None:
    size = U32.unpack_from(part.data)[0]
    limits = {VIDEO: video, AUDIO: audio}
    until = {t.track_id: round(limits[t.kind] * t.timescale) for t in init.tracks if limits[t.kind] is not None}
    data = trim_fragment(part.data[:size], part.data[size:], init.tracks, until)
    return parse_fragment(data, init) if data is not None else None


def decode(init: InitSegment, *parts: bytes) -> tuple[list[float], list[float]]:
    """Times of the pictures, and of the frames of sound, that decode without an error."""
    found: dict[str, list[float]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(init.data + b"".join(parts)), format="mp4") as file:
        for packet in file.demux():
            for frame in packet.decode():
                found[packet.stream.type].append(round(frame.time, 3))
    return found["video"], found["audio"]


def test_nothing_is_taken_without_a_limit(media):
    init, parts = media
    assert trim(init, parts[0], None, None).data == parts[0].data


def test_a_fragment_that_was_delivered_completely_is_nothing(media):
    init, parts = media
    assert trim(init, parts[0], 60, 60) is None


@pytest.mark.parametrize("taken", range(1, 5))
def test_pictures_from_the_start_are_taken_and_the_others_decode_as_before(media, taken):
    init, parts = media
    part = parts[2]
    assert part.is_key
    until = part.start + part.duration * taken / part.frames - 0.001
    short = trim(init, part, until, None)
    assert short.frames == part.frames - taken
    assert short.start == pytest.approx(part.start + part.duration * taken / part.frames)
    assert short.end == pytest.approx(part.end)
    assert not short.is_key, "it no longer begins with its key frame"
    assert (short.audio_start, short.audio_end) == (part.audio_start, part.audio_end)
    assert decode(init, part.data[:0], short.data)[1] == decode(init, part.data)[1]


def test_sound_and_pictures_are_taken_apart(media):
    init, parts = media
    short = trim(init, parts[2], 0.0, parts[2].audio_start + 0.1)
    assert short.frames == parts[2].frames
    assert parts[2].audio_start + 0.07 < short.audio_start < parts[2].audio_start + 0.13
    assert short.audio_end == pytest.approx(parts[2].audio_end)


def test_what_a_second_process_repeats_is_delivered_once(media):
    init, parts = media
    whole = decode(init, *(part.data for part in parts))
    until = parts[1].start + parts[1].duration / 2
    first = trim(init, parts[1], None, None)
    repeated = trim(init, parts[1], first.end, first.audio_end)
    assert repeated is None
    later = trim(init, parts[1], until, parts[1].audio_start + 0.2)
    assert later.frames < parts[1].frames
    assert decode(init, parts[0].data, parts[1].data, *(part.data for part in parts[2:])) == whole


def test_sound_without_pictures_is_joined_with_the_next_part(media):
    init, parts = media
    lonely = [trim(init, part, 60, None) for part in parts[:2]]
    assert [one.frames for one in lonely] == [0, 0]
    joined = merge_sound([one.data for one in lonely], parts[2].data, init.tracks)
    found = parse_fragment(joined, init)
    assert (found.frames, found.is_key, found.start) == (parts[2].frames, parts[2].is_key, parts[2].start)
    assert found.audio_start == lonely[0].audio_start
    assert found.audio_end == pytest.approx(parts[2].audio_end, abs=0.03)
    pictures, sound = decode(init, joined)
    assert (pictures, sound) == (
        decode(init, parts[2].data)[0],
        decode(init, *(part.data for part in parts[:3]))[1],
    )


def test_a_part_without_sound_gets_that_before_it(media):
    init, parts = media
    silent = trim(init, parts[2], None, 60)
    lonely = trim(init, parts[1], 60, None)
    joined = parse_fragment(merge_sound([lonely.data], silent.data, init.tracks), init)
    assert joined.frames == parts[2].frames
    assert (joined.audio_start, joined.audio_end) == (lonely.audio_start, lonely.audio_end)
    assert len(decode(init, joined.data)[0]) == len(decode(init, parts[2].data)[0])


def test_damage_is_invalid_media(media):
    init, parts = media
    size = U32.unpack_from(parts[0].data)[0]
    for cut in (12, 40, 80, 100):
        with pytest.raises(InvalidMedia):
            trim_fragment(parts[0].data[: size - cut], b"", init.tracks, {1: 100, 2: 100})
    with pytest.raises(InvalidMedia):
        merge_sound([b"\0\0\0\x10moof"], parts[0].data, init.tracks)
