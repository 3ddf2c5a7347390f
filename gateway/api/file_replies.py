"""Files of footage as replies: ranges, conditional requests, caching."""

from collections.abc import Callable, Iterator

from flask import Response, request
from werkzeug.datastructures import Range

from gateway.api.errors import error_response

#: A file of footage never changes; `private`, because it is one tenant's.
IMMUTABLE = "private, max-age=31536000, immutable"


def file_response(
    read: Callable[[int, int], Iterator[bytes]],
    size: int,
    *,
    etag: str | None,
    mimetype: str,
    cache_control: str,
) -> Response:
    """The answer to the present request for a file of `size` bytes: whole, one range of it, 304 or 416 (RFC 9110).

    `read(offset, length)` gives the bytes. Without `etag` the file has no version yet, and conditions are passed over.
    """
    if etag is not None and (same := not_modified(etag, cache_control)) is not None:
        return same
    # If-Range names the version whose rest is asked for; of any other the whole file is sent.
    is_same = "If-Range" not in request.headers or (etag is not None and request.if_range.etag == etag)
    wanted = request.range if is_same else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        start, length, status = 0, size, 200
    else:
        first, end = wanted.ranges[0]
        first = max(first, -size)  # a longer end than the file has is all of it (RFC 9110, 14.1.2)
        found = Range("bytes", [(first, end)]).range_for_length(size) if size else None
        if found is None:
            response = error_response(
                416, f"'Range' must lie within the {size} bytes of the file", reason="range_not_satisfiable"
            )
            response.headers["Content-Range"] = f"bytes */{size}"
            return response
        start, length, status = found[0], found[1] - found[0], 206
    body = () if request.method == "HEAD" else read(start, length)
    response = Response(body, status=status, mimetype=mimetype, direct_passthrough=True)
    response.content_length = length
    response.headers["Accept-Ranges"] = "bytes"
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return _with_headers(response, etag, cache_control)


def bytes_response(data: bytes, *, etag: str, mimetype: str, cache_control: str) -> Response:
    """`file_response` for a file that is in memory."""
    return file_response(
        lambda offset, length: iter((data[offset : offset + length],)),
        len(data),
        etag=etag,
        mimetype=mimetype,
        cache_control=cache_control,
    )


def not_modified(etag: str, cache_control: str) -> Response | None:
    """304 where whoever asks has this version already; None where it must be sent. Before work that may be spared."""
    # A proxy that packs a reply makes its tag a weak one, which stands for the same (RFC 9110, 13.1.2).
    if request.if_none_match.contains_weak(etag):
        return _with_headers(Response(status=304), etag, cache_control)
    return None


def _with_headers(response: Response, etag: str | None, cache_control: str) -> Response:
    if etag is not None:
        response.set_etag(etag)
    response.headers["Cache-Control"] = cache_control
    return response
