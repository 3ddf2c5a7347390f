"""Parts without audio are filled with silence: audio without gaps, unchanged video, no decoding errors."""

import contextlib
import io
import random
import tracemalloc
from itertools import pairwise

import av
import pytest

from gateway.mp4.boxes import U32, InvalidMedia
from gateway.mp4.fragments import summarize_samples
from gateway.mp4.init_segments import find_sound
from gateway.mp4.silence import SilenceFiller, split_parts
from tests.cameras.footage import read_counters
from tests.playback import Clip, make_clip

LATE = {"audio": True, "audio_from": 1.7}
ENDING = {"audio": True, "audio_until": 2.2, "channels": 2}
NEVER = {"audio": True, "audio_from": 0.0, "audio_until": 0.01}


def fill(clip: Clip) -> bytes:
    """The clip as a run of parts, each filled alone."""
    filler = SilenceFiller.of(clip.init)
    parts = [part.data for part in clip.parts]
    return filler.init + b"".join(filler.fill(part, before) for part, before in zip(parts, [b"", *parts], strict=False))


def sounds(footage: bytes) -> list[tuple[float, float]]:
    """Start and end in seconds of each decoded audio frame."""
    with av.open(io.BytesIO(footage)) as container:
        container.streams.audio[0].codec_context.options = {"err_detect": "explode"}
        return [(f.time, f.time + f.samples / f.rate) for f in container.decode(audio=0)]


@pytest.mark.parametrize("settings", [{}, {"codec": "h265"}, {"b_frames": 2}, LATE, ENDING, NEVER], ids=str)
def test_audio_is_continuous_and_no_frame_is_lost(settings):
    clip = make_clip(**settings)
    footage = fill(clip)
    heard = sounds(footage)
    assert heard[0][0] <= 0.05
    assert heard[-1][1] >= clip.duration_ms / 1000 - 0.05
    assert read_counters(footage) == list(clip.counters)


@pytest.mark.parametrize("settings", [{}, LATE, ENDING], ids=str)
def test_the_audio_has_no_gap_that_affects_a_player(settings):
    heard = sounds(fill(make_clip(**settings)))
    one_frame = 1024 / 48000
    assert all(-one_frame < later[0] - earlier[1] < 2 * one_frame for earlier, later in pairwise(heard))


def test_parts_with_audio_are_unchanged():
    clip = make_clip(audio=True)
    filler = SilenceFiller.of(clip.init)
    assert filler.init == clip.init
    assert all(filler.fill(part.data) == part.data for part in clip.parts)


@pytest.mark.parametrize("settings", [{}, LATE, ENDING], ids=str)
def test_consecutive_parts_are_filled_like_each_part_after_its_predecessor(settings):
    clip = make_clip(**settings)
    filler = SilenceFiller.of(clip.init)
    assert filler.init + filler.fill(b"".join(part.data for part in clip.parts)) == fill(clip)


def test_the_first_frame_of_late_audio_is_not_extended_over_the_silence():
    clip = make_clip(**LATE)
    filler = SilenceFiller.of(clip.init)
    number = next(number for number, part in enumerate(clip.parts) if part.has_audio)
    before, data = clip.parts[number - 1].data, clip.parts[number].data
    moof, _ = next(split_parts(data))
    filled, _ = next(split_parts(filler.fill(data, before)))
    assert summarize_samples(moof, filler.tracks)["soun"].start == 0
    start = summarize_samples(filled, filler.tracks)["soun"].start / 48000
    assert clip.parts[number].start - 0.05 < start <= clip.parts[number].start + 0.05


def test_audio_that_overlaps_the_silence_loses_its_beginning():
    clip = make_clip(audio=True)
    filler = SilenceFiller.of(clip.init)
    silent = make_clip()
    # As if the previous part had no audio.
    filled = filler.fill(clip.parts[1].data, silent.parts[1].data)
    moof, _ = next(split_parts(filled))
    samples = summarize_samples(moof, filler.tracks)
    assert samples["soun"].start >= 47_600
    assert samples["vide"].frames == clip.parts[1].frames


def test_the_bytes_of_the_video_are_unchanged():
    clip = make_clip(b_frames=2)
    filler = SilenceFiller.of(clip.init)
    for part in clip.parts:
        ((_, before),) = split_parts(part.data)
        ((_, after),) = split_parts(filler.fill(part.data))
        assert after[8:].startswith(before[8:])
        assert set(after[len(before) :]) == set(filler.frame)


def test_audio_without_a_known_silent_frame_is_unchanged():
    clip = make_clip(**LATE)
    at = clip.init.index(b"\x05\x80\x80\x80\x05", clip.init.index(b"esds")) + 5
    other = clip.init[:at] + bytes([5 << 3 | clip.init[at] & 7]) + clip.init[at + 1 :]
    assert find_sound(other).silent_frame is None
    assert SilenceFiller.of(other).fill(clip.parts[0].data) == clip.parts[0].data


