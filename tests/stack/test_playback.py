"""Playlists are parsed by RFC 8216, byte ranges without an offset included."""

import pytest

from .playback import ByteRange, format_time, parse_playlist

URL = "http://h/api/v1/recordings/devices/d/playlist?start=x"
TEXT = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="segments/5.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T18:00:00.250Z
#EXTINF:1.000,
#EXT-X-BYTERANGE:1000@700
segments/5.mp4
#EXTINF:1.000,
#EXT-X-BYTERANGE:900
segments/5.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/other/6.mp4"
#EXTINF:0.5,
/other/7.m4s
#EXT-X-ENDLIST
"""


def test_segments_are_parsed_with_range_init_time_and_discontinuity():
    playlist = parse_playlist(TEXT, URL)
    five = "http://h/api/v1/recordings/devices/d/segments/5.mp4"
    first, second, third = playlist.segments
    assert playlist.is_ended
    assert (first.media, first.init) == (ByteRange(five, 1000, 700), ByteRange(five, 700, 0))
    assert format_time(first.time) == "2026-11-22T18:00:00.250000Z"
    assert second.media == ByteRange(five, 900, 1700)
    assert (second.is_discontinuous, second.time) == (False, None)
    assert (third.media, third.init) == (ByteRange("http://h/other/7.m4s"), ByteRange("http://h/other/6.mp4"))
    assert (third.is_discontinuous, third.duration) == (True, 0.5)


@pytest.mark.parametrize("text", ["{}", "#EXTM3U\nsegments/5.mp4", "#EXTM3U\n#EXTINF:1,\nsegments/5.mp4"])
def test_a_playlist_that_no_player_could_follow_is_an_error(text):
    with pytest.raises(ValueError, match=r"playlist|EXTINF"):
        parse_playlist(text, URL)
