"""Pictures that somebody waits for: the web process asks, whichever snapshot worker is free answers.

A list in the Redis of the media bus, not a Dramatiq queue: Dramatiq's Redis broker looks into an idle queue every
quarter of a second, and an answer is due within 150 ms. Nothing here is durable: who gets no answer in time makes a
job of it (kind `snapshot`), which is a row.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import redis

from gateway.config import Config
from gateway.redis_client import connect_redis, queue_answers

_REQUESTS = "vas:captures"
#: The list is trimmed to so many requests: those beyond it nobody waits for any more.
_MAX_REQUESTS = 2000
#: No caller of `ask` and `take` waits longer.
_MAX_WAIT_SECONDS = 10.0

#: What is asked for: a snapshot to be kept, the poster of a device, or a clip's job to be begun at once.
SNAPSHOT, POSTER, CLIP = "snapshot", "poster", "clip"

_queue_answers = queue_answers()

LIVE, HISTORICAL, SCHEDULED = SNAPSHOT_KINDS = ("live", "historical", "scheduled")
KEY_FRAME, EXACT = ACCURACIES = ("key_frame", "exact")


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """A picture of a device. `id` is the snapshot's own id: asked for twice, it is made once.

    `at_ms` is None for the newest picture. `accuracy`: `key_frame` takes the last key frame at or before the moment,
    `exact` the frame that was shown then. `width` in pixels is for posters alone. For `what` = `clip`, `id` is the
    job's id and nothing else counts.
    """

    id: str
    what: str = SNAPSHOT
    tenant_id: str = ""
    device_id: str = ""
    kind: str = LIVE
    at_ms: int | None = None
    accuracy: str = KEY_FRAME
    width: int | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    created_by: str = ""
    schedule_id: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "CaptureRequest":
        """The reverse of `to_dict`; what else is among the values is passed over."""
        known = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        return cls(**{**known, "tags": tuple(known.get("tags") or ())})


@dataclass(frozen=True, slots=True)
class CaptureAnswer:
    """Either it is done, or `reason` (a code of gateway.states.REASONS or gateway.jobs.model.JOB_ERRORS) says why not.

    A snapshot is told by its row. A poster comes as `picture` (JPEG), taken at `at_ms`.
    """

    reason: str | None = None
    message: str | None = None
    at_ms: int | None = None
    nearest_before_ms: int | None = None
    nearest_after_ms: int | None = None
    picture: bytes = field(default=b"", repr=False)


class CaptureQueue:
    """Both ends of the queue. Every method raises Unavailable `redis_unavailable` when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        """`client` is one of the media bus' Redis; its own time limit must exceed the waits."""
        self._redis = client

    @classmethod
    def connect(cls, config: Config) -> "CaptureQueue":
        """Over a client of its own, which nothing else waits behind."""
        return cls(connect_redis(config.bus_redis_url, timeout_seconds=_MAX_WAIT_SECONDS + 3))

    def ask(self, request: CaptureRequest, *, wait_seconds: float) -> CaptureAnswer | None:
        """Ask and wait for the answer; None when none came in time. What nobody waits for any more is not begun."""
        self.send(request, keep_seconds=wait_seconds)
        with _queue_answers:
            popped = self._redis.blpop([_answer_key(request.id)], timeout=max(0.01, wait_seconds))
            if popped is None:
                # Taken back, if no worker has begun it.
                self._redis.delete(_request_key(request.id))
                return None
        return _decode_answer(popped[1])

    def send(self, request: CaptureRequest, *, keep_seconds: float) -> None:
        """Ask without waiting; a worker that comes later than `keep_seconds` passes it over."""
        with _queue_answers:
            pipeline = self._redis.pipeline()
            pipeline.set(_request_key(request.id), json.dumps(request.to_dict()), px=max(1, int(keep_seconds * 1000)))
            pipeline.rpush(_REQUESTS, request.id)
            pipeline.ltrim(_REQUESTS, -_MAX_REQUESTS, -1)
            pipeline.execute()

    def take(self, *, wait_seconds: float) -> CaptureRequest | None:
        """The request that has waited longest; None when none came. One worker gets it."""
        with _queue_answers:
            popped = self._redis.blpop([_REQUESTS], timeout=wait_seconds)
            if popped is None:
                return None
            text = self._redis.getdel(_request_key(_text(popped[1])))
        return None if text is None else CaptureRequest.from_dict(json.loads(text))

    def answer(self, request_id: str, answer: CaptureAnswer) -> None:
        """Give the answer to whoever waits for it."""
        facts = {name: value for name, value in asdict(answer).items() if name != "picture"}
        with _queue_answers:
            pipeline = self._redis.pipeline()
            pipeline.rpush(_answer_key(request_id), json.dumps(facts).encode() + b"\n" + answer.picture)
            pipeline.pexpire(_answer_key(request_id), 10_000)
            pipeline.execute()

    def collect(self, request_id: str) -> CaptureAnswer | None:
        """The answer to what was sent without waiting, once, where it is there; it is kept for ten seconds."""
        with _queue_answers:
            found = self._redis.lpop(_answer_key(request_id))
        return None if found is None else _decode_answer(found)

    def waiting(self) -> int:
        """How many requests wait."""
        with _queue_answers:
            return self._redis.llen(_REQUESTS)


def _decode_answer(data: bytes) -> CaptureAnswer:
    facts, _, picture = data.partition(b"\n")
    return CaptureAnswer(**json.loads(facts), picture=picture)


def _request_key(request_id: str) -> str:
    return f"vas:capture:{request_id}"


def _answer_key(request_id: str) -> str:
    return f"vas:capture:{request_id}:answer"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
