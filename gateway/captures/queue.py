"""The queue of picture requests: the web process requests a picture and waits, any free snapshot worker answers.

A list in the Redis of the media bus, not a Dramatiq queue: Dramatiq's Redis broker polls an idle queue every quarter
of a second, and an answer is due within 150 ms. Nothing here is durable: a caller that gets no answer in time creates
a job (kind `snapshot`), which is a row.
"""

import json
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import redis

from gateway.config import Config
from gateway.errors import Unavailable
from gateway.redis_answers import RedisAnswers
from gateway.redis_client import connect_redis, queue_answers
from gateway.redis_values import (
    RefusedValue,
    accept,
    is_id,
    is_integer,
    is_text,
    note_refusal,
    parse_object,
    require,
)

_REQUESTS = "vas:captures"
#: The list is trimmed to this length: no caller waits for older requests any more.
_MAX_REQUESTS = 2000
#: The longest wait of `take`.
_MAX_WAIT_SECONDS = 10.0

#: Limits of the values of a request, above those of the API.
_MAX_WIDTH, _MAX_TAGS, _MAX_TEXT = 16_384, 100, 20_000
JPEG_START = b"\xff\xd8"

#: Kinds of requests: a snapshot to be kept, the poster of a device, or a clip's job to be started immediately.
SNAPSHOT, POSTER, CLIP = "snapshot", "poster", "clip"

_queue_answers = queue_answers()

