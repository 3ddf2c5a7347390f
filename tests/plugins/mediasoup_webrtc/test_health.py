"""The health of the SFU: its own status, and a remedy if it does not answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from plugins.mediasoup_webrtc import MediasoupWebrtc
from plugins.mediasoup_webrtc.health import check_sfu
from plugins.mediasoup_webrtc.tokens import control_key
from tests.conftest import free_port
from tests.factories import SFU_SECRET, make_config

GOOD = {
    "status": "ok",
    "version": "1.0",
    "mediasoup": {"version": "3.19", "worker_origin": "prebuilt"},
    "workers": [{"pid": 1}],
    "rooms": 1,
    "viewers": 2,
    "transports": 3,
    "producers": 4,
    "consumers": 5,
    "ports_in_use": 6,
}


@pytest.fixture
def answer():
    """A server that answers every request with a status and a body, and records the path and key of requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, self.headers.get("Authorization")))
            status, body = server.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer = [], (200, GOOD)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def check(server):
    return check_sfu(make_config(mediasoup_ws_url=f"ws://127.0.0.1:{server.server_port}"))


def test_the_detail_has_versions_workers_and_counts(answer):
    health = check(answer)
    assert health.status == "ok"
    assert health.detail["mediasoup"]["worker_origin"] == "prebuilt"
    assert health.detail["viewers"] == 2
    assert answer.asked == [("/control/status", f"Bearer {control_key(SFU_SECRET)}")]


@pytest.mark.parametrize("change", [{"status": "degraded"}, {"workers": []}])
def test_an_sfu_without_all_of_its_workers_is_degraded(answer, change):
    answer.answer = (200, GOOD | change)
    health = check(answer)
    assert (health.status, bool(health.reason), bool(health.remedy)) == ("degraded", True, True)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ((401, b""), "refuses this SFU_SECRET"),
        ((403, b""), "refuses this SFU_SECRET"),
        ((503, b"{}"), "answers 503"),
        ((200, b"<html>"), "does not answer"),
        ((200, b""), "does not answer"),
    ],
)
def test_an_sfu_that_refuses_the_request_is_down_with_a_remedy(answer, reply, reason):
    answer.answer = reply
    health = check(answer)
    assert health.status == "down"
    assert reason in health.reason
    assert "SFU_SECRET" in health.remedy


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_an_invalid_answer_counts_as_down(answer, body):
    answer.answer = (200, body)
    assert check(answer).status == "down"


def test_an_unreachable_sfu_is_down():
    assert check_sfu(make_config(mediasoup_ws_url=f"ws://127.0.0.1:{free_port()}")).status == "down"


def test_a_proxy_from_the_environment_is_not_used(answer, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert check(answer).status == "ok"


def test_register_health_checks_names_the_component():
    assert [item.name for item in MediasoupWebrtc().register_health_checks(make_config())] == ["sfu"]
