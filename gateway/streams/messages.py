"""The only place that enqueues: messages to the workers' actors, by name. Messages carry nothing but ids."""

import logging

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from gateway.config import Config
from gateway.errors import Unavailable
from gateway.redis_client import connect_redis, queue_answers

log = logging.getLogger(__name__)

STREAM_QUEUE = "stream"
RECORD_QUEUE = "record"
#: Of outputs with a process of their own, `outputs.NAME`.
OUTPUTS_QUEUE = "outputs"
JOBS_QUEUE = "jobs"

#: Actor names by queue; a contract test compares them with the actors that exist.
RUN_STREAM = "run_stream"
RUN_CONSUMER = "run_consumer"
RUN_OUTPUT = "run_output"
PROBE_SOURCE = "probe_source"
RUN_JOB = "run_job"
ACTORS = {
    RUN_STREAM: STREAM_QUEUE,
    RUN_CONSUMER: RECORD_QUEUE,
    RUN_OUTPUT: OUTPUTS_QUEUE,
    PROBE_SOURCE: JOBS_QUEUE,
    RUN_JOB: JOBS_QUEUE,
}

#: Time during which a message is not sent again, unless a worker has taken the first one.
_START_PENDING_MS = 10_000

#: The broker wraps Redis errors in its own.
_queue_answers = queue_answers(dramatiq.errors.BrokerConnectionError)


def build_broker(config: Config) -> RedisBroker:
    """A broker without middleware, sufficient for enqueuing; the workers add theirs (workers/broker.py)."""
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
        """Messages over the Redis of the settings; connects on first use."""
        broker = build_broker(config)
        return cls(broker, broker.client)

    def start_stream(self, device_id: str) -> bool:
        """Ask a stream worker to run a device; returns False if a request is already pending.

        Duplicates are harmless (the second owner finds the lease taken), but the queue must not grow while no worker
        has a free slot.
        """
        return self._send_once(_pending_key(device_id), RUN_STREAM, device_id)

    def start_consumer(self, output_name: str, device_id: str, kind: str = RECORD_QUEUE) -> bool:
        """Ask a worker of a kind (`gateway.outputs.worker_kind`) to feed a consumer output with a device.

        False if a request is already pending.
        """
        actor = RUN_CONSUMER if kind == RECORD_QUEUE else RUN_OUTPUT
        return self._send_once(_pending_key(device_id, output_name), actor, output_name, device_id, queue=kind)

    def probe_source(self, probe_id: str) -> None:
        """Ask a jobs worker to probe the source that is stored under `probe_id`."""
        self._send(PROBE_SOURCE, probe_id)

    def run_job(self, job_id: str) -> bool:
        """Ask a jobs worker to run a job of the table `jobs`; False if a request is already pending."""
        return self._send_once(_job_key(job_id), RUN_JOB, job_id)

    def start_taken(self, device_id: str) -> None:
        """Note that a worker has taken the message: it may be sent again from now on."""
        self._forget_pending(_pending_key(device_id))

    def consumer_taken(self, output_name: str, device_id: str) -> None:
        """As `start_taken`, for a consumer output."""
        self._forget_pending(_pending_key(device_id, output_name))

    def job_taken(self, job_id: str) -> None:
        """As `start_taken`, for a job."""
        self._forget_pending(_job_key(job_id))

    def _send_once(self, pending_key: str, actor: str, *arguments: str, queue: str | None = None) -> bool:
        with _queue_answers:
            if not self._redis.set(pending_key, 1, nx=True, px=_START_PENDING_MS):
                return False
        try:
            self._send(actor, *arguments, queue=queue)
        except Unavailable:
            # Nothing was enqueued: the next attempt need not wait.
            self._forget_pending(pending_key)
            raise
        return True

    def _forget_pending(self, key: str) -> None:
        try:
            self._redis.delete(key)
        except redis.RedisError as error:
            log.warning("'%s' stays marked as pending: %s", key, error)

    def _send(self, actor: str, *arguments: str, queue: str | None = None) -> None:
        queue = queue or ACTORS[actor]
        message = dramatiq.Message(queue_name=queue, actor_name=actor, args=arguments, kwargs={}, options={})
        with _queue_answers:
            self._broker.enqueue(message)


def _pending_key(device_id: str, output_name: str = "") -> str:
    return f"vas:pending:{device_id}:{output_name}" if output_name else f"vas:pending:{device_id}"


def _job_key(job_id: str) -> str:
    return f"vas:pending:job:{job_id}"
