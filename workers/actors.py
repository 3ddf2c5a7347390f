"""The actors: the functions that the queues' messages call. Each takes ids and loads everything else itself."""

import asyncio
import logging
import threading
from functools import cache, partial

import dramatiq
from dramatiq.middleware import Shutdown

from gateway.devices.login_budget import LoginBudget
from gateway.devices.probes import Probes
from gateway.devices.sources import parse_source
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import collect_sources
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.sources.registry import SourceRegistry
from gateway.sources.tls import TlsTrust
from gateway.streams.messages import JOBS_QUEUE, OUTPUTS_QUEUE, RECORD_QUEUE, STREAM_QUEUE, Messages
from workers.broker import broker, config, services
from workers.job_runner import JobRunner
from workers.outputs.consumer import ConsumerSupervisor

log = logging.getLogger(__name__)

#: A certificate is read only after a probe that was this quick: the web process waits for both for 20 s.
_CERTIFICATE_WITHIN_MS = 10_000

#: Long jobs hold at most half of the threads, so that a probe for a person who adds a camera does not wait for them.
_job_slots = threading.BoundedSemaphore(max(1, config.job_threads // 2))


@dramatiq.actor(queue_name=STREAM_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_stream(device_id: str) -> None:
    """Own a device's stream until it has to stop. Endless; a duplicate message finds the lease taken and ends.

    The message is never requeued: Dramatiq's consumer still runs while a worker shuts down, and would hand it to the
    same worker. The clock process finds the device without an owner within seconds, after a deploy as after a fault.
    """
    # Imported only here: other workers have no session with a camera.
    from workers.streams.supervisor import StreamSupervisor

    try:
        if not services.is_closing:
            StreamSupervisor(device_id, services.stream).run()
    except Shutdown:
        log.info("device %s is released: this worker stops", device_id)
    finally:
        # The message is used up even if it did nothing: the next one must not wait until its pending mark expires.
        services.stream.messages.start_taken(device_id)


@dramatiq.actor(queue_name=RECORD_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_consumer(output_name: str, device_id: str) -> None:
    """Feed the recorder with a device's parts until it has to end. Endless, never requeued, as `run_stream`."""
    _feed_output(output_name, device_id)


@dramatiq.actor(queue_name=OUTPUTS_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_output(output_name: str, device_id: str) -> None:
    """As `run_consumer`, for the other consumer outputs, in the processes that they ask for."""
    _feed_output(output_name, device_id)


def _feed_output(output_name: str, device_id: str) -> None:
    consumers = services.consumers
    try:
        output = consumers.outputs.get(output_name)
        if output is None:
            log.error("no plugin of this worker has an output '%s': is it installed here?", output_name)
        elif not services.is_closing:
            ConsumerSupervisor(output, device_id, consumers).run()
    except Shutdown:
        log.info("output '%s' of device %s is released: this worker stops", output_name, device_id)
    finally:
        consumers.messages.consumer_taken(output_name, device_id)


@cache
def _load_sources() -> SourceRegistry:
    return collect_sources(load_plugins(config), config)


@dramatiq.actor(queue_name=JOBS_QUEUE, time_limit=60_000, max_retries=0)
def probe_source(probe_id: str) -> None:
    """Probe the source of a stored request and store the result.

    The request expires in Redis. The age of the message (Dramatiq's `max_age`) would compare the clocks of two
    machines.
    """
    client = connect_redis(config.redis_url)
    probes = Probes(client, SecretBox.from_config(config))
    request = probes.load_request(probe_id)
    if request is None:
        log.info("the request of probe %s has expired", probe_id)
        return
    # Imported only here: record workers need no session with a camera.
    from workers.ingest.advice import describe_probe
    from workers.ingest.probe import probe
    from workers.streams.sources import SessionOpener, shown_certificate

    logins = LoginBudget.from_config(client, config)
    if request.tries_now:
        logins.forget(parse_source(request.source_url))
    trust = TlsTrust(request.tls_trust, request.tls_fingerprint)
    opener = SessionOpener(_load_sources(), config, logins, transport=request.transport, trust=trust)
    result = asyncio.run(probe(config, partial(opener.open, request.source_url)))
    # A camera that took so long is not kept waiting, nor is the person who waits for the answer.
    is_quick = result.elapsed_ms < _CERTIFICATE_WITHIN_MS
    certificate = asyncio.run(shown_certificate(request.source_url, config)) if is_quick else None
    probes.store_result(probe_id, describe_probe(result, certificate))


@dramatiq.actor(queue_name=JOBS_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_job(job_id: str) -> None:
    """Run a job that a person requested, then those queued behind it. Never requeued, as `run_stream`: a job that a
    stopping worker gave up is queued in the database, and the clock process sends its message again."""
    # Imported only here: without the decoders, stream and record workers start sooner and need less memory.
    from workers.job_kinds import JOB_KINDS

    Messages(broker, broker.client).job_taken(job_id)
    runner = JobRunner(config, services.name, JOB_KINDS, _job_slots, lambda: services.is_closing)
    try:
        runner.run(job_id)
    except Shutdown:
        log.info("job %s is released: this worker stops", job_id)
