"""Pictures and clips in the pages: the poster before the live picture, a snapshot on a click, a bookmark that plays."""

import base64
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.cameras import read_clock_of_file, read_counter_of_file
from tests.playback import make_clip
from tests.stack.playback import format_time
from tests.stack.viewer import CLOCK_SCRIPT

#: Long, so that the live picture does not come at once, and a snapshot is older than now.
KEY_SECONDS = 4
#: Time from drawing a frame until it is on the bus, on a busy machine.
CLOCK_SECONDS = 1.0
#: A poster is shown for this time before a newer one is made (POSTER_SECONDS); the page requests it at this interval.
POSTER_SECONDS = 5 + 10
SEEN_MS = 20_000

_PICTURE = """
async (image) => {
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}
"""
_VIDEO_CLOCK = "(video) => cameraClock.readClock(video)?.timeMs"


@pytest.fixture
def page(browser, stack) -> Iterator[Page]:
    """A page in which clocks can be read."""
    context = browser.new_context(bypass_csp=True, base_url=stack.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SEEN_MS)
    page.add_init_script(path=CLOCK_SCRIPT)
    yield page
    context.close()


@pytest.fixture(scope="module")
def device_id(stack, cameras) -> Iterator[str]:
    """A running camera with a clock."""
    url = cameras.add("/gate", width=640, height=360, fps=15, bitrate_kbps=600, key_frame_seconds=KEY_SECONDS)
    device_id = stack.add_device("Gate", url)["id"]
    stack.wait_for_state(device_id, "running")
    yield device_id
    stack.delete_device(device_id)
    cameras.remove("/gate")


def picture_of(image: Locator) -> bytes:
    """A picture in the page, as PNG in its own size."""
    return base64.b64decode(image.evaluate(_PICTURE))


def moment_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_the_newest_picture_is_shown_until_the_first_live_one_comes(page, stack, device_id):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    poster_is_made = lambda: stack.api.raw(f"/devices/{device_id}/poster.jpg?width=1280").status_code == 200  # noqa: E731
    stack.wait_until(poster_is_made, 20, "the poster is made")
    page.route("**/streams/*/viewers", hold)
    page.route("**/streams/*/latest.mp4*", lambda route: route.abort())
    page.goto(f"/devices/{device_id}?autoplay=1")
    poster = page.get_by_test_id("poster")
    expect(poster).to_be_visible(timeout=SEEN_MS)
    drawn = read_clock_of_file(picture_of(poster))
    assert -CLOCK_SECONDS < time.time() - drawn.time_ms / 1000 < KEY_SECONDS + POSTER_SECONDS + CLOCK_SECONDS
    assert page.get_by_test_id("live-video").get_attribute("data-player-state") != "live"
    page.unroute("**/streams/*/viewers")
    for route in held:
        route.continue_()
    page.wait_for_selector("[data-testid=live-video][data-player-state=live]")
    expect(poster).to_have_count(0, timeout=SEEN_MS)
    page.goto("/")
    tile = page.get_by_test_id("poster").first
    expect(tile).to_be_visible(timeout=SEEN_MS)
    assert read_clock_of_file(picture_of(tile)), "the list shows it as well"


def test_a_click_takes_a_snapshot_of_now_and_adds_it_to_the_gallery(page, stack, device_id, note):
    page.goto(f"/devices/{device_id}?autoplay=1")
    page.wait_for_selector("[data-testid=live-video][data-player-state=live]")
    pressed = time.time()
    page.get_by_role("button", name="Take a snapshot").click()
    page.wait_for_selector("[data-testid=capture-card][data-state=done]")
    seen = time.time()
    (snapshot,) = stack.api.get("/snapshots", device_id=device_id)
    drawn = read_clock_of_file(stack.api.raw(f"/snapshots/{snapshot['id']}/image").content)
    age = pressed - drawn.time_ms / 1000
    note(f"a snapshot is there {seen - pressed:.2f} s after the click; its frame was drawn {age:.2f} s before")
    assert pressed - KEY_SECONDS - CLOCK_SECONDS < drawn.time_ms / 1000 < pressed + CLOCK_SECONDS
    assert abs(moment_of(snapshot["at"]) - drawn.time_ms / 1000) < CLOCK_SECONDS

    page.get_by_role("button", name="View the snapshot").click()
    page.wait_for_selector("[role=dialog] img")
    page.goto(f"/snapshots?device={device_id}")
    tile = page.get_by_test_id("snapshot-tile")
    expect(tile).to_have_count(1, timeout=SEEN_MS)
    assert read_clock_of_file(picture_of(tile.locator("img"))) == drawn


