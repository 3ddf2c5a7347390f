"""Access to the pages: axe, focus after navigation, tab stops, and layouts that stay where they are."""

import time
from pathlib import Path

import pytest

from tests.playback import make_clip
from tests.stack.playback import format_time

#: Sum of the shifts of a layout (Cumulative Layout Shift); 0.1 is called good.
SHIFT_BUDGET = 0.02
#: By width: a screen with a mouse, and a phone.
SCREENS = {
    1440: {"viewport": {"width": 1440, "height": 900}},
    390: {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
_AXE = Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js"
_FIND_VIOLATIONS = """
async () => {
  const isEnding = (animation) => Number.isFinite(animation.effect.getComputedTiming().endTime);
  await Promise.all(document.getAnimations().filter(isEnding).map(({ finished }) => finished.catch(() => {})));
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any, all, none }) =>
    `${id}: ${target.join(' ')} ${[...any, ...all, ...none].map(({ message }) => message).join('; ')}`));
}
"""
_WATCH_SHIFTS = """
window.shift = 0;
window.shifts = [];
const describe = ({ node, previousRect: before, currentRect: after }) => {
  const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  const name = element && `${element.localName}.${element.className} "${(element.textContent ?? '').slice(0, 40)}"`;
  const box = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
  return `${name}: ${box(before)} -> ${box(after)}`;
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shift += entry.value;
    window.shifts.push([entry.value.toFixed(4), Math.round(entry.startTime) + ' ms', ...entry.sources.map(describe)]
      .join('; '));
  }
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


def without_events(page) -> None:
    """Let the network become idle: the stream of events never ends."""
    page.route("**/events/stream*", lambda route: route.abort())


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_moves_when_live_video_starts(stack, add_camera, add_device, page, note, width):
    device_id = add_device(add_camera(), name="steady from the start")
    stack.wait_for_state(device_id, "running")
    page.set_viewport_size({"width": width, "height": 900})
    without_events(page)
    page.goto(f"{stack.url}/devices/{device_id}?autoplay=1")
    page.wait_for_selector("[data-testid=live-video][data-player-state=live]")
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("() => window.shift")
    note(f"layout shift at live start, {width} px wide: {shift:.3f}")
    assert shift <= SHIFT_BUDGET, "\n".join(page.evaluate("() => window.shifts"))


def test_nothing_moves_when_the_name_of_a_camera_comes_late(stack, add_camera, add_device, page, note):
    name = "a name for which a phone needs more than a line"
    device_id = add_device(add_camera(), name=name)
    stack.wait_for_state(device_id, "running")
    page.set_viewport_size({"width": 390, "height": 900})
    without_events(page)
    held = []
    is_shown = False

    def hold(route) -> None:
        if is_shown:
            route.continue_()
        else:
            held.append(route)

    for kind in ("devices", "streams"):
        page.route(f"**/api/v1/{kind}/{device_id}", hold)
    page.goto(f"{stack.url}/devices/{device_id}")
    page.get_by_test_id("stage").wait_for()
    is_shown = True
    for route in held:
        route.continue_()
    page.get_by_role("heading", name=name, level=1).wait_for()
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("() => window.shift")
    note(f"layout shift with a late name: {shift:.3f}")
    assert shift <= SHIFT_BUDGET, "\n".join(page.evaluate("() => window.shifts"))


def test_nothing_moves_when_live_video_reconnects(stack, add_camera, add_device, page, note):
    device_id = add_device(add_camera(), name="steady")
    stack.wait_for_state(device_id, "running")
    live = "[data-testid=live-video][data-player-state=live]"
    without_events(page)
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
    without_events(page)
    page.goto(f"{stack.url}/health")
    page.get_by_role("heading", name="Installed plugins").wait_for()
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("() => window.shift")
    note(f"layout shift of Health {shift:.3f}")
    assert shift <= SHIFT_BUDGET


@pytest.mark.parametrize("width", SCREENS)
def test_axe_finds_nothing_on_any_page_light_and_dark(stack, browser, add_device, add_footage, width):
    """The rules see this product's own data; `npm run access` checks the states that only the fake API has."""
    footage = add_footage()
    start_ms = (int(time.time()) - 3600) * 1000
    footage.record(make_clip(seconds=4, key_seconds=2), start_ms)
    recorded = footage.device_id
    failing = add_device("rtsp://127.0.0.1:9/none", name="Car park, level 2", tags=["outdoor"], location="Building 3")
    paths = ["/", "/?q=nothing", f"/devices/{failing}?autoplay=1", f"/devices/{failing}/edit", "/devices/new"]
    paths += [f"/devices/{recorded}?t={format_time(start_ms / 1000 + 1)}", f"/devices/{recorded}/recording"]
    paths += [f"/devices/{recorded}/snapshots", f"/recordings/{recorded}", "/recordings", "/snapshots", "/bookmarks"]
    paths += ["/health", "/events", "/nowhere", "/devices/00000000-0000-4000-8000-000000000000"]
    context = browser.new_context(**SCREENS[width], reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    faults = []

    def check(name: str) -> None:
        page.evaluate(_AXE.read_text())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_selector(f":root[data-mantine-color-scheme={scheme}]", state="attached")
            faults.extend(f"{name}, {scheme}: {fault}" for fault in page.evaluate(_FIND_VIOLATIONS))

    for path in paths:
        page.goto(f"{stack.url}{path}")
        page.wait_for_selector("h1")
        page.wait_for_function("() => !document.querySelector('.mantine-Skeleton-root')")
        check(path)
    page.goto(f"{stack.url}/")
    page.get_by_role("button", name="More actions for Car park, level 2").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").wait_for()
    check("the dialog that deletes a camera")
    context.close()
    assert not faults, "\n".join(faults)
