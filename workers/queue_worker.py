"""A worker of one Dramatiq queue, in this process alone: whoever starts it starts as many as are wanted, and again.

Dramatiq's own command is not used: its main process ends all of its workers when one of them dies, and costs as much
memory as a worker.
"""

import logging
import os
import queue
from typing import Any

# Read when dramatiq is imported: milliseconds before a retry after Redis was lost.
os.environ.setdefault("dramatiq_restart_delay", "1000")

import dramatiq

from gateway.config import Config
from gateway.leases import OUTPUTS, RECORD, STREAM
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

#: Milliseconds between polls of an empty queue, and of the queue of delayed messages, which only retries enter.
_POLL_MS, _DELAYED_POLL_MS = 250, 500
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


class WorkQueue(queue.PriorityQueue):
    """Dramatiq's queue of fetched messages, whose threads sleep until there is one: those of 64 free slots would wake
    256 times a second otherwise, and each of them only to see that there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._is_closing = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Wait for a message, however long it takes. Raises queue.Empty after `close`, and if it shall not wait."""
        if block:
            with self.not_empty:
                while not self._qsize() and not self._is_closing:
                    self.not_empty.wait()
        return super().get(block=False)

    def close(self) -> None:
        """Wake all who wait."""
        with self.not_empty:
            self._is_closing = True
            self.not_empty.notify_all()


class QueueWorker(dramatiq.Worker):
    """A Dramatiq worker that sleeps while there is nothing to do."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.work_queue = WorkQueue()

    def stop(self, timeout: int = 600_000) -> None:
        """Stop in order; waits up to `timeout` milliseconds for the messages in progress."""
        # Before they are woken: a thread of Dramatiq ends when it is woken by nothing.
        for thread in self.workers:
            thread.running = False
        self.work_queue.close()
        super().stop(timeout)

    def _add_consumer(self, queue_name: str, *, delay: bool = False) -> None:
        poll, self.worker_timeout = self.worker_timeout, _DELAYED_POLL_MS if delay else self.worker_timeout
        super()._add_consumer(queue_name, delay=delay)
        self.worker_timeout = poll


def build_worker(broker: dramatiq.Broker, queue: str, threads: int) -> dramatiq.Worker:
    """Build a Dramatiq worker of one queue that holds no message for which it has no free thread.

    A message in progress counts as prefetched: with a higher limit than its threads, a process would keep messages
    behind endless ones, while another process had free slots for them.
    """
    worker = QueueWorker(broker, queues={queue}, worker_timeout=_POLL_MS, worker_threads=threads)
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
