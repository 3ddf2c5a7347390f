"""The checker of playlists finds each kind of error, and none in valid playlists."""

import pytest

from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist
from tests.playback import make_clip

VOD = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=1.500,PRECISE=YES
#EXT-X-MAP:URI="segments/1.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:00.000Z
#EXTINF:4.000,
#EXT-X-BYTERANGE:1000@700
segments/1.mp4
#EXTINF:2.000,
#EXT-X-BYTERANGE:500
segments/1.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="segments/2.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:30.000Z
#EXTINF:4.4,
#EXT-X-BYTERANGE:1000@700
segments/2.mp4
#EXT-X-ENDLIST
"""

LIVE = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.65,HOLD-BACK=6
#EXT-X-PART-INF:PART-TARGET=0.55
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-DISCONTINUITY-SEQUENCE:7
#EXT-X-MAP:URI="live/init-3.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:00.000Z
#EXT-X-PART:DURATION=0.52000,URI="live/3-1.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.44000,URI="live/3-2.m4s"
#EXTINF:0.96000,
live/3-1-2.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="live/init-4.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:09.000Z
#EXT-X-PART:DURATION=0.52000,URI="live/4-1.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.52000,URI="live/4-2.m4s"
#EXTINF:1.04000,
live/4-1-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:10.040Z
#EXT-X-PART:DURATION=0.52000,URI="live/4-3.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="live/4-4.m4s"
"""


@pytest.mark.parametrize("text", [VOD, LIVE, VOD.replace("\n", "\r\n")], ids=["vod", "live", "crlf"])
def test_a_valid_playlist_has_no_problem(text):
    assert check_playlist(text) == []
    assert check_playlist(text, previous=text) == []


