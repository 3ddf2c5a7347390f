"""Probes of a source, requested by the web process and run by a worker: request and answer are passed through Redis.

The request contains the camera's password, so it is encrypted, expires after a minute, and can be fetched once; the
message in the queue carries only its id.
"""

import json
import uuid
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any

import redis

from gateway.redaction import redact_url
from gateway.redis_answers import RedisAnswers
from gateway.secrets import SealBroken, SecretBox

#: Seconds after which an unfetched request or answer expires.
PROBE_TTL_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """The source to probe. The URL is complete, with credentials."""

    source_url: str = field(repr=False)
    transport: str = "tcp"

    def __str__(self) -> str:
        return f"probe of {redact_url(self.source_url)} over {self.transport}"


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
        try:
            return ProbeRequest(**json.loads(self._box.open(sealed.decode(), f"probe:{probe_id}")))
        except (SealBroken, TypeError, ValueError):
            return None

    def store_result(self, probe_id: str, result: dict[str, Any]) -> None:
        """Answer a request; the shape is that of `ProbeResultSchema` in gateway/api/devices/schemas.py."""
        key = _result_key(probe_id)
        with self._redis.pipeline() as pipe:
            pipe.rpush(key, json.dumps(result))
            pipe.expire(key, PROBE_TTL_SECONDS)
            pipe.execute()

    def expect_result(self, probe_id: str) -> "Future[bytes]":
        """A future for the answer, as JSON; it gets the RedisError if Redis goes away."""
        return self._answers.expect(_result_key(probe_id))

    def forget_result(self, probe_id: str, future: Future) -> None:
        """Wait for the answer no longer."""
        self._answers.forget(_result_key(probe_id), future)

    def withdraw(self, probe_id: str) -> bool:
        """Withdraw a request; returns False if a worker has already fetched it."""
        return bool(self._redis.delete(_request_key(probe_id)))


def _request_key(probe_id: str) -> str:
    return f"vas:probe:{probe_id}"


def _result_key(probe_id: str) -> str:
    return f"vas:probe:{probe_id}:result"
