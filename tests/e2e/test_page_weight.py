"""What a first visit of each page loads: bytes on the wire, and which libraries wait until they are needed."""

import pytest

#: Bytes of scripts, styles and other files on the wire, heads included, with an empty cache; of a page without the
#: library for WebRTC, which a camera's page loads after its first paint.
LIST_BUDGET = 250_000
PAGE_BUDGET = 330_000
#: Libraries of the players, by a text that the minified code of the library has, and our own code has not.
PLAYER_LIBRARIES = {"mediasoup-client": "mediasoup-client", "hls.js": "hlsManifestLoading"}


@pytest.fixture
def visit(stack, browser):
    """`visit(path)` opens a page with an empty cache; returns the bytes of each of its files, and the page."""
    contexts = []

    def open_page(path: str):
        contexts.append(browser.new_context())
        # The stream of events never ends, and the network would never be idle.
        contexts[-1].route("**/events/stream*", lambda route: route.abort())
        page = contexts[-1].new_page()
        connection = contexts[-1].new_cdp_session(page)
        connection.send("Network.enable")
        urls: dict[str, str] = {}
        sizes: dict[str, int] = {}

        def note_reply(event) -> None:
            urls[event["requestId"]] = event["response"]["url"].removeprefix(stack.url)

        def note_end(event) -> None:
            url = urls.get(event["requestId"], "")
            if not url.startswith("/api/"):
                sizes[url] = sizes.get(url, 0) + round(event["encodedDataLength"])

        connection.on("Network.responseReceived", note_reply)
        connection.on("Network.loadingFinished", note_end)
        page.goto(f"{stack.url}{path}")
        page.wait_for_selector("h1")
        page.wait_for_load_state("networkidle")
        return sizes, page

    yield open_page
    for context in contexts:
        context.close()


def test_the_first_load_of_the_list_keeps_its_budget_and_has_no_library_of_a_player(stack, visit, note):
    sizes, page = visit("/")
    note(f"first load of the list: {sum(sizes.values())} bytes in {len(sizes)} files")
    assert sum(sizes.values()) <= LIST_BUDGET, sizes
    scripts = {url: page.request.get(f"{stack.url}{url}").text() for url in sizes if url.endswith(".js")}
    assert scripts
    for library, mark in PLAYER_LIBRARIES.items():
        assert not [url for url, text in scripts.items() if mark in text], library


@pytest.mark.parametrize("path", ["/devices/{id}", "/devices/{id}/edit", "/recordings", "/snapshots", "/bookmarks"])
def test_the_first_load_of_a_page_keeps_its_budget(stack, add_device, visit, note, path):
    sizes, page = visit(path.format(id=add_device("rtsp://127.0.0.1:9/none", start_mode="manual")))
    scripts = {url: page.request.get(f"{stack.url}{url}").text() for url in sizes if url.endswith(".js")}
    libraries = [url for url, text in scripts.items() if PLAYER_LIBRARIES["mediasoup-client"] in text]
    # Nothing of ours is in its file: our components import React.
    assert not [url for url in libraries if "/react-" in scripts[url]]
    own = {url: size for url, size in sizes.items() if url not in libraries}
    note(f"first load of {path}: {sum(sizes.values())} bytes, {sum(own.values())} without the library of the player")
    assert sum(own.values()) <= PAGE_BUDGET, own


def test_a_page_is_opened_after_the_server_has_got_a_newer_build(stack, browser):
    """Its code has another name then: the document is loaded again, at the address that was asked for."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{stack.url}/")
    page.wait_for_selector("h1")
    newer = []
    page.on("request", lambda request: newer.append(request) if request.is_navigation_request() else None)
    # The pointer loads the page's code before the click does: both are answered as by the newer server.
    page.route(
        "**/assets/HealthPage-*.js",
        lambda route: route.continue_() if newer else route.fulfill(status=404, body=""),
    )
    own = page.locator("script[type=module]").get_attribute("src")
    page.evaluate("() => { window.isOldDocument = true; }")

    def answer_newer(route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, body=reply.text().replace(own, "/assets/index-newer.js"))

    page.route("**/index.html", answer_newer)
    page.get_by_role("navigation").get_by_role("link", name="Health").click()
    page.get_by_role("heading", name="Health", level=1).wait_for()
    page.wait_for_function("() => !window.isOldDocument")
    assert page.url == f"{stack.url}/health"
    context.close()


def test_a_page_whose_code_cannot_be_loaded_says_so(stack, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{stack.url}/")
    page.wait_for_selector("h1")
    context.route("**/assets/HealthPage-*.js", lambda route: route.abort())
    page.get_by_role("navigation").get_by_role("link", name="Health").click()
    page.get_by_role("heading", name="This page could not be loaded").wait_for()
    context.unroute("**/assets/HealthPage-*.js")
    page.get_by_role("button", name="Reload").click()
    page.get_by_role("heading", name="Health", level=1).wait_for()
    context.close()
