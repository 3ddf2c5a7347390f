"""The network between a viewer and the product is away for seconds; nobody closes a connection."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.stack import BrowserViewer, Stack
from tests.stack.relay import PRODUCT_SIDE, VIEWER_SIDE, Relay
from tests.stack.viewer import CLOCK_SCRIPT

#: Seconds without network.
SHORT, MIDDLE, LONG = 2, 12, 30
#: Longest time from the return of the network to the next picture.
BUDGET_SECONDS = 5
MARGIN_SECONDS = 5

_PAGE = "<!doctype html><title>WHEP</title><video muted playsinline width=640></video>"
_COUNT_CONNECTIONS = """
() => {
  window.connections = 0;
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...args) { super(...args); window.connections += 1; }
  };
}
"""


#: The least that a WHEP player is: it asks again when its connection has failed, and keeps it until then.
_WHEP = """
async ([url, token]) => {
  const video = document.querySelector('video');
  window.seen = { readings: [] };
  window.sessions = 0;
  const connect = async () => {
    const connection = new RTCPeerConnection();
    connection.addTransceiver('video', { direction: 'recvonly' });
    connection.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); void video.play(); };
    connection.onconnectionstatechange = () => {
      if (connection.connectionState !== 'failed' || connection.isOver) return;
      connection.isOver = true;
      connection.close();
      void again();
    };
    await connection.setLocalDescription(await connection.createOffer());
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' };
    const answer = await fetch(url, { method: 'POST', headers, body: connection.localDescription.sdp });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    window.leave = () => fetch(new URL(answer.headers.get('Location'), answer.url), { method: 'DELETE', headers });
    window.sessions += 1;
  };
  const again = () => connect().catch(() => new Promise((done) => setTimeout(done, 1000)).then(again));
  cameraClock.watchClock(video, ({ seenMs, timeMs }) => window.seen.readings.push([seenMs, timeMs]));
  await connect();
}
"""
_DRAWN_AFTER = "(after) => window.seen.readings.filter(([, drawn]) => drawn > after).length >= 5"
_FIRST_AFTER = "(after) => window.seen.readings.find(([, drawn]) => drawn > after)[0]"


@pytest.fixture(scope="module")
def relayed() -> Iterator[tuple[Stack, Relay]]:
    """A product that its viewers reach through a relay only."""
    with Stack(announced_address=VIEWER_SIDE, sfu_workers=1) as stack:
        webrtc = int(stack.env["SFU_WEBRTC_PORT"])
        with Relay(tcp=[stack.port, stack.sfu_port, webrtc], udp=[webrtc]) as relay:
            yield stack, relay


@pytest.fixture(scope="module")
def device_id(relayed, cameras) -> Iterator[str]:
    stack, _ = relayed
    url = cameras.add("/far", width=640, height=360, fps=15, bitrate_kbps=600, key_frame_seconds=1)
    device = stack.add_device("Far", url)
    stack.wait_for_state(device["id"], "running")
    yield device["id"]
    stack.delete_device(device["id"])


def cut(relay: Relay, wait, seconds: float) -> float:
    """Cut the network for some seconds; returns the wall clock of its return."""
    relay.cut()
    wait(seconds * 1000)
    relay.mend()
    return time.time()


@contextmanager
def whep_player(browser: Browser, stack: Stack, device_id: str) -> Iterator[Page]:
    """A page of its own with a WHEP player, which shows the camera."""
    origin = f"http://{VIEWER_SIDE}:{stack.sfu_port}"
    grant = stack.api.post(f"/streams/{device_id}/viewers")
    context = browser.new_context()
    try:
        page = context.new_page()
        page.route(f"{origin}/whep", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
        page.goto(f"{origin}/whep")
        page.add_script_tag(path=CLOCK_SCRIPT)
        page.evaluate(_WHEP, [grant["whep_url"].replace(PRODUCT_SIDE, VIEWER_SIDE), grant["token"]])
        page.wait_for_function(_DRAWN_AFTER, arg=time.time() * 1000, timeout=30_000)
        yield page
        assert page.evaluate("async () => (await window.leave()).status") == 200
    finally:
        context.close()


@pytest.mark.parametrize("seconds", [SHORT, MIDDLE, LONG])
def test_page_and_whep_player_show_the_camera_soon_after_the_network_is_back(
    relayed, device_id, browser, report, seconds
):
    """Both in one outage."""
    stack, relay = relayed
    page = f"http://{VIEWER_SIDE}:{stack.port}"
    with whep_player(browser, stack, device_id) as player:
        with BrowserViewer(browser, page, device_id) as viewer:
            viewer.wait_live()
            viewer.page.wait_for_timeout(2000)
            viewer.page.evaluate(_COUNT_CONNECTIONS)
            back = cut(relay, viewer.page.wait_for_timeout, seconds)
            first = viewer.wait_drawn_after(back, 60)
            report.add(f"no network for {seconds} s: the page", first, viewer.has_continued, BUDGET_SECONDS)
            player.wait_for_function(_DRAWN_AFTER, arg=back * 1000, timeout=60_000)
            first_of_player = player.evaluate(_FIRST_AFTER, back * 1000) / 1000 - back
            sessions = player.evaluate("window.sessions")
            report.add(f"no network for {seconds} s: a WHEP player", first_of_player, sessions == 1, BUDGET_SECONDS)
            assert viewer.has_continued
            viewer.wait_live()
            # A break this short costs no connection; in a longer one the page tries others, until one works.
            connections = viewer.page.evaluate("window.connections")
            assert connections == 0 if seconds == SHORT else connections <= 3
            if seconds != LONG:
                assert sessions == 1, "the session of the player survives"
            assert max(first, first_of_player) <= BUDGET_SECONDS + MARGIN_SECONDS
        stack.wait_until(lambda: stack.sfu_status()["viewers"] <= sessions, 30, "the page has no session left")
