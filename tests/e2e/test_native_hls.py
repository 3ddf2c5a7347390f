"""A browser without Media Source Extensions, as iPhones before iOS 17.1: the <video> element plays our HLS by itself.

Chromium has such a player of its own; Apple's rules for what it is given are checked on the replies that it got.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Page, Request, expect

from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist
from tests.playback import make_clip
from tests.stack.viewer import CLOCK_SCRIPT

#: The start of a minute an hour ago: retention deletes nothing of it.
BASE_MS = (int(time.time()) // 60 - 60) * 60_000
FPS = 25
UNEQUAL = "is shorter than 85 %"

_AS_ON_AN_OLD_IPHONE = """
for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource', 'SourceBuffer']) delete window[name];
delete Element.prototype.requestFullscreen;
HTMLVideoElement.prototype.webkitEnterFullscreen = function () { this.dataset.fullScreen = 'entered'; };
"""
#: The counters of the drawn pictures, each with the moment that the page shows at that time.
_WATCH = """
(id) => {
  const video = document.querySelector(`[data-testid=${id}]`);
  const seen = (window.seen = []);
  const label = () => document.querySelector('button[aria-label^="Jump to a time"]')?.ariaLabel ?? '';
  cameraClock.watchClock(video, (reading) => {
    if (getComputedStyle(video).visibility === 'hidden') return;
    seen.push([reading.timeMs, reading.mediaTime, label(), reading.delayMs]);
  });
}
"""


def spell(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def page(browser, stack) -> Iterator[Page]:
    # The content security policy would refuse the script that reads the clock.
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1280, "height": 800}, bypass_csp=True, timezone_id="UTC", locale="en-GB"
    )
    context.add_init_script(_AS_ON_AN_OLD_IPHONE)
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def asked(page) -> list[Request]:
    """The requests of the <video> elements."""
    requests_: list[Request] = []
    page.on("request", lambda request: requests_.append(request) if request.resource_type == "media" else None)
    return requests_


def open_page(page: Page, path: str, element: str) -> None:
    page.goto(path)
    page.wait_for_selector(f"[data-testid={element}]", state="attached")
    page.add_script_tag(path=CLOCK_SCRIPT)
    page.evaluate(_WATCH, element)


def wait_drawn(page: Page, first: int, last: int, seconds: float = 20) -> None:
    """Wait for a picture with a counter in a range."""
    page.wait_for_function(
        "([first, last]) => window.seen.some(([drawn]) => drawn >= first && drawn <= last)",
        arg=[first, last],
        timeout=seconds * 1000,
    )


def assert_suits_a_native_player(stack, addresses: list[str], *, is_whole: bool) -> None:
    """What Apple's player is given for the addresses of playlists that an element asked for."""
    assert addresses
    for address in set(addresses):
        # Blocking reloads are the player's choice, never part of the address that it is given.
        assert "_HLS_" not in address
        answer = requests.get(address, timeout=20)
        assert answer.headers["Content-Type"].split(";")[0] == "application/vnd.apple.mpegurl"

        def fetch(uri: str, byte_range, base: str = address) -> bytes:
            headers = {"Range": f"bytes={byte_range[1]}-{sum(byte_range) - 1}"} if byte_range else {}
            media = requests.get(urljoin(base, uri), headers=headers, timeout=20)
            assert media.status_code == (206 if byte_range else 200), uri
            assert media.headers["Content-Type"] == "video/mp4"
            if not byte_range:
                # Apple's player asks for pieces of whole files too.
                piece = requests.get(urljoin(base, uri), headers={"Range": "bytes=0-1"}, timeout=20)
                assert (piece.status_code, piece.content) == (206, media.content[:2])
            return media.content

        # The parts of a camera on a busy machine are of unequal length; players take them as they come.
        assert [one for one in check_playlist(answer.text, fetch=fetch) if UNEQUAL not in one] == []
        playlist, _ = read_playlist(answer.text)
        assert playlist.is_ended == is_whole
        assert all(segment.map is not None and segment.time is not None for segment in playlist.segments[:1])
        assert urlsplit(urljoin(address, playlist.segments[0].uri)).netloc == urlsplit(stack.url).netloc


def playlists_of(asked: list[Request]) -> list[str]:
    return [request.url for request in asked if urlsplit(request.url).path.endswith("/playlist")]


