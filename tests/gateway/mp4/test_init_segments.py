"""Init segments lose their audio tracks or gain a silent one, and remain readable by any MP4 reader."""

import io
import struct

import av
import pytest

from gateway.mp4.boxes import InvalidMedia, walk_boxes
from gateway.mp4.init_segments import add_silent_sound, drop_sound, find_sound
from tests.playback import make_clip


def kinds(init: bytes) -> list[str]:
    with av.open(io.BytesIO(init)) as container:
        return [stream.type for stream in container.streams]


def boxes(data: bytes) -> list[bytes]:
    return [name for name, _, _ in walk_boxes(data, 0, len(data))]


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_removing_the_audio_gives_the_init_segment_of_a_run_without_audio(codec):
    silent = drop_sound(make_clip(seconds=1, codec=codec, audio=True).init)
    assert kinds(silent) == ["video"]
    assert find_sound(silent) is None
    assert len(silent) == len(make_clip(seconds=1, codec=codec).init)


def test_an_init_segment_without_audio_is_unchanged():
    init = make_clip(seconds=1).init
    assert drop_sound(init) is init


def test_a_silent_track_is_readable():
    init = add_silent_sound(make_clip(seconds=1).init)
    assert boxes(init) == [b"ftyp", b"moov"]
    with av.open(io.BytesIO(init)) as container:
        video, audio = container.streams
        assert (video.type, audio.type) == ("video", "audio")
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48000, 1)
    assert find_sound(init).silent_frame


def test_an_init_segment_with_audio_gets_no_second_track():
    init = make_clip(seconds=1, audio=True).init
    assert add_silent_sound(init) is init


def test_an_added_track_can_be_removed_again():
    init = make_clip(seconds=1).init
    again = drop_sound(add_silent_sound(init))
    assert kinds(again) == ["video"]
    assert len(again) == len(init)


@pytest.mark.parametrize(("channels", "size"), [(1, 4), (2, 6)])
def test_silent_frames_exist_for_one_and_for_two_channels(channels, size):
    sound = find_sound(make_clip(seconds=1, audio=True, channels=channels).init)
    assert len(sound.silent_frame) == size
    assert sound.track.timescale == 48000


def test_no_silent_frame_is_known_for_other_formats():
    init = make_clip(seconds=1, audio=True).init
    config = init.index(b"esds") + 4
    at = init.index(b"\x05\x80\x80\x80\x05", config) + 5
    # HE-AAC: audio object type 5 in the first five bits.
    other = init[:at] + bytes([5 << 3 | init[at] & 7]) + init[at + 1 :]
    assert find_sound(init).silent_frame
    assert find_sound(other).silent_frame is None


@pytest.mark.parametrize("change", [drop_sound, add_silent_sound, find_sound])
@pytest.mark.parametrize("data", [b"", b"moov", struct.pack(">I4s", 8, b"ftyp"), struct.pack(">I4s", 99, b"moov")])
def test_bytes_that_are_no_init_segment_are_refused(change, data):
    with pytest.raises(InvalidMedia):
        change(data)


@pytest.mark.parametrize("change", [drop_sound, add_silent_sound, find_sound])
def test_a_truncated_init_segment_raises_nothing_but_invalid_media(change):
    init = make_clip(seconds=1, audio=True).init
    for end in range(0, len(init), 7):
        with pytest.raises(InvalidMedia):
            change(init[:end])