def test_a_playlist_is_parsed():
    playlist, _ = read_playlist(LIVE)
    assert [(s.number, s.discontinuity, len(s.parts)) for s in playlist.segments] == [
        (100, 7, 2),
        (101, 8, 2),
    ]
    assert [part.uri for part in playlist.parts] == ["live/4-3.m4s"]
    assert playlist.map == ("live/init-4.mp4", None)
    playlist, _ = read_playlist(VOD)
    assert [segment.byte_range for segment in playlist.segments] == [(1000, 700), (500, 1700), (1000, 700)]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("#EXTM3U\n", "", "begins with #EXTM3U"),
        ("#EXTM3U", "\ufeff#EXTM3U", "byte order mark"),
        ("#EXT-X-ENDLIST\n", "#EXT-X-ENDLIST", "the last line has no end"),
        ("#EXT-X-TARGETDURATION:4\n", "", "EXT-X-TARGETDURATION is missing"),
        ("#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:4.0", "a whole number"),
        ("#EXT-X-TARGETDURATION:4", "#EXT-X-TARGETDURATION:3", "longer than the target duration"),
        ("#EXTINF:4.4,", "#EXTINF:4.5,", "longer than the target duration"),
        ("#EXT-X-VERSION:6", "#EXT-X-VERSION:5", "needs EXT-X-VERSION 6"),
        ("#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6", "stands there twice"),
        ("#EXT-X-ENDLIST", "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-ENDLIST", "stands there twice"),
        ("#EXT-X-ENDLIST", "#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-ENDLIST", "stands after the first segment"),
        ("#EXT-X-ENDLIST", "#EXT-X-ENDLIST\nsegments/3.mp4", "something follows EXT-X-ENDLIST"),
        ("#EXT-X-ENDLIST\n", "", "of the type VOD has no EXT-X-ENDLIST"),
        ("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-PLAYLIST-TYPE:vod", "is VOD or EVENT"),
        ("#EXT-X-START:TIME-OFFSET=1.500", "#EXT-X-START:TIME-OFFSET=99", "is outside of"),
        ("#EXTINF:2.000,\n", "", "a URI without EXTINF"),
        ("#EXTINF:2.000,", "#EXTINF:2.000", "needs a comma"),
        ("#EXTINF:2.000,", "#EXTINF:-2.000,", "a decimal number"),
        ("#EXT-X-ENDLIST", "#EXTINF:2.000,\n#EXT-X-ENDLIST", "without a URI after it"),
        ("#EXT-X-BYTERANGE:500\nsegments/1.mp4", "#EXT-X-BYTERANGE:500\nsegments/9.mp4", "does not follow a range"),
        ("#EXT-X-BYTERANGE:500\n", "#EXT-X-BYTERANGE:0@9\n", "a range of no bytes"),
        ('#EXT-X-MAP:URI="segments/1.mp4",BYTERANGE="700@0"\n', "", "has no EXT-X-MAP"),
        ('"700@0"\n#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:00.000Z', '"700"', "needs an offset"),
        ('URI="segments/2.mp4",BYTERANGE="700@0"', "URI=segments/2.mp4", "in quotation marks"),
        ('URI="segments/2.mp4",', 'URI="segments/2.mp4", ', "no attribute list"),
        ('URI="segments/2.mp4",', 'URI="a",URI="segments/2.mp4",', "URI twice"),
        ('URI="segments/2.mp4",BYTERANGE', "BYTERANGE", "needs URI"),
        ("#EXT-X-DISCONTINUITY\n", "", "another EXT-X-MAP without EXT-X-DISCONTINUITY"),
        ("#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n", "twice before one segment"),
        ("#EXT-X-ENDLIST", "#EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST", "without a segment after it"),
        ("12:00:30.000Z", "12:00:30.000", "ISO 8601 with a zone"),
        ("12:00:30.000Z", "12:00:03.000Z", "before the end of the one before it"),
        ("#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:30.000Z\n", "", "has no EXT-X-PROGRAM-DATE-TIME"),
        ("#EXTINF:2.000,", "#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:05.000Z\n#EXTINF:2.000,", "jumps by +1.000 s"),
        ("#EXT-X-ENDLIST", "#EXT-X-CUE-OUT\n#EXT-X-ENDLIST", "is no tag of a media playlist"),
        ("#EXT-X-ENDLIST", "#EXT-X-ENDLIST ", "white space"),
    ],
)  # fmt: skip
def test_each_error_in_a_recording_is_found(old, new, problem):
    assert old in VOD
    problems = check_playlist(VOD.replace(old, new))
    assert any(problem in found for found in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("#EXT-X-PART-INF:PART-TARGET=0.55\n", "", "EXT-X-PART without EXT-X-PART-INF"),
        ("PART-TARGET=0.55", "PART-TARGET=0.50", "longer than the part target"),
        ("DURATION=0.44000", "DURATION=0.54000", "the parts of segment 100 last 1.060 s"),
        ('DURATION=0.52000,URI="live/4-1', 'DURATION=0.42000,URI="live/4-1', "shorter than 85 %"),
        ("HOLD-BACK=6", "HOLD-BACK=5", "less than three target durations"),
        ("PART-HOLD-BACK=1.65,", "", "PART-HOLD-BACK is missing"),
        ("PART-HOLD-BACK=1.65", "PART-HOLD-BACK=1.05", "less than two part targets"),
        ("CAN-BLOCK-RELOAD=YES", "CAN-BLOCK-RELOAD=NO", "CAN-BLOCK-RELOAD is YES"),
        ("INDEPENDENT=YES", "INDEPENDENT=NO", "is YES or left out"),
        ("TYPE=PART", "TYPE=PARTS", "TYPE of EXT-X-PRELOAD-HINT"),
        ('URI="live/4-4.m4s"\n', 'URI="live/4-4.m4s"\n#EXT-X-PART:DURATION=0.5,URI="a"\n', "only hinted at"),
        ('TYPE=PART,URI="live/4-4.m4s"\n', 'TYPE=PART,URI="a"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b"\n', "two hints"),
        ("live/4-1-2.m4s\n", "live/4-1-2.m4s\n#EXT-X-ENDLIST\n", "something follows EXT-X-ENDLIST"),
        ("#EXT-X-DISCONTINUITY\n", "", "another EXT-X-MAP"),
    ],
)  # fmt: skip
def test_each_error_in_a_live_playlist_is_found(old, new, problem):
    assert old in LIVE
    problems = check_playlist(LIVE.replace(old, new))
    assert any(problem in found for found in problems), problems