def test_recordings_play_over_gaps_with_the_true_moment(stack, page, asked, add_footage, note):
    footage = add_footage()
    starts = [BASE_MS, BASE_MS + 4_000, BASE_MS + 120_000]
    for number, start in enumerate(starts):
        # Sound comes and goes: silence is filled in, for players cannot follow such changes.
        clip = make_clip(seconds=4, key_seconds=2, first_frame=1000 * number, audio=number != 1)
        footage.record(clip, start)

    open_page(page, f"/devices/{footage.device_id}?t={spell(BASE_MS + 2_000)}", "recorded-video")
    wait_drawn(page, 2080, 2099)
    seen = page.evaluate("() => window.seen")
    drawn = [reading[0] for reading in seen]
    assert drawn == sorted(drawn)
    assert {number // 1000 for number in drawn} == {0, 1, 2}
    assert min(drawn) >= 45
    wrong = []
    for number, _, label, _ in seen:
        # The page shows whole seconds, and changes a few times a second.
        moment = datetime.fromtimestamp((starts[number // 1000] + number % 1000 * 1000 / FPS) / 1000, UTC)
        near = [datetime.fromtimestamp(moment.timestamp() + by, UTC).strftime("%H:%M:%S") for by in (-1, -0.4, 0, 0.4)]
        if label and not any(text in label for text in near):
            wrong.append((number, label, near))
    # Around a gap a label may be a picture old.
    assert len(wrong) <= 8, wrong[:4]
    note(f"native HLS in Chromium: {len(seen)} pictures over a gap of 112 s, {len(wrong)} with another second shown")
    assert all("range" not in request.headers or request.headers["range"].startswith("bytes=") for request in asked)
    assert_suits_a_native_player(stack, playlists_of(asked), is_whole=True)
    assert (
        page.evaluate("() => performance.getEntriesByType('resource').some(({ name }) => name.includes('hls.'))")
        is False
    )


def test_the_functions_of_the_recorded_player_work(page, asked, add_footage):
    footage = add_footage()
    for number in range(6):
        footage.record(make_clip(seconds=4, key_seconds=2, first_frame=100 * number), BASE_MS + 4_000 * number)
    far_ms = BASE_MS - 6 * 3_600_000
    footage.record(make_clip(seconds=4, key_seconds=2, first_frame=5000), far_ms)

    open_page(page, f"/devices/{footage.device_id}?t={spell(BASE_MS + 18_000)}", "recorded-video")
    wait_drawn(page, 450, 599)
    before = len(set(playlists_of(asked)))
    # Back within the window: a seek of the element.
    page.keyboard.press("ArrowLeft")
    wait_drawn(page, 180, 349)
    assert len(set(playlists_of(asked))) == before
    page.keyboard.press("+")
    page.wait_for_function("() => document.querySelector('[data-testid=recorded-video]').playbackRate === 2")
    page.keyboard.press("f")
    page.wait_for_selector("[data-testid=recorded-video][data-full-screen=entered]")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press(" ")
    # Far away: the playlist of another window.
    page.get_by_role("button", name="Jump to a time").click()
    page.get_by_role("dialog").get_by_role("textbox").first.wait_for()
    page.keyboard.press("Escape")
    page.goto(f"/devices/{footage.device_id}?t={spell(far_ms + 1_000)}")
    page.wait_for_function("() => document.querySelector('[data-testid=recorded-video]')?.currentTime > 1.2")
    assert len(set(playlists_of(asked))) > before
    # All that there is is played at last: the end is said, and nothing is asked for again and again.
    page.goto(f"/devices/{footage.device_id}?t={spell(BASE_MS + 22_000)}")
    page.wait_for_selector("[data-testid=recorded-video][data-player-state=ended]", state="attached", timeout=30_000)


def test_a_damaged_file_is_left_out_and_said(page, add_footage):
    footage = add_footage()
    clips = [make_clip(seconds=4, key_seconds=2, first_frame=1000 * number) for number in range(3)]
    files = [file for number, clip in enumerate(clips) for file in footage.record(clip, BASE_MS + 4_000 * number)]
    footage.truncate(files[1], 0)
    open_page(page, f"/devices/{footage.device_id}?t={spell(BASE_MS + 1_000)}", "recorded-video")
    wait_drawn(page, 2000, 2099, 60)


def test_live_hls_plays_and_survives_the_camera(stack, page, asked, add_camera, add_device, note):
    device_id = add_device(add_camera(codec="h264", audio="aac", key_frame_seconds=1))
    stack.wait_for_state(device_id, "running")
    open_page(page, f"/devices/{device_id}", "hls-video")
    page.get_by_role("button", name="More actions").click()
    page.get_by_text("HLS: some seconds behind").click()
    page.wait_for_function("() => window.seen.length > 40", timeout=30_000)
    page.get_by_test_id("hls-badge").wait_for()
    delay = page.evaluate("() => window.seen.at(-1)[3]") / 1000
    badge = page.get_by_test_id("hls-badge").inner_text()
    note(f"live native HLS in Chromium: {delay:.1f} s behind the camera, the page says {json.dumps(badge)}")
    assert delay < 20
    assert_suits_a_native_player(stack, playlists_of(asked)[:1], is_whole=False)
    assert all(not parse_qs(urlsplit(address).query) for address in playlists_of(asked))

    killed = time.time()
    os.kill(stack.ffmpeg_pids(device_id)[0], signal.SIGKILL)
    page.wait_for_function(
        "(after) => window.seen.some(([drawn]) => drawn > after)", arg=(killed + 2) * 1000, timeout=60_000
    )
    note(f"after FFmpeg was killed, pictures again after {time.time() - killed:.1f} s")


def test_a_stopped_camera_is_told_and_its_picture_appears_when_it_is_started(stack, page, add_camera, add_device):
    device_id = add_device(add_camera(key_frame_seconds=1), start_mode="manual")
    open_page(page, f"/devices/{device_id}", "hls-video")
    page.get_by_role("button", name="More actions").click()
    page.get_by_text("HLS: some seconds behind").click()
    expect(page.get_by_test_id("stage").get_by_text("The camera is stopped")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function("() => window.seen.length > 10", timeout=60_000)
