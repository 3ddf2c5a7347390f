"""Typical use of the pages: adding a camera after a probe, stopping and starting it, deleting it."""

from playwright.sync_api import expect


def test_a_camera_is_added_with_a_probe_stopped_started_and_deleted_in_the_pages(stack, add_camera, browser):
    url = add_camera(codec="h264", audio="aac", key_frame_seconds=1, user="viewer", password="pa55-n0t-t0-be-seen")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(15_000)

    page.goto(f"{stack.url}/devices/new")
    page.get_by_label("Name").fill("Loading dock")
    page.get_by_label("RTSP address").fill(url)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("The camera sends video")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("640 × ")).to_be_visible()
    expect(page.get_by_role("img", name="Picture of the camera")).to_be_visible()
    expect(page.get_by_label("User")).to_have_value("viewer")
    page.get_by_role("button", name="Add camera").click()

    expect(page.get_by_role("heading", name="Loading dock")).to_be_visible()
    device_id = page.url.rstrip("/").rpartition("/")[2].partition("?")[0]
    stack.wait_for_state(device_id, "running")
    page.wait_for_selector("[data-testid=live-video][data-player-state=live]")

    page.get_by_role("button", name="Stop", exact=True).click()
    stack.wait_for_state(device_id, "stopped", reason="requested")
    page.wait_for_selector("[data-testid=live-video][data-player-state=waiting]")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector("[data-testid=live-video][data-player-state=live]")
    assert "pa55-n0t-t0-be-seen" not in page.content()

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="Loading dock")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete camera").click()
    expect(page.get_by_role("heading", name="Cameras", exact=True)).to_be_visible()
    assert device_id not in [device["id"] for device in stack.api.get("/devices")]
    context.close()


def test_a_probe_that_fails_is_reported_in_the_page(stack, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{stack.url}/devices/new")
    page.get_by_label("RTSP address").fill("rtsp://127.0.0.1:9/nothing")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("Nothing listens on the camera's port")).to_be_visible(timeout=20_000)
    context.close()