def live(sequence: int, discontinuity: int, *numbers: int) -> str:
    """A plain live playlist of 2 s segments; a new run begins at each multiple of 5."""
    lines = [f"#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{sequence}"]
    lines.append(f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuity}")
    for place, number in enumerate(numbers):
        if number % 5 == 0 and place:
            lines.append("#EXT-X-DISCONTINUITY")
        if number % 5 == 0 or not place:
            lines.append(f'#EXT-X-MAP:URI="init-{number // 5}.mp4"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:{2 * number:02}Z\n#EXTINF:2,\n{number}.m4s")
    return "\n".join([*lines, ""])


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (live(3, 0, 3, 4, 5, 6), live(4, 0, 4, 5, 6, 7), None),
        (live(4, 0, 4, 5, 6, 7), live(5, 1, 5, 6, 7, 8), None),
        (live(4, 0, 4, 5, 6, 7), live(5, 0, 5, 6, 7, 8), "had the discontinuity sequence 1, now 0"),
        (live(4, 0, 4, 5, 6, 7), live(3, 0, 4, 5, 6, 7), "went back from 4 to 3"),
        (live(6, 1, 6, 7, 8), live(7, 1, 6, 7, 8), "segment 7, 7.m4s of 2.0 s, is now 6.m4s"),
        (live(6, 1, 6, 7, 8), live(7, 1, 7, 8), "less than three target durations are left"),
        (live(6, 1, 6, 7, 8), live(6, 1, 6, 7), "1 segments are gone from the end"),
        (live(6, 1, 6, 7), live(6, 1, 6, 7).replace("DURATION:2", "DURATION:3"), "target durations changed"),
        (live(6, 1, 6, 7), live(6, 1, 6, 7).replace(":14Z", ":13.8Z"), "the time of segment 7 changed"),
        (live(6, 1, 6, 7) + "#EXT-X-ENDLIST\n", live(6, 1, 6, 7), "that had ended changed"),
        (VOD, VOD.replace("4.4,", "4.3,"), "of the type VOD changed"),
        (LIVE, LIVE.replace("live/4-3.m4s", "live/4-9.m4s"), "parts that were listed changed"),
    ],
)  # fmt: skip
def test_each_error_between_reloads_is_found(before, after, problem):
    problems = check_playlist(after, previous=before)
    assert problems == [] if problem is None else any(problem in found for found in problems), problems


# ---- the media ---------------------------------------------------------------------------------------------------


class Files:
    """Clips as files: `play(*names)` is their playlist, a segment for each part, `fetch` gives their bytes."""

    def __init__(self, **clips) -> None:
        self.clips = clips
        self.files = {name: clip.init + b"".join(part.data for part in clip.parts) for name, clip in clips.items()}

    def fetch(self, uri: str, byte_range: tuple[int, int] | None) -> bytes:
        data = self.files[uri]
        return data if byte_range is None else data[byte_range[1] : byte_range[1] + byte_range[0]]

    def play(self, *names: str, duration: float | None = None, skip: int = 0) -> str:
        lines = ["#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4"]
        for place, name in enumerate(names):
            clip = self.clips[name]
            if place:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="{name}",BYTERANGE="{len(clip.init)}@0"')
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:2026-03-11T12:00:{20 * place:02}Z")
            at = len(clip.init)
            for number, part in enumerate(clip.parts):
                if number >= skip:
                    length = part.duration if duration is None else duration
                    lines.append(f"#EXTINF:{length:.3f},\n#EXT-X-BYTERANGE:{len(part.data)}@{at}\n{name}")
                at += len(part.data)
        return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


FILES = Files(plain=make_clip(), sound=make_clip(audio=True), late=make_clip(audio=True, audio_from=1.7))


def test_media_that_matches_the_playlist_has_no_problem():
    assert check_playlist(FILES.play("plain", "plain"), fetch=FILES.fetch) == []
    assert check_playlist(FILES.play("sound"), fetch=FILES.fetch) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FILES.play("plain", "sound"), "the tracks change from vide to soun+vide"),
        (FILES.play("late"), "lacks the audio that its EXT-X-MAP declares"),
        (FILES.play("plain", duration=0.9), "lasts 0.520 s, not 0.9 s"),
        (FILES.play("plain", skip=1), "begins without a key frame"),
        (FILES.play("plain").replace("#EXT-X-TARG", "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARG"), "segment 1 does not"),
        (
            FILES.play("plain", "plain").replace("#EXT-X-DISCONTINUITY\n", "").replace("12:00:20", "12:00:04"),
            "clock jumps",
        ),
        (FILES.play("plain").replace(f"{len(FILES.clips['plain'].init)}@0", "40@0"), "longer than the one around it"),
        (FILES.play("plain").replace(f"{len(FILES.clips['plain'].init)}@0", "32@0"), "is no init segment alone"),
        (FILES.play("plain").replace('RANGE:', 'RANGE:1', 1), "segment 0"),
    ],
)  # fmt: skip
def test_media_that_differs_from_the_playlist_is_found(text, problem):
    problems = check_playlist(text, fetch=FILES.fetch)
    assert any(problem in found for found in problems), problems
