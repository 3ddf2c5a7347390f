"""Access to the pages: focus after navigation, tab stops, and layouts that stay where they are."""

import pytest

#: Sum of the shifts of a layout (Cumulative Layout Shift); 0.1 is called good.
SHIFT_BUDGET = 0.02
_WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""


@pytest.fixture
def page(stack, browser):
    context = browser.new_context()
    context.add_init_script(_WATCH_SHIFTS)
    yield context.new_page()
    context.close()


def test_focus_goes_to_the_heading_of_a_page_that_was_navigated_to_and_stays_put_on_the_first(stack, page):
    page.goto(f"{stack.url}/")
    page.wait_for_selector("h1")
    assert page.evaluate("() => document.activeElement === document.body")
    page.get_by_role("navigation").get_by_role("link", name="Health").click()
    page.wait_for_function(
        "() => document.activeElement.matches('h1') && document.activeElement.textContent === 'Health'"
    )
    page.go_back()
    page.wait_for_function(
        "() => document.activeElement.matches('h1') && document.activeElement.textContent === 'Cameras'"
    )


def test_what_is_focused_is_not_hidden_by_the_header(stack, add_device, page):
    device_id = add_device("rtsp://127.0.0.1:9/none", start_mode="manual", name="behind the header")
    page.goto(f"{stack.url}/devices/{device_id}/edit")
    page.get_by_label("Name").wait_for()
    page.set_viewport_size({"width": 1000, "height": 400})
    header = page.locator("header").first.bounding_box()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(14):
            page.keyboard.press(key)
            box = page.evaluate(
                "() => document.activeElement.closest('main')"
                " && document.activeElement.getBoundingClientRect().toJSON()"
            )
            assert box is None or box["height"] == 0 or box["bottom"] > header["height"]


def test_timestamps_are_no_tab_stops(stack, add_device, page):
    device_id = add_device("rtsp://127.0.0.1:9/none", start_mode="manual", name="tab stops")
    page.goto(f"{stack.url}/devices/{device_id}")
    page.locator("time").first.wait_for()
    assert page.locator("time[tabindex='0']").count() == 0


def test_nothing_moves_when_live_video_reconnects(stack, add_camera, add_device, page, note):
    device_id = add_device(add_camera(), name="steady")
    stack.wait_for_state(device_id, "running")
    live = "[data-testid=live-video][data-player-state=live]"
    page.goto(f"{stack.url}/devices/{device_id}?autoplay=1")
    page.wait_for_selector(live)
    page.wait_for_load_state("networkidle")
    started = page.evaluate("() => window.shift")
    stack.kill("sfu")
    page.wait_for_selector("[data-testid=live-video]:not([data-player-state=live])")
    page.wait_for_selector(live, timeout=60_000)
    whole = page.evaluate("() => window.shift")
    note(f"layout shift at live start {started:.3f}, with a reconnect {whole:.3f}")
    assert whole - started <= SHIFT_BUDGET


def test_nothing_moves_while_health_is_loading(stack, page, note):
    page.goto(f"{stack.url}/health")
    page.get_by_role("heading", name="Installed plugins").wait_for()
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("() => window.shift")
    note(f"layout shift of Health {shift:.3f}")
    assert shift <= SHIFT_BUDGET
