"""Analysis through the whole stack: pictures of a camera's sub-stream become events, footage and snapshots."""

from playwright.sync_api import expect


def test_motion_is_an_event_with_a_picture_and_footage(stack, add_device, add_camera, browser):
    device_id = add_device(add_camera(), sub_source_url=add_camera("sub", width=320, height=180, fps=5))
    stack.wait_for_state(device_id, "running")
    recording = f"/recordings/devices/{device_id}"
    stack.api.put(recording, stack.api.get(recording) | {"mode": "event"})
    assert stack.stream(device_id)["camera_sessions"] in (None, 1)
    options = f"/devices/{device_id}/plugins/ai_analytics"
    stack.api.put(options, {"values": {"is_on": True, "detectors": [], "sensitivity": 80}})

    def find_event() -> dict | None:
        found = stack.api.get(f"/detections?device_id={device_id}&kind=motion")
        return next((one for one in found if one["snapshot_id"]), None)

    event = stack.wait_until(find_event, 45, "an event with a picture")
    assert event["box"]
    state = stack.api.get(f"/devices/{device_id}/analysis")
    assert (state["is_running"], state["source"], state["problems"]) == (True, "sub_stream", [])
    stack.wait_until(
        lambda: (stack.api.get(f"/devices/{device_id}/analysis")["given_fps"] or 0) > 1, 15, "pictures are analysed"
    )
    assert stack.stream(device_id)["camera_sessions"] == 2
    picture = stack.api.get(f"/snapshots/{event['snapshot_id']}")
    assert (picture["width"], picture["height"]) == (640, 360)
    assert picture["created_by"] == "ai_analytics"
    footage = stack.wait_until(
        lambda: stack.api.get(f"/recordings/devices/{device_id}/timeline?start={event['start']}&end={picture['at']}")[
            "spans"
        ],
        20,
        "footage of the event",
    )
    # With the pre-roll: before the event was known.
    assert footage[0]["start"] <= event["start"]

    stack.api.put(options, {"values": {"is_on": False}})
    stack.wait_until(lambda: stack.stream(device_id)["camera_sessions"] == 1, 25, "the end of the second session")
    stack.wait_until(
        lambda: all(one["end"] for one in stack.api.get(f"/detections?device_id={device_id}")), 10, "the events' ends"
    )

    page = browser.new_page()
    page.goto(f"{stack.url}/events?device={device_id}&picture=1")
    tile = page.locator(f'[data-event="{event["id"]}"]')
    expect(tile).to_be_visible(timeout=20_000)
    expect(tile.locator("img")).to_have_js_property("complete", True)
    tile.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("event-video")).to_have_attribute("data-player-state", "playing", timeout=30_000)
    page.keyboard.press("Escape")
    expect(tile).to_be_focused()
    tile.click()
    page.get_by_role("link", name="Show on the timeline").click()
    expect(page.get_by_role("list", name="Events, from top to bottom")).to_contain_text("Motion", timeout=20_000)
    expect(page.get_by_test_id("recorded-video")).to_have_attribute("data-player-state", "playing", timeout=20_000)
    # From a live picture, the previous event is the last one.
    page.goto(f"{stack.url}/devices/{device_id}")
    expect(page.get_by_role("button", name="Previous event")).to_be_visible(timeout=20_000)
    page.keyboard.press("p")
    expect(page.get_by_test_id("recorded-video")).to_have_attribute("data-player-state", "playing", timeout=20_000)
    page.close()
