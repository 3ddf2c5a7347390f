"""FFmpeg reads recordings by their playlists from end to end: no warning, and each recorded frame exactly once.

FFmpeg 5.1 knows no EXT-X-DISCONTINUITY: it skips the init segment that follows one, complains of the time that begins
anew, and drops frames there. So each section between two of them is read as a playlist of its own.
"""

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
import requests
from werkzeug.serving import make_server

from gateway import database
from gateway.app import create_app
from gateway.tenancy.scopes import TenantScope
from tests.cameras.footage import judge, read_counters, read_frames
from tests.factories import make_config, make_device, no_plugins
from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist
from tests.playback import NOON_MS, FootageFactory, make_clip

H264 = make_clip(seconds=6, key_seconds=2)
LARGER = make_clip(seconds=4, first_frame=1000, size=(640, 360))
B_FRAMES = make_clip(seconds=4, first_frame=2000, b_frames=2)
H265 = make_clip(seconds=4, first_frame=3000, codec="h265")
SOUND = make_clip(seconds=4, first_frame=4000, audio=True)
LATE = make_clip(seconds=4, first_frame=5000, audio=True, audio_from=1.7)
ENDING = make_clip(seconds=4, first_frame=6000, audio=True, audio_until=2.2)


@pytest.fixture
def footage(sqlite_url, tmp_path, scope: TenantScope, box) -> Iterator["Served"]:
    config = make_config(database_url=sqlite_url, var_dir=tmp_path / "var", recordings_dir=tmp_path / "recordings")
    app = create_app(config, no_plugins())
    sections: dict[str, str] = {}

    def serve(environ, start_response):
        """The application, and next to it the playlists that a test has made."""
        text = sections.get(environ["PATH_INFO"])
        if text is None:
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/vnd.apple.mpegurl")])
        return [text.encode()]

    server = make_server("127.0.0.1", 0, serve, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(FootageFactory(config, scope, make_device(scope, box).id), server.server_port, sections)
    server.shutdown()
    server.server_close()
    thread.join(5)
    database.close()


class Served:
    """Recorded footage behind the API."""

    def __init__(self, factory: FootageFactory, port: int, sections: dict[str, str]) -> None:
        self.factory = factory
        self._url = f"http://127.0.0.1:{port}"
        self._sections = sections

    def playlist_url(self, start_ms: int, end_ms: int | None = None) -> str:
        base = f"{self._url}/api/v1/recordings/devices/{self.factory.device_id}/playlist?start={spell(start_ms)}"
        return base if end_ms is None else f"{base}&end={spell(end_ms)}"

    def check(self, url: str) -> list[str]:
        """Problems of the playlist and its media."""

        def fetch(uri: str, byte_range: tuple[int, int] | None) -> bytes:
            headers = {}
            if byte_range is not None:
                headers["Range"] = f"bytes={byte_range[1]}-{sum(byte_range) - 1}"
            answer = requests.get(urljoin(url, uri), headers=headers, timeout=10)
            assert answer.status_code == (206 if byte_range else 200), (uri, answer.text[:200])
            return answer.content

        answer = requests.get(url, timeout=10)
        assert answer.status_code == 200, answer.text
        return check_playlist(answer.text, fetch=fetch)

    def split(self, url: str) -> list[str]:
        """The addresses of separate playlists for the sections between the discontinuities of a playlist."""
        text = requests.get(url, timeout=10).text
        head = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:10\n#EXT-X-PLAYLIST-TYPE:VOD\n"
        text = re.sub(r'URI="([^"]+)"', lambda match: f'URI="{urljoin(url, match[1])}"', text)
        text = re.sub(r"(?m)^([^#\n].*)$", lambda match: urljoin(url, match[1]), text)
        whole = text[text.index("#EXT-X-MAP") :].replace("#EXT-X-ENDLIST\n", "")
        urls = []
        for number, section in enumerate(whole.split("#EXT-X-DISCONTINUITY\n")):
            self._sections[f"/section-{number}.m3u8"] = f"{head}{section}#EXT-X-ENDLIST\n"
            urls.append(f"{self._url}/section-{number}.m3u8")
        return urls

    def read(self, url: str) -> list[list[int]]:
        """The frame numbers of each section, which FFmpeg reads without a message."""
        sections = self.split(url)
        assert [(section, read_with_ffmpeg(section)) for section in sections] == [(section, []) for section in sections]
        return [read_counters(section) for section in sections]


def spell(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_with_ffmpeg(url: str) -> list[str]:
    """The messages of FFmpeg while it decodes all of a playlist."""
    command = ["ffmpeg", "-nostdin", "-v", "warning", "-i", url, "-map", "0", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


def test_runs_gaps_and_lost_parts_are_read_without_a_warning_and_without_a_frame_lost(footage):
    record = footage.factory.record
    record(H264, NOON_MS + 57_000)
    record(H264, NOON_MS + 90_000, without=range(4, 8))
    record(LARGER, NOON_MS + 100_000)
    record(B_FRAMES, NOON_MS + 104_000)
    url = footage.playlist_url(NOON_MS, NOON_MS + 600_000)

    assert footage.check(url) == []
    whole = list(H264.counters)
    assert footage.read(url) == [
        whole,
        whole[:50],
        whole[100:],
        list(LARGER.counters),
        list(B_FRAMES.counters),
    ]


def test_the_clock_of_the_playlist_is_that_of_the_frames(footage):
    footage.factory.record(H264, NOON_MS)
    start, end = NOON_MS + 2_000, NOON_MS + 5_000
    frames = list(read_frames(footage.playlist_url(start, end)))
    assert frames[0][0] == 50, "it begins with the key frame at its start"
    assert judge(number for number, _ in frames).is_exact
    assert all(abs((time - frames[0][1]) - (number - 50) / 25) < 0.002 for number, time in frames)


@pytest.mark.parametrize(
    "order", [(SOUND, LATE, ENDING), (H264, SOUND), (LATE, H264, ENDING)], ids=["has", "comes", "goes"]
)
def test_audio_that_comes_and_goes_is_read_without_a_warning(footage, order):
    at = NOON_MS
    for clip in order:
        footage.factory.record(clip, at)
        at += 10_000
    url = footage.playlist_url(NOON_MS, at)

    assert footage.check(url) == []
    assert footage.read(url) == [list(clip.counters) for clip in order]


def test_a_growing_playlist_never_changes_earlier_lines(footage):
    now = int(time.time() * 1000)
    before, lengths = None, []
    # The open file is indexed part by part; then follow a gap, another camera format, and audio.
    for clip, ago_ms in ((H264, 60_000), (H264, 50_000), (LARGER, 40_000), (LATE, 30_000), (SOUND, 20_000)):
        footage.factory.record(clip, now - ago_ms, is_open=True)
        text = requests.get(footage.playlist_url(now - 60_000), timeout=10).text
        has_same_tracks = before is not None and ("tracks=sound" in before) == ("tracks=sound" in text)
        assert check_playlist(text, previous=before if has_same_tracks else None) == []
        lengths.append(len(read_playlist(text)[0].segments))
        before = text
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0]


def test_h265_is_read_as_it_was_recorded(footage):
    footage.factory.record(H265, NOON_MS)
    footage.factory.record(H265, NOON_MS + 10_000)
    url = footage.playlist_url(NOON_MS, NOON_MS + 60_000)

    assert footage.check(url) == []
    assert footage.read(url) == [list(H265.counters)] * 2
