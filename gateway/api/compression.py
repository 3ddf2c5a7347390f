"""Compressed replies: negotiation of the encoding, and gzip of large texts of the API.

Only replies to GET are compressed, and none that a page of another site requested: where a secret and text of the
requester are compressed together, the length of the reply reveals the secret (BREACH). Secrets, such as viewer tokens,
are in replies to POST only.
"""

import gzip
from collections.abc import Sequence

from flask import Flask, Response, request

#: A smaller reply fits into one packet.
MIN_BYTES = 1_400
_LEVEL = 5
_TEXTS = ("application/json", "application/problem+json", "application/vnd.apple.mpegurl", "application/x-mpegurl")


def choose_encoding(available: Sequence[str]) -> str:
    """The first of the available content codings among those that the client likes best; "" for the file as it is."""
    accepted = request.accept_encodings
    qualities = {coding: accepted.quality(coding) for coding in available}
    best = max(qualities.values(), default=0)
    identity = next((quality for coding, quality in accepted if coding == "identity"), None)
    if best <= 0 or (identity is not None and identity > best):
        return ""
    return next(coding for coding, quality in qualities.items() if quality == best)


def add_compression(app: Flask) -> None:
    """Compress the large texts of the API."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress the body of a reply where it is allowed and saves bytes."""
    if not _is_compressible(response):
        return response
    response.vary.add("Accept-Encoding")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or not choose_encoding(["gzip"]):
        return response
    body = response.get_data()
    if len(body) >= MIN_BYTES:
        # Without the time, so that equal replies are equal.
        response.set_data(gzip.compress(body, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _is_compressible(response: Response) -> bool:
    """Whether it is a text that is in memory. A strong ETag names the bytes of the reply, so these stay."""
    return (
        request.method in ("GET", "HEAD")
        and response.is_sequence
        and not response.direct_passthrough
        and response.status_code == 200
        and (response.mimetype in _TEXTS or response.mimetype.startswith("text/"))
        and not {"ETag", "Content-Encoding", "Content-Range"} & set(response.headers.keys())
    )