@pytest.mark.parametrize("settings", [{}, LATE], ids=str)
def test_damaged_parts_raise_nothing_but_invalid_media(settings):
    clip, dice = make_clip(**settings), random.Random(4)
    filler = SilenceFiller.of(clip.init)
    parts = [part.data for part in clip.parts]
    for number in range(3000):
        intact, damaged = dice.choice(parts), bytearray(dice.choice(parts))
        moof_end = int.from_bytes(damaged[:4], "big")
        at = dice.choice(
            [at for at in range(8, moof_end) if bytes(damaged[at : at + 4]) in {b"tfhd", b"tfdt", b"trun"}]
        )
        if number % 3:
            for _ in range(dice.randint(1, 4)):
                damaged[dice.randrange(8, moof_end)] = dice.randrange(256)
        else:
            # The last box of the part's `moof` ends before its fields do.
            head = damaged[8 : at + 4 + dice.randrange(9)]
            damaged = b"".join((U32.pack(8 + len(head)), b"moof", head, damaged[moof_end:]))
            damaged = shorten_last_boxes(bytearray(damaged))
        for data, before in ((bytes(damaged), intact), (intact, bytes(damaged))):
            with contextlib.suppress(InvalidMedia):
                filler.fill(data, before)


def shorten_last_boxes(part: bytearray) -> bytearray:
    """A part whose last `traf` box, and the last box in it, end with its `moof`."""
    moof_end = U32.unpack_from(part)[0]
    at, end = 8, moof_end
    while at + 8 <= end:
        size = U32.unpack_from(part, at)[0]
        if at + size >= end:
            U32.pack_into(part, at, end - at)
            if part[at + 4 : at + 8] != b"traf":
                return part
            size = 8
        at += size
    return part


def test_a_truncated_part_is_refused():
    clip = make_clip()
    filler, data = SilenceFiller.of(clip.init), clip.parts[0].data
    for end in range(1, len(data), 97):
        with pytest.raises(InvalidMedia):
            filler.fill(data[:end])


def make_large(clip: Clip, count: int, size: int) -> tuple[bytes, bytes, int]:
    """A part of the clip whose media is followed by zeros: its head, its media, and the size of `count` of them."""
    ((moof, mdat),) = split_parts(clip.parts[0].data)
    return moof + U32.pack(size) + mdat[4:8], mdat[8:], count * (len(moof) + size)


def test_footage_is_filled_without_holding_it():
    clip, size = make_clip(), 32 << 20
    head, media, total = make_large(clip, 8, size)
    part_size, taken = total // 8, [0]

    def read(offset: int, length: int) -> bytes:
        taken[0] += length
        found = bytearray(length)
        for number in range(offset // part_size, (offset + length) // part_size + 1):
            for place, byte in enumerate(head + media, number * part_size - offset):
                if 0 <= place < length:
                    found[place] = byte
        return bytes(found)

    filler = SilenceFiller.of(clip.init)
    tracemalloc.start()
    plan = filler.plan(read, total)
    assert taken[0] < 1 << 20, "only the heads are read"
    seen = 0
    for offset in range(0, plan.size, 1 << 18):
        seen += sum(map(len, plan.read(lambda at, count: (read(at, count),), offset, 1 << 18)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == plan.size > total
    assert peak < 4 << 20, f"{total >> 20} MiB are filled with {peak >> 20} MiB of memory"


@pytest.mark.parametrize("settings", [{}, LATE, ENDING, NEVER], ids=str)
def test_any_range_of_filled_footage_is_the_same_as_in_the_whole(settings):
    clip, dice = make_clip(**settings), random.Random(5)
    data = b"".join(part.data for part in clip.parts)
    filler = SilenceFiller.of(clip.init)
    whole = filler.fill(data)
    plan = filler.plan(lambda offset, length: data[offset : offset + length], len(data))
    assert plan.size == len(whole)
    for _ in range(300):
        start = dice.randrange(len(whole))
        length = dice.choice((1, 7, 1000, len(whole)))
        found = plan.read(lambda offset, count: (data[offset : offset + count],), start, length)
        assert b"".join(found) == whole[start : start + length]


@pytest.mark.parametrize("size", [0, 7, 4 << 30, (4 << 20) + 1])
def test_a_head_of_an_impossible_size_is_refused_without_reading_it(size):
    clip, reads = make_clip(), []

    def read(offset: int, length: int) -> bytes:
        reads.append(length)
        return (U32.pack(size & 0xFFFF_FFFF) + b"moof").ljust(length, b"\0")

    with pytest.raises(InvalidMedia):
        SilenceFiller.of(clip.init).plan(read, 200 << 20)
    assert max(reads) <= 8192
