"""Probes of a source, requested by the web process and run by a worker: request and answer are passed through Redis.

The request contains the camera's password, so it is encrypted, expires after a minute, and can be fetched once; the
message in the queue carries only its id.
"""

import json
import uuid
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import redis

from gateway.redaction import redact_url
from gateway.redis_answers import RedisAnswers
from gateway.redis_values import RefusedValue, accept, parse_object, require
from gateway.secrets import SealBroken, SecretBox

#: Seconds after which an unfetched request or answer expires.
PROBE_TTL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """The source to probe. The URL is complete, with credentials."""

    source_url: str = field(repr=False)
    transport: str = "tcp"
    tls_trust: str = "verify"
    tls_fingerprint: str | None = None
    #: Whether to log in although the camera refused this login so often that it is paused.
    tries_now: bool = False

    def __str__(self) -> str:
        return f"probe of {redact_url(self.source_url)} over {self.transport}"


_REQUEST_VALUES = {value.name for value in fields(ProbeRequest)}


class Probes:
    """Both sides of a probe. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: redis.Redis, box: SecretBox) -> None:
        self._redis = client
        self._box = box
        self._answers = RedisAnswers(client)

    def store_request(self, request: ProbeRequest) -> str:
        """Store a request for a worker; returns its id."""
        probe_id = str(uuid.uuid4())
        sealed = self._box.seal(json.dumps(asdict(request)), f"probe:{probe_id}")
        self._redis.set(_request_key(probe_id), sealed, ex=PROBE_TTL_SECONDS)
        return probe_id

    def load_request(self, probe_id: str) -> ProbeRequest | None:
        """Fetch a request, once; None if it has expired or another worker has fetched it."""
        sealed = self._redis.getdel(_request_key(probe_id))
        if sealed is None:
            return None
        return accept(self._redis, "probe request", lambda: self._open_request(probe_id, sealed))

    def store_result(self, probe_id: str, result: dict[str, Any]) -> None:
        """Answer a request; the shape is that of `ProbeResultSchema` in gateway/api/devices/schemas.py."""
        key = _result_key(probe_id)
        with self._redis.pipeline() as pipe:
            pipe.rpush(key, self._box.seal(json.dumps(result), f"probe result:{probe_id}"))
            pipe.expire(key, PROBE_TTL_SECONDS)
            pipe.execute()

    def expect_result(self, probe_id: str) -> "Future[bytes]":
        """A future for the answer, as JSON; it gets the RedisError if Redis goes away."""
        return self._answers.expect(_result_key(probe_id))

    def forget_result(self, probe_id: str, future: Future) -> None:
        """Wait for the answer no longer."""
        self._answers.forget(_result_key(probe_id), future)

    def open_result(self, probe_id: str, sealed: bytes) -> dict[str, Any] | None:
        """The answer to a request; None if it was refused."""
        return accept(self._redis, "probe result", lambda: self._open(sealed, f"probe result:{probe_id}"))

    def _open_request(self, probe_id: str, sealed: bytes) -> ProbeRequest:
        values = self._open(sealed, f"probe:{probe_id}")
        require(values.keys() == _REQUEST_VALUES, "it has other values than those of a request")
        return ProbeRequest(**values)

    def _open(self, sealed: bytes, context: str) -> dict[str, Any]:
        """Open a sealed object; raises RefusedValue if this installation did not seal it for this probe."""
        try:
            return parse_object(self._box.open(sealed.decode("ascii", "replace"), context))
        except SealBroken as error:
            raise RefusedValue(error.message) from None

    def withdraw(self, probe_id: str) -> bool:
        """Withdraw a request; returns False if a worker has already fetched it."""
        return bool(self._redis.delete(_request_key(probe_id)))


def _request_key(probe_id: str) -> str:
    return f"vas:probe:{probe_id}"


def _result_key(probe_id: str) -> str:
    return f"vas:probe:{probe_id}:result"