LIVE, HISTORICAL, SCHEDULED = SNAPSHOT_KINDS = ("live", "historical", "scheduled")
KEY_FRAME, EXACT = ACCURACIES = ("key_frame", "exact")


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """A request for a picture of a device. `id` is the id of the snapshot: a repeated request makes it only once.

    `at_ms` is None for the newest picture. `accuracy`: `key_frame` takes the last key frame at or before the moment,
    `exact` the frame that was shown then. `width` in pixels applies to posters only. For `what` = `clip`, `id` is the
    id of the job, and the other fields are ignored.
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
        """The reverse of `to_dict`; unknown values are ignored. Raises RefusedValue for one that cannot be right."""
        known = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        tags = known.get("tags") or ()
        require(isinstance(tags, list | tuple), "'tags' is not a list")
        try:
            request = cls(**{**known, "tags": tuple(tags)})
        except TypeError:
            raise RefusedValue("it has no id") from None
        request._check()
        return request

    def _check(self) -> None:
        require(is_id(self.id), "'id' is not an id")
        require(self.what in (SNAPSHOT, POSTER, CLIP), "'what' is unknown")
        # A clip is made by its job, which knows its device.
        is_clip = self.what == CLIP and self.tenant_id == self.device_id == ""
        require(is_clip or (is_id(self.tenant_id) and is_id(self.device_id)), "'tenant_id' or 'device_id' is not an id")
        require(self.kind in SNAPSHOT_KINDS, "'kind' is unknown")
        require(self.accuracy in ACCURACIES, "'accuracy' is unknown")
        require(self.at_ms is None or is_integer(self.at_ms), "'at_ms' is not a time")
        require(self.width is None or is_integer(self.width, 1, _MAX_WIDTH), "'width' is not a width")
        require(self.schedule_id is None or is_integer(self.schedule_id), "'schedule_id' is not a number")
        require(len(self.tags) <= _MAX_TAGS, "'tags' are too many")
        require(all(is_text(tag, _MAX_TEXT) for tag in self.tags), "a tag is not a text")
        for name in ("note", "created_by"):
            require(is_text(getattr(self, name), _MAX_TEXT), f"{name!r} is not a text")


@dataclass(frozen=True, slots=True)
class CaptureAnswer:
    """The answer to a request: `reason` is None, or a code of gateway.states.REASONS or gateway.jobs.model.JOB_ERRORS.

    The data of a snapshot are in its row. A poster comes as `picture` (JPEG), taken at `at_ms`.
    """

    reason: str | None = None
    message: str | None = None
    at_ms: int | None = None
    nearest_before_ms: int | None = None
    nearest_after_ms: int | None = None
    picture: bytes = field(default=b"", repr=False)

    @classmethod
    def decode(cls, data: bytes) -> "CaptureAnswer":
        """The reverse of `encode`. Raises RefusedValue."""
        header, _, picture = data.partition(b"\n")
        values = parse_object(header)
        require(values.keys() <= cls.__dataclass_fields__.keys() - {"picture"}, "it has unknown values")
        for name in ("reason", "message"):
            require(values.get(name) is None or is_text(values[name], _MAX_TEXT), f"{name!r} is not a text")
        for name in ("at_ms", "nearest_before_ms", "nearest_after_ms"):
            require(values.get(name) is None or is_integer(values[name]), f"{name!r} is not a time")
        require(not picture or picture.startswith(JPEG_START), "its picture is not a JPEG")
        return cls(**values, picture=picture)

    def encode(self) -> bytes:
        """A line of JSON, then the picture."""
        header = {name: value for name, value in asdict(self).items() if name != "picture"}
        return json.dumps(header).encode() + b"\n" + self.picture


class CaptureQueue:
    """Both ends of the queue. Every method raises Unavailable `redis_unavailable` when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        """`client` is connected to the Redis of the media bus; its timeout must exceed the waits."""
        self._redis = client
        self._answers = RedisAnswers(client)

    @classmethod
    def connect(cls, config: Config) -> "CaptureQueue":
        """Connect with a client of its own, because a waiting call blocks its connection."""
        return cls(connect_redis(config.bus_redis_url, timeout_seconds=_MAX_WAIT_SECONDS + 3))

    def ask(self, request: CaptureRequest, *, wait_seconds: float) -> "PendingCapture":
        """Send a request; its answer is expected within `wait_seconds`, and workers skip it after that time."""
        with _queue_answers:
            pipeline = self._pipeline(request, wait_seconds)
            key = _answer_key(request.id)
            future = self._answers.expect(key, pipeline)
            try:
                pipeline.execute()
            except redis.RedisError:
                self._answers.forget(key, future)
                raise
        return PendingCapture(self, request.id, future)

    def request(self, request: CaptureRequest, *, wait_seconds: float) -> CaptureAnswer | None:
        """Send a request and wait for its answer; None if none came in time. Then the request is withdrawn."""
        pending = self.ask(request, wait_seconds=wait_seconds)
        wait([pending.future], max(0.01, wait_seconds))
        try:
            return pending.answer()
        finally:
            pending.close()

    def withdraw(self, request_id: str, future: Future) -> None:
        """Withdraw a request, if no worker has started it, and wait for its answer no longer."""
        self._answers.forget(_answer_key(request_id), future)
        with _queue_answers:
            pipeline = self._redis.pipeline()
            pipeline.delete(_request_key(request_id))
            self._answers.wake(pipeline)
            pipeline.execute()

    def send(self, request: CaptureRequest, *, keep_seconds: float) -> None:
        """Send a request without waiting; workers skip it after `keep_seconds`."""
        with _queue_answers:
            self._pipeline(request, keep_seconds).execute()

    def take(self, *, wait_seconds: float) -> CaptureRequest | None:
        """Take the oldest request; None if none came in time. Each request is taken by one worker."""
        with _queue_answers:
            popped = self._redis.blpop([_REQUESTS], timeout=wait_seconds)
            if popped is None:
                return None
            request_id = popped[1].decode("ascii", "replace")
            text = self._redis.getdel(_request_key(request_id)) if is_id(request_id) else b""
        if text is None:
            return None
        return accept(self._redis, "capture request", lambda: _parse_request(request_id, text))

    def answer(self, request_id: str, answer: CaptureAnswer) -> None:
        """Send the answer to the caller that waits for it."""
        with _queue_answers:
            pipeline = self._redis.pipeline()
            pipeline.rpush(_answer_key(request_id), answer.encode())
            pipeline.pexpire(_answer_key(request_id), 10_000)
            pipeline.execute()

    def collect(self, request_id: str) -> CaptureAnswer | None:
        """The answer to a request from `send`, returned once; None if there is none. Kept for ten seconds."""
        with _queue_answers:
            found = self._redis.lpop(_answer_key(request_id))
        return None if found is None else self.accept_answer(found)

    def refuse(self, problem: str) -> None:
        """Count a request that names what is not its tenant's."""
        note_refusal(self._redis, "capture request", problem)

    def accept_answer(self, data: bytes) -> CaptureAnswer | None:
        return accept(self._redis, "capture answer", lambda: CaptureAnswer.decode(data))

    def waiting(self) -> int:
        """The number of waiting requests."""
        with _queue_answers:
            return self._redis.llen(_REQUESTS)

    def _pipeline(self, request: CaptureRequest, keep_seconds: float) -> Any:
        pipeline = self._redis.pipeline()
        pipeline.set(_request_key(request.id), json.dumps(request.to_dict()), px=max(1, int(keep_seconds * 1000)))
        pipeline.rpush(_REQUESTS, request.id)
        pipeline.ltrim(_REQUESTS, -_MAX_REQUESTS, -1)
        return pipeline


class PendingCapture:
    """A request whose answer is awaited."""

    def __init__(self, queue: CaptureQueue, request_id: str, future: "Future[bytes]") -> None:
        self._queue = queue
        self._request_id = request_id
        #: Done when the answer is there, or when Redis is away.
        self.future = future

    def answer(self) -> CaptureAnswer | None:
        """The answer; None if there is none yet. Raises Unavailable."""
        if not self.future.done():
            return None
        with _queue_answers:
            return self._queue.accept_answer(self.future.result())

    def close(self) -> None:
        """Withdraw the request, if it was not answered. May be called twice."""
        if not self.future.done():
            with suppress(Unavailable):
                self._queue.withdraw(self._request_id, self.future)


def _parse_request(request_id: str, text: bytes) -> CaptureRequest:
    request = CaptureRequest.from_dict(parse_object(text))
    require(request.id == request_id, "it has another id than its key")
    return request


def _request_key(request_id: str) -> str:
    return f"vas:capture:{request_id}"


def _answer_key(request_id: str) -> str:
    return f"vas:capture:{request_id}:answer"
