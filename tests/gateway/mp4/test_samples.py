"""Parts are read frame by frame; bytes that are not parts are refused."""

import random
from itertools import pairwise

import pytest

from gateway.mp4.boxes import InvalidMedia
from gateway.mp4.samples import AUDIO, VIDEO, has_whole_units, parse_init, parse_part, read_parts
from tests.playback import make_clip


@pytest.fixture(scope="module")
def clip():
    return make_clip(seconds=4, audio=True)


def media(clip) -> bytes:
    return b"".join(part.data for part in clip.parts)


def chunks(data: bytes, size: int):
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 100, 4096, 1 << 20])
def test_parts_are_found_whatever_the_chunks_are(clip, size):
    assert list(read_parts(chunks(media(clip), size))) == [part.data for part in clip.parts]


def test_every_frame_is_found_with_its_time_and_size(clip):
    tracks = parse_init(clip.init)
    assert [track.codec for track in tracks] == ["avc1", "mp4a"]
    samples = [one for part in clip.parts for one in parse_part(part.data, tracks)]
    video = [one for one in samples if one.track.kind == VIDEO]
    assert sum(map(len, video)) == clip.frames
    assert all(one.end == following.times[0] for one, following in pairwise(video))
    assert all(sum(one.sizes) == len(one.data) for one in samples)
    assert all(has_whole_units(one) for one in video)
    assert [key for one in video for key in one.keys].count(True) == 4
    assert any(one.track.kind == AUDIO for one in samples)


def test_a_cut_keeps_the_bytes_of_its_samples(clip):
    (samples, *_) = parse_part(clip.parts[0].data, parse_init(clip.init))
    middle = samples.cut(2, 5)
    assert middle.times == samples.times[2:5]
    start = sum(samples.sizes[:2])
    assert middle.data == samples.data[start : start + sum(samples.sizes[2:5])]
    assert has_whole_units(middle)
    assert samples.cut(0, len(samples)) is samples
    assert len(samples.cut(3, 3)) == 0


def test_media_that_ends_inside_a_part_gives_the_parts_before_it(clip):
    parts = read_parts(chunks(media(clip)[:-1], 1000))
    assert [next(parts) for _ in clip.parts[:-1]] == [part.data for part in clip.parts[:-1]]
    with pytest.raises(InvalidMedia):
        next(parts)


def test_damaged_bytes_are_refused_or_give_samples_inside_the_part(clip):
    tracks, rng = parse_init(clip.init), random.Random(1)
    for _ in range(2000):
        data = bytearray(clip.parts[0].data)
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(min(len(data), 400))] = rng.randrange(256)
        try:
            samples = parse_part(bytes(data), tracks)
        except InvalidMedia:
            continue
        assert all(len(one.data) == sum(one.sizes) for one in samples)


def test_a_damaged_init_segment_is_refused_or_read(clip):
    rng = random.Random(2)
    for size in range(0, len(clip.init), 7):
        with pytest.raises(InvalidMedia):
            parse_init(clip.init[:size])
    for _ in range(500):
        data = bytearray(clip.init)
        data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            parse_init(bytes(data))
        except InvalidMedia:
            continue


@pytest.mark.parametrize("damage", [lambda data: bytes(len(data)), lambda data: data[:4] + b"\xff" + data[5:]])
def test_unit_lengths_that_do_not_add_up_are_detected(clip, damage):
    (samples, *_) = parse_part(clip.parts[0].data, parse_init(clip.init))
    samples.data = memoryview(damage(bytes(samples.data)))
    assert not has_whole_units(samples)
