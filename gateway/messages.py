"""The only place that enqueues: messages to the workers' actors, by name. They carry ids and nothing else."""

import logging

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from gateway.config import Config
from gateway.errors import Unavailable
from gateway.redis_client import connect_redis

log = logging.getLogger(__name__)

STREAM_QUEUE = "stream"
JOBS_QUEUE = "jobs"

#: Actor names by queue; a contract test compares them with the actors that exist.
RUN_STREAM = "run_stream"
PROBE_SOURCE = "probe_source"
ACTORS = {RUN_STREAM: STREAM_QUEUE, PROBE_SOURCE: JOBS_QUEUE}

#: For so long a message to start a device is not sent again, unless a worker has taken the first.
_START_PENDING_MS = 10_000


def build_broker(config: Config) -> RedisBroker:
    """A broker without middleware, good for enqueuing; the workers add theirs (workers/broker.py)."""
    return RedisBroker(client=connect_redis(config.redis_url), middleware=[])


class Messages:
    """Sends messages. Every method raises Unavailable when Redis is away."""

    def __init__(self, broker: dramatiq.Broker, client: redis.Redis) -> None:
        self._broker = broker
        self._redis = client
        for queue in set(ACTORS.values()):
            broker.declare_queue(queue)

    @classmethod
    def connect(cls, config: Config) -> "Messages":
        """Messages over the Redis of the settings; connects when first used."""
        broker = build_broker(config)
        return cls(broker, broker.client)

    def start_stream(self, device_id: str) -> bool:
        """Ask a stream worker to run a device; False when it has just been asked.

        Asking twice is harmless (the second owner finds the lease taken), but the queue must not grow while no
        worker has a free slot.
        """
        try:
            if not self._redis.set(_pending_key(device_id), 1, nx=True, px=_START_PENDING_MS):
                return False
        except redis.RedisError as error:
            raise _unavailable(error) from error
        try:
            self._send(RUN_STREAM, device_id)
        except Unavailable:
            # Nothing was asked: the next try need not wait.
            self.start_taken(device_id)
            raise
        return True

    def probe_source(self, probe_id: str) -> None:
        """Ask a jobs worker to look at the source that is stored under `probe_id`."""
        self._send(PROBE_SOURCE, probe_id)

    def start_taken(self, device_id: str) -> None:
        """A worker has taken the message: from now on it may be sent again."""
        try:
            self._redis.delete(_pending_key(device_id))
        except redis.RedisError as error:
            log.warning("start of device %s stays marked as pending: %s", device_id, error)

    def _send(self, actor: str, *arguments: str) -> None:
        message = dramatiq.Message(
            queue_name=ACTORS[actor], actor_name=actor, args=arguments, kwargs={}, options={}
        )
        try:
            self._broker.enqueue(message)
        except (redis.RedisError, dramatiq.errors.BrokerConnectionError) as error:
            raise _unavailable(error) from error


def _pending_key(device_id: str) -> str:
    return f"vas:pending:{device_id}"


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"the queue (Redis) does not answer: {error}", reason="redis_unavailable")
