"""`Idempotency-Key` of requests that create something: a repeated request gets the reply of the first one."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import marshmallow as ma
from flask import Response, current_app, request

from gateway.api.base import current_scope, services
from gateway.request_keys import StoredReply, answer_once, find_reply

#: A route's reply: the body before its schema, the status, and headers (ETag and Location are stored).
Reply = tuple[Any, int, dict[str, str]]


def stored_reply(key: str | None) -> Response | None:
    """The reply of the first request with this key, if there was one. Raises Conflict `key_reused`.

    To be asked before anything that may have changed since, such as the addresses of a host.
    """
    reply = None if key is None else find_reply(current_scope(), key, _mark_request())
    return None if reply is None else _as_response(reply)


def create_once(
    key: str | None, schema: type[ma.Schema], create: Callable[[], Reply], then: Callable[[], None] | None = None
) -> Any:
    """The reply of `create`, or of the first request with the key; `then` runs when something new was created.

    `create` runs in a transaction together with the storing of the reply: what tells others of the new resource belongs
    into `then`.
    """
    if key is None:
        reply: Any = create()
        is_new = True
    else:
        stored, is_new = answer_once(current_scope(), key, _mark_request(), lambda: _store(schema, create()))
        reply = _as_response(stored)
    if is_new and then is not None:
        then()
    return reply


def _mark_request() -> str:
    """A digest of what is asked; keyed, because a body may contain a password."""
    asked = json.dumps(
        [request.endpoint, request.method, request.view_args, request.get_json(silent=True)],
        sort_keys=True,
        default=str,
    )
    key = services().config.secret_key.encode()
    return hmac.new(key, asked.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _store(schema: type[ma.Schema], reply: Reply) -> StoredReply:
    body, status, headers = reply
    # In the very form of other replies, so that the digest in the ETag is the same.
    text = current_app.json.response(schema().dump(body)).get_data(as_text=True)
    return StoredReply(status, text, headers.get("Location"), headers.get("ETag"))


def _as_response(reply: StoredReply) -> Response:
    response = current_app.response_class(reply.body, status=reply.status, mimetype="application/json")
    if reply.location is not None:
        response.headers["Location"] = reply.location
    if reply.etag is not None:
        response.headers["ETag"] = reply.etag
    return response
