"""No slip in the pages costs footage: deletion and stopping can be undone, shorter retention asks first."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.playback import make_clip

DAY_MS = 86_400_000
#: The start of a minute two days ago: the default retention deletes nothing of it.
BASE_MS = (int(time.time()) // 60 - 2 * 1440) * 60_000


def spell(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def page(browser, stack) -> Iterator[Page]:
    """A page of a viewer in New York."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1440, "height": 900}, timezone_id="America/New_York", locale="en-US"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def footage(add_footage):
    """A device with eight seconds of footage two days ago."""
    made = add_footage()
    clip = make_clip(seconds=4, key_seconds=2)
    made.record(clip, BASE_MS)
    made.record(clip, BASE_MS + 60_000)
    return made


def recording_of(stack, device_id: str) -> dict:
    return stack.api.get(f"/recordings/devices/{device_id}")


def test_a_deleted_camera_comes_back_with_its_footage_and_its_protected_range(stack, page, footage):
    device_id = footage.device_id
    name = stack.api.get(f"/devices/{device_id}")["name"]
    hold = {"start": spell(BASE_MS), "end": spell(BASE_MS + 3000), "note": "evidence"}
    stack.api.post(f"/recordings/devices/{device_id}/protections", hold)
    before = recording_of(stack, device_id)
    assert before["bytes"] > 0

    page.goto(f"/devices/{device_id}")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 protected range is deleted as well")).to_be_visible()
    expect(dialog.get_by_text("evidence")).to_be_visible()
    expect(dialog.get_by_role("button", name="Delete camera")).to_be_disabled()
    dialog.get_by_label("Type the name of the camera to delete it").fill(name)
    dialog.get_by_role("button", name="Delete camera").click()
    expect(page.get_by_role("heading", name="Cameras", exact=True)).to_be_visible()
    assert device_id in [one["id"] for one in stack.api.get("/devices/deleted")]
    assert {one["id"]: one["bytes"] for one in stack.api.get("/devices/deleted")}[device_id] == before["bytes"]
    page.get_by_role("button", name="Undo").click()
    stack.wait_until(lambda: stack.api.raw(f"/devices/{device_id}").status_code == 200, 10, "the device is back")
    after = recording_of(stack, device_id)
    assert (after["bytes"], after["oldest"]) == (before["bytes"], before["oldest"])
    notes = [one["note"] for one in stack.api.get(f"/recordings/devices/{device_id}/protections")]
    assert notes == ["evidence"]


def test_a_camera_in_the_bin_is_restored_from_the_list(stack, page, footage):
    stack.api.delete(f"/devices/{footage.device_id}")
    page.goto("/")
    page.get_by_role("button", name="can be restored").click()
    page.get_by_role("region", name="Deleted cameras").get_by_role("button", name="Restore", exact=True).click()
    stack.wait_until(
        lambda: stack.api.raw(f"/devices/{footage.device_id}").status_code == 200, 10, "the device is back"
    )


def test_a_stop_by_mistake_is_undone(stack, page, add_camera, add_device):
    device_id = add_device(add_camera(key_frame_seconds=1))
    stack.wait_for_state(device_id, "running")
    page.goto(f"/devices/{device_id}")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    stack.wait_until(lambda: stack.stream(device_id)["desired"] == "running", 10, "the stop is undone")
    stack.wait_for_state(device_id, "running")


def test_shorter_retention_says_what_goes_and_deletes_nothing_without_a_yes(stack, page, footage):
    before = recording_of(stack, footage.device_id)
    page.goto(f"/devices/{footage.device_id}/recording")
    page.get_by_label("Days").fill("1")
    expect(page.get_by_text("Saving deletes footage")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    after = recording_of(stack, footage.device_id)
    assert (after["keep_days"], after["bytes"]) == (None, before["bytes"])
    page.get_by_role("link", name="Cameras").first.click()
    expect(page.get_by_text("Leave without saving?")).to_be_visible()
    page.get_by_role("button", name="Discard changes").click()
    expect(page.get_by_role("heading", name="Cameras", exact=True)).to_be_visible()


def test_every_time_on_a_page_is_on_the_clock_that_was_chosen(stack, page, footage):
    page.goto(f"/devices/{footage.device_id}?t={spell(BASE_MS)}")
    hour = datetime.fromtimestamp(BASE_MS / 1000, UTC).strftime("%H:%M").lstrip("0")
    slider = page.get_by_role("slider", name="Timeline of")
    expect(slider).not_to_have_attribute("aria-valuetext", "UTC")
    assert "UTC" not in page.get_by_role("main").inner_text().replace("in UTC", "")
    page.get_by_role("button", name="Clock: My time").click()
    page.get_by_role("menuitemradio", name="UTC").click()
    stack.wait_until(
        lambda: "UTC" in (slider.get_attribute("aria-valuetext") or ""), 5, f"the timeline is at {hour} UTC"
    )
    expect(page.get_by_text("UTC").first).to_be_visible()


def test_full_screen_gives_the_picture_the_whole_screen(page, footage):
    page.goto(f"/devices/{footage.device_id}?t={spell(BASE_MS + 500)}")
    page.wait_for_selector("[data-testid=recorded-video]")
    page.get_by_role("button", name="Full screen").click()
    stage = page.get_by_test_id("stage")
    page.wait_for_function("document.fullscreenElement !== null")
    share = stage.evaluate("(stage) => stage.getBoundingClientRect().height / window.innerHeight")
    assert share >= 0.98
    page.wait_for_selector("section[data-resting][data-moving]")
    expect(page.get_by_role("button", name="Full screen")).to_be_hidden()
    page.mouse.move(400, 300)
    page.mouse.move(420, 320)
    expect(page.get_by_role("button", name="Full screen")).to_be_visible()


def test_space_pauses_wherever_the_focus_is_and_a_press_on_the_picture_too(page, footage):
    page.goto(f"/devices/{footage.device_id}?t={spell(BASE_MS + 100)}")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("slider", name="Timeline of").focus()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.evaluate("window.scrollY") == 0
    page.get_by_test_id("stage").click(position={"x": 40, "y": 200})
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_wheel_over_the_timeline_scrolls_the_page(page, footage):
    page.goto(f"/devices/{footage.device_id}?t={spell(BASE_MS)}")
    slider = page.get_by_role("slider", name="Timeline of")
    slider.hover()
    page.mouse.wheel(0, 300)
    page.wait_for_function("window.scrollY > 100")


def test_the_export_of_a_marked_range_is_in_sight(page, footage):
    page.goto(f"/devices/{footage.device_id}?t={spell(BASE_MS + 2000)}")
    page.get_by_role("button", name="Mark end").click()
    button = page.get_by_role("button", name="Export as MP4")
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box["y"] + box["height"] <= 900, box