def test_a_snapshot_of_the_recording_is_exactly_the_frame_on_the_screen(page, stack, add_footage):
    footage = add_footage()
    start_ms = (int(time.time()) - 3600) * 1000
    footage.record(make_clip(seconds=8, key_seconds=4), start_ms)
    page.goto(f"/devices/{footage.device_id}?t={format_time(start_ms / 1000 + 2)}")
    video = page.get_by_test_id("recorded-video")
    page.wait_for_function(
        "() => { const v = document.querySelector('[data-testid=recorded-video]'); return v && v.currentTime > 0; }"
    )
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('[data-testid=recorded-video]').paused")
    page.keyboard.press(".")
    page.wait_for_function(
        "() => "
        "{ const v = document.querySelector('[data-testid=recorded-video]'); return !v.seeking && v.readyState > 1; }"
    )
    shown = video.evaluate(_VIDEO_CLOCK)
    page.keyboard.press("s")
    page.wait_for_selector("[data-testid=capture-card][data-state=done]")
    (snapshot,) = stack.api.get("/snapshots", device_id=footage.device_id)
    taken = read_counter_of_file(stack.api.raw(f"/snapshots/{snapshot['id']}/image").content)
    assert (snapshot["kind"], taken) == ("historical", video.evaluate(_VIDEO_CLOCK))
    assert taken == shown
    assert abs(moment_of(snapshot["at"]) * 1000 - start_ms - taken * 40) <= 2


def test_a_bookmark_of_now_gets_a_clip_that_plays_in_the_page(page, stack, device_id):
    page.goto(f"/devices/{device_id}?autoplay=1")
    page.wait_for_selector("[data-testid=live-video][data-player-state=live]")
    page.keyboard.press("b")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("A van at the gate")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0, timeout=SEEN_MS)
    page.goto(f"/bookmarks?device={device_id}")
    card = page.get_by_test_id("bookmark-card")
    expect(card.get_by_text("A van at the gate")).to_be_visible(timeout=SEEN_MS)
    page.wait_for_selector("[data-testid=bookmark-card][data-clip=ready]", timeout=30_000)
    (bookmark,) = stack.api.get("/bookmarks", device_id=device_id)
    at = moment_of(bookmark["at"])
    poster = read_clock_of_file(picture_of(card.locator("img")))
    assert abs(poster.time_ms / 1000 - at) < CLOCK_SECONDS

    card.get_by_role("button", name="Play A van at the gate").click()
    video = page.get_by_test_id("bookmark-video")
    page.wait_for_function("() => document.querySelector('[data-testid=bookmark-video]')?.currentTime > 0.5")
    # Cut at the key frame before the requested range, and after its end.
    assert abs(video.evaluate("(v) => v.duration") - bookmark["clip"]["duration_seconds"]) < 0.2
    assert at - 5 - KEY_SECONDS - CLOCK_SECONDS < video.evaluate(_VIDEO_CLOCK) / 1000 < at + 5
    video.evaluate("(v) => { v.pause(); v.currentTime = v.duration - 0.1; }")
    page.wait_for_function("() => !document.querySelector('[data-testid=bookmark-video]').seeking")
    assert at + 4 < video.evaluate(_VIDEO_CLOCK) / 1000 < at + 6 + CLOCK_SECONDS

    kinds = lambda: {event["kind"] for event in stack.api.get(f"/devices/{device_id}/events")}  # noqa: E731
    stack.wait_until(lambda: kinds() >= {"bookmark", "clip"}, 10, "the device's history has both")
