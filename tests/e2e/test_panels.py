"""The panel of a plugin in Chromium under the page's Content-Security-Policy, and what a broken one leaves."""

import pytest
from playwright.sync_api import expect

TITLE, TEXT = "Picture analysis", "No picture of this camera is analysed now."


@pytest.fixture
def page(stack, add_device, browser):
    """The page of a device that never runs; `page.refused` has what the Content-Security-Policy refused."""
    device_id = add_device("rtsp://127.0.0.1:9/none", start_mode="manual")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.refused = []
    page.on("console", lambda one: page.refused.append(one.text) if "Content Security Policy" in one.text else None)
    page.address = f"{stack.url}/devices/{device_id}"
    yield page
    context.close()


def see_panel(page):
    card = page.get_by_role("region", name=TITLE)
    card.scroll_into_view_if_needed()
    return card


def test_a_panel_is_shown_under_the_content_security_policy_and_leads_to_other_pages(page):
    page.goto(page.address)
    card = see_panel(page)
    expect(card.get_by_text(TEXT)).to_be_visible()
    assert page.refused == []
    page.evaluate("() => { window.isSamePage = true }")
    card.get_by_role("link", name="Options of the analysis").click()
    page.wait_for_url(f"{page.address}/plugins/ai_analytics")
    assert page.evaluate("() => window.isSamePage")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("import 'https://elsewhere.example/other.js'; export function mount() {}", "Its module cannot be loaded."),
        ("export async function mount(element) { element.textContent = 'half of a panel'; eval('1'); }", "unsafe-eval"),
    ],
    ids=["elsewhere", "eval"],
)
def test_a_broken_panel_is_a_notice_with_a_retry_and_hurts_nothing_else(page, module, reason):
    pattern = "**/panels/analysis.js*"
    page.route(pattern, lambda route: route.fulfill(content_type="text/javascript", body=module))
    page.goto(page.address)
    card = see_panel(page)
    expect(card.get_by_role("status")).to_contain_text("The plugin “ai_analytics” has failed here.")
    expect(card.get_by_role("status")).to_contain_text(reason)
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.get_by_text("half of a panel")).to_have_count(0)
    page.unroute(pattern)
    card.get_by_role("button", name="Try again").click()
    expect(card.get_by_text(TEXT)).to_be_visible()
    expect(card.get_by_role("status")).to_have_count(0)
