"""The actors: what the queues' messages call. Each takes ids and finds the rest itself."""

import logging

import dramatiq
from dramatiq.middleware import Shutdown

from gateway.messages import JOBS_QUEUE, STREAM_QUEUE
from gateway.probes import Probes
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from workers.advice import describe_probe
from workers.broker import config, services
from workers.ffmpeg.probe import WATCH_SECONDS
from workers.ffmpeg.probe import probe_source as look_at_source
from workers.supervisor import StreamSupervisor

log = logging.getLogger(__name__)


def _is_shutdown(_retries: int, error: BaseException) -> bool:
    """Only a deploy puts an endless message back; after a fault the clock process finds the device alone."""
    return isinstance(error, Shutdown)


@dramatiq.actor(
    queue_name=STREAM_QUEUE,
    time_limit=float("inf"),
    notify_shutdown=True,
    retry_when=_is_shutdown,
    min_backoff=100,
    max_backoff=1000,
)
def run_stream(device_id: str) -> None:
    """Own a device's stream until it is to stop. Endless; a second message finds the lease taken and ends."""
    StreamSupervisor(device_id, services.stream).run()


@dramatiq.actor(queue_name=JOBS_QUEUE, time_limit=60_000, max_retries=0, max_age=30_000)
def probe_source(probe_id: str) -> None:
    """Look at the source of a stored request and store what was found."""
    probes = Probes(connect_redis(config.redis_url), SecretBox.from_config(config))
    request = probes.load_request(probe_id)
    if request is None:
        log.info("probe %s was asked for too long ago", probe_id)
        return
    result = look_at_source(config, request.source_url, request.transport, watch_seconds=WATCH_SECONDS)
    probes.store_result(probe_id, describe_probe(result))
