"""Compressed replies of the API."""

import gzip
import json

import pytest
from flask import Flask, Response

from gateway.api.compression import MIN_BYTES, add_compression

LONG = json.dumps([{"name": f"camera {number}"} for number in range(200)])
GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def client():
    app = Flask(__name__)
    add_compression(app)

    def reply(kind: str) -> Response:
        if kind == "stream":
            return Response(iter([LONG]), mimetype="application/json")
        response = Response(LONG[:20] if kind == "short" else LONG, mimetype="application/json")
        if kind == "etag":
            response.set_etag("1")
        if kind == "part":
            response.headers["Content-Range"] = "bytes 0-9/10"
        if kind in ("image/jpeg", "video/mp4", "text/csv", "application/vnd.apple.mpegurl"):
            response.mimetype = kind
        if kind == "error":
            response.status_code = 503
        return response

    app.add_url_rule("/<path:kind>", view_func=reply, methods=["GET", "POST"])
    return app.test_client()


@pytest.mark.parametrize("kind", ["long", "text/csv", "application/vnd.apple.mpegurl"])
def test_a_large_text_is_compressed(client, kind):
    answer = client.get(f"/{kind}", headers=GZIP)
    assert gzip.decompress(answer.data).decode() == LONG
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert answer.content_length == len(answer.data) < MIN_BYTES
    assert client.head(f"/{kind}", headers=GZIP).content_length == answer.content_length
    assert client.get(f"/{kind}", headers=GZIP).data == answer.data


@pytest.mark.parametrize("kind", ["short", "etag", "part", "stream", "image/jpeg", "video/mp4", "error"])
def test_other_replies_stay_as_they_are(client, kind):
    answer = client.get(f"/{kind}", headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert answer.data.decode() in (LONG, LONG[:20])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept-Encoding": "identity"},
        {"Accept-Encoding": "br"},
        {"Accept-Encoding": "gzip;q=0"},
        GZIP | {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_client_that_does_not_ask_or_asks_from_another_site_gets_plain_text_marked_as_varying(client, headers):
    answer = client.get("/long", headers=headers)
    assert (answer.text, answer.headers["Vary"]) == (LONG, "Accept-Encoding")


def test_replies_to_post_hold_secrets_and_stay_as_they_are(client):
    answer = client.post("/long", headers=GZIP)
    assert (answer.text, "Content-Encoding" in answer.headers) == (LONG, False)
