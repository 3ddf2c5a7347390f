"""Open pages follow the events: a change appears at once, and without the stream by asking."""

import time

from playwright.sync_api import expect


def rename(stack, device_id, name):
    fields = stack.api.get(f"/devices/{device_id}")
    stack.api.put(f"/devices/{device_id}", fields | {"name": name})


def test_a_change_appears_at_once_and_without_the_stream_a_little_later(stack, add_device, browser, note):
    device_id = add_device("rtsp://127.0.0.1:9/none", start_mode="manual")
    context = browser.new_context()
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if f"/devices/{device_id}" in request.url else None)
    page.goto(f"{stack.url}/devices/{device_id}")
    expect(page.locator("[data-live]")).to_be_attached(timeout=20_000)
    page.wait_for_timeout(1_500)

    before, began = len(asked), time.monotonic()
    rename(stack, device_id, "Loading dock")
    expect(page.get_by_role("heading", name="Loading dock")).to_be_visible(timeout=8_000)
    note(f"a change was on the page after {(time.monotonic() - began) * 1000:.0f} ms")
    assert len(asked) > before

    context.route("**/events/stream*", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("heading", name="Loading dock")).to_be_visible(timeout=20_000)
    rename(stack, device_id, "Yard")
    expect(page.get_by_role("heading", name="Yard")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-live]")).not_to_be_attached()
    context.close()
