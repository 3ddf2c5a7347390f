"""The actors: what the queues' messages call. Each takes ids and finds the rest itself."""

import logging
import threading

import dramatiq
from dramatiq.middleware import Shutdown

from gateway.devices.probes import Probes
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.streams.messages import JOBS_QUEUE, RECORD_QUEUE, STREAM_QUEUE, Messages
from workers.broker import broker, config, services
from workers.ffmpeg.advice import describe_probe
from workers.ffmpeg.probe import WATCH_SECONDS
from workers.ffmpeg.probe import probe_source as look_at_source
from workers.job_runner import JobRunner
from workers.outputs.consumer import ConsumerSupervisor
from workers.streams.supervisor import StreamSupervisor

log = logging.getLogger(__name__)

#: Long jobs hold half of the threads at most: a person who adds a camera waits for a probe behind them.
_job_slots = threading.BoundedSemaphore(max(1, config.job_threads // 2))


@dramatiq.actor(queue_name=STREAM_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_stream(device_id: str) -> None:
    """Own a device's stream until it is to stop. Endless; a second message finds the lease taken and ends.

    The message is never put back: Dramatiq's consumer still runs while a worker shuts down, and would hand it to the
    same worker. The clock process finds the device without an owner within seconds, after a deploy as after a fault.
    """
    try:
        if not services.is_closing:
            StreamSupervisor(device_id, services.stream).run()
    except Shutdown:
        log.info("device %s is given up: this worker stops", device_id)
    finally:
        # The message is spent, also where it did nothing: the next one need not wait until the mark of this one ends.
        services.stream.messages.start_taken(device_id)


@dramatiq.actor(queue_name=RECORD_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_consumer(output_name: str, device_id: str) -> None:
    """Feed a consumer output with a device's parts until it is to end. Endless, and never put back, as `run_stream`."""
    consumers = services.consumers
    try:
        output = consumers.outputs.get(output_name)
        if output is None:
            log.error("no plugin of this worker has an output '%s': is it installed here?", output_name)
        elif not services.is_closing:
            ConsumerSupervisor(output, device_id, consumers).run()
    except Shutdown:
        log.info("output '%s' of device %s is given up: this worker stops", output_name, device_id)
    finally:
        consumers.messages.consumer_taken(output_name, device_id)


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


@dramatiq.actor(queue_name=JOBS_QUEUE, time_limit=float("inf"), notify_shutdown=True, max_retries=0)
def run_job(job_id: str) -> None:
    """Run a job that a person waits for, then those that wait behind it. Never put back, as `run_stream`: a job that a
    stopping worker gave up is queued in the database, and the clock process sends its message again."""
    # Here alone: stream and record workers are back sooner, and smaller, without the decoders.
    from workers.job_kinds import JOB_KINDS

    Messages(broker, broker.client).job_taken(job_id)
    runner = JobRunner(config, services.name, JOB_KINDS, _job_slots, lambda: services.is_closing)
    try:
        runner.run(job_id)
    except Shutdown:
        log.info("job %s is given up: this worker stops", job_id)
