"""Pages of other sites in a real browser: what they can make it do to a gateway in its reach, which is nothing."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from playwright.sync_api import Browser, Page

#: A name of the gateway's machine, at which a browser expects no TLS and so sends no `Sec-Fetch-Site`.
OWN_NAME = socket.gethostname().lower()

SHOW = """url => new Promise(resolve => {
  const image = new Image();
  image.onload = () => resolve('shown');
  image.onerror = () => resolve('refused');
  image.src = url;
  document.body.append(image);
})"""
READ = "url => fetch(url).then(answer => answer.status, () => 'refused')"
SEND = "url => fetch(url, {mode: 'no-cors', referrerPolicy: 'no-referrer'}).then(() => 'sent', () => 'refused')"
CHANGE = """url => fetch(url, {method: 'POST', body: '{"name": "Theirs", "source_url": "rtsp://10.0.0.1/"}',
  headers: {'Content-Type': 'application/json'}}).then(answer => answer.status, () => 'refused')"""
CONNECT = """url => new Promise(resolve => {
  const socket = new WebSocket(url);
  socket.onopen = () => resolve('open');
  socket.onerror = () => resolve('refused');
})"""


class OtherSite(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another site</title><body></body>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The port of another site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), OtherSite) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a browser to which all names of other sites lead to this machine (`launch_browser`)."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def test_a_name_that_leads_to_the_gateway_is_refused(stack, page):
    """DNS rebinding: to the browser, page and gateway are one site."""
    answer = page.goto(f"http://attacker.example:{stack.port}/")
    assert answer.status == 400
    assert "TRUSTED_HOSTS" in answer.text()
    devices = f"http://attacker.example:{stack.port}/api/v1/devices"
    assert page.evaluate(READ, devices) == 400
    assert page.evaluate(CHANGE, devices) == 400
    assert "Theirs" not in [device["name"] for device in stack.api.get("/devices")]
    assert page.evaluate(CONNECT, f"ws://attacker.example:{stack.sfu_port}/signaling") == "refused"


def test_the_gateways_own_names_are_answered(stack, page):
    for host in ("127.0.0.1", "localhost", OWN_NAME):
        assert page.goto(f"http://{host}:{stack.port}/api/v1/devices").status == 200
        assert page.evaluate(READ, f"http://{host}:{stack.port}/api/v1/devices") == 200
        assert page.evaluate(CONNECT, f"ws://{host}:{stack.sfu_port}/signaling") == "open"


def test_another_site_reads_changes_and_shows_nothing(stack, site, page, add_camera, add_device):
    device_id = add_device(add_camera())
    stack.wait_for_state(device_id, "running")
    path = f"/api/v1/devices/{device_id}/poster.jpg"
    stack.wait_until(lambda: requests.get(stack.url + path, timeout=10).status_code == 200, 30, "no poster")
    for host in ("127.0.0.1", OWN_NAME):
        gateway = f"http://{host}:{stack.port}"
        page.goto(f"{gateway}/api/v1/plugins")
        assert page.evaluate(SHOW, gateway + path) == "shown"
        page.goto(f"http://evil.example:{site}/")
        assert page.evaluate(SHOW, gateway + path) == "refused"
        assert page.evaluate(READ, f"{gateway}/api/v1/devices") == "refused"
        assert page.evaluate(CHANGE, f"{gateway}/api/v1/devices") == "refused"
        assert page.evaluate(CONNECT, f"ws://{host}:{stack.sfu_port}/signaling") == "refused"
    assert "Theirs" not in [device["name"] for device in stack.api.get("/devices")]


def test_another_site_starts_no_camera(stack, site, page, add_camera, add_device):
    device_id = add_device(add_camera(), start_mode="on_demand")
    path = f"/api/v1/recordings/devices/{device_id}/playlist"
    for host in ("127.0.0.1", OWN_NAME):
        page.goto(f"http://evil.example:{site}/")
        assert page.evaluate(SEND, f"http://{host}:{stack.port}{path}") in ("sent", "refused")
        assert page.evaluate(SHOW, f"http://{host}:{stack.port}{path}") == "refused"
        page.goto(f"http://evil.example:{site}/")
        assert stack.api.get(f"/streams/{device_id}")["desired"] == "stopped"
    page.goto(f"http://{OWN_NAME}:{stack.port}/api/v1/plugins")
    assert page.evaluate(READ, f"http://{OWN_NAME}:{stack.port}{path}") in (200, 503)
    stack.wait_for_state(device_id, "running")
