"""A worker of one Dramatiq queue, in this process alone: whoever starts it starts as many as are wanted, and again.

Dramatiq's own command is not used: its main process ends all of its workers when one of them dies, and costs as much
memory as a worker.
"""

import logging
import os

# Read when dramatiq is imported: milliseconds before a retry after Redis was lost.
os.environ.setdefault("dramatiq_restart_delay", "1000")

import dramatiq

from gateway.config import Config
from gateway.leases import OUTPUTS, RECORD, STREAM
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: Milliseconds between polls of an empty queue.
_POLL_MS = 250
#: Platforms kill a process half a minute after SIGTERM.
_STOP_MS = 10_000


def run_queue_worker(kind: str, config: Config) -> None:
    """Work on the queue `kind` until SIGTERM, SIGINT or SIGHUP. Raises whatever prevents the start.

    A repeated signal changes nothing: a stop in progress is not cut short, and its streams are released.
    """
    stop = StopSignal()
    warn_of_processes(kind, config)
    from workers.broker import broker, services

    services.boot(kind, broker)
    broker.declare_queue(kind)
    # Declares the actors, which need the broker.
    import workers.actors  # noqa: F401

    worker = build_worker(broker, kind, count_threads(kind, config))
    worker.start()
    stop.wait()
    worker.stop(timeout=_STOP_MS)
    broker.close()


def build_worker(broker: dramatiq.Broker, queue: str, threads: int) -> dramatiq.Worker:
    """Build a Dramatiq worker of one queue that holds no message for which it has no free thread.

    A message in progress counts as prefetched: with a higher limit than its threads, a process would keep messages
    behind endless ones, while another process had free slots for them.
    """
    worker = dramatiq.Worker(broker, queues={queue}, worker_timeout=_POLL_MS, worker_threads=threads)
    worker.queue_prefetch = threads
    return worker


def count_threads(kind: str, config: Config) -> int:
    """Return the number of messages that one process of a kind works on at the same time."""
    if kind.partition(".")[0] == OUTPUTS:
        return config.output_slots
    return {STREAM: config.stream_slots, RECORD: config.record_slots}.get(kind, config.job_threads)


def warn_of_processes(kind: str, config: Config) -> None:
    """Log that a number of processes is set which this one does not start; `make run` sets 1 for those it starts."""
    wanted = {STREAM: config.stream_processes, RECORD: config.record_processes}.get(kind, 1)
    if wanted > 1:
        log.warning(
            "'%s_PROCESSES' is %d, but this command is one process: start it %d times (only `make run` does so itself)",
            kind.upper(), wanted, wanted,
        )  # fmt: skip
