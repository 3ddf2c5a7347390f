"""The webhook against a real receiver."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import vas_webhook

from gateway.plugin_api import JobFailed


@pytest.fixture
def receiver():
    """A receiver on loopback: `receiver.got` has header and message of each POST; `receiver.answers` the next codes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.got.append((self.headers["Authorization"], body))
            self.send_response(server.answers.pop(0) if server.answers else 204)
            self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()

        def log_message(self, *_values):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/bell"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_bookmark_is_posted(plugin_trial, receiver):
    plugin_trial.set_options({"url": receiver.url, "token": "a-secret"})
    plugin_trial.facts.bookmark(title="A parcel")
    assert plugin_trial.run_waiting_jobs() == [{"attempts": 1}]
    ((header, message),) = receiver.got
    assert header == "Bearer a-secret"
    assert (message["device"], message["title"]) == ("Camera 1", "A parcel")


def test_it_is_posted_again_after_a_failure(plugin_trial, receiver, monkeypatch):
    monkeypatch.setattr(vas_webhook, "PAUSES", (0, 0))
    plugin_trial.set_options({"url": receiver.url})
    receiver.answers += [500, 302]
    plugin_trial.facts.bookmark()
    assert plugin_trial.run_waiting_jobs() == [{"attempts": 3}]
    receiver.answers += [500, 500, 503]
    with pytest.raises(JobFailed, match="the receiver answered 503"):
        plugin_trial.run_job("webhook.post", title="A parcel")


def test_without_an_address_nothing_is_sent(plugin_trial):
    plugin_trial.facts.bookmark()
    assert plugin_trial.run_waiting_jobs() == []
