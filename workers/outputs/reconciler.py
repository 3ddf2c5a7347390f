"""Reconciliation of consumer outputs, run by the clock process: each wanted device gets an owner and a stream."""

import logging
import random

from gateway.isolation.guard import GUARD
from gateway.leases import RECORD, Leases, WorkerSlots, describe_shortage, output_lease
from gateway.outputs import ConsumerOutput, worker_kind
from gateway.streams.fleet import demand_streams
from gateway.streams.messages import Messages
from workers.outputs.wanted import WantedDevices

log = logging.getLogger(__name__)

#: Maximum number of outputs attached in one pass.
STARTS_PER_PASS = 16


class ConsumerReconciler:
    """One pass is `reconcile()`; repeating it is harmless.

    `is_without_worker`: whether the last pass found outputs to attach and no record worker.
    """

    def __init__(self, outputs: list[ConsumerOutput], leases: Leases, slots: WorkerSlots, messages: Messages) -> None:
        self._outputs = {output.name: output for output in outputs}
        self._wanted = WantedDevices(outputs)
        self._leases = leases
        self._slots = slots
        self._messages = messages
        self._shortages: dict[str, str] = {}
        self.is_without_worker = False

    def read_wanted(self) -> dict[str, list[str]]:
        """The devices that each output wants now, or wanted in its last answer. Returns within two seconds."""
        return self._wanted.read()

    def reconcile(self, wanted: dict[str, list[str]]) -> None:
        """Ask workers to run wanted outputs without an owner. Raises redis.RedisError and Unavailable."""
        self.is_without_worker = False
        orphans: dict[str, list[tuple[str, str]]] = {}
        for name, device_ids in wanted.items():
            owners = self._leases.holders(output_lease(name), device_ids)
            kind = worker_kind(self._outputs[name])
            orphans.setdefault(kind, []).extend((name, one) for one in device_ids if one not in owners)
        for kind, waiting in orphans.items():
            self._start(kind, waiting)

    def _start(self, kind: str, waiting: list[tuple[str, str]]) -> None:
        """Distribute the outputs that wait for workers of a kind."""
        slots = self._slots.read(kind) if waiting else {}
        free = sum(total - used for used, total in slots.values())
        plugins = {getattr(self._outputs[name], "plugin", "") or name for name, _ in waiting}
        is_short = bool(waiting) and free <= 0
        self._note_shortage(kind, f"{len(waiting)} outputs wait {describe_shortage(kind, slots)}" if is_short else "")
        _note_waiting(kind, plugins if is_short else set(), has_workers=bool(slots))
        if is_short:
            # An output other than the recorder may be without workers for long.
            self.is_without_worker |= not slots and kind == RECORD
            return
        random.shuffle(waiting)
        for name, device_id in waiting[: min(free, STARTS_PER_PASS)]:
            if self._messages.start_consumer(name, device_id, kind):
                log.info("attached output '%s' to device %s: it is wanted and had no owner", name, device_id)

    def _note_shortage(self, kind: str, shortage: str) -> None:
        if shortage and shortage != self._shortages.get(kind):
            log.warning(shortage)
        self._shortages[kind] = shortage

    def demand_streams(self, wanted: dict[str, list[str]]) -> None:
        """Start devices that run on demand while an output wants them, as for a viewer."""
        for device_id in demand_streams({device_id for device_ids in wanted.values() for device_id in device_ids}):
            log.info("device %s is wanted by an output: its stream is started", device_id)


def _note_waiting(kind: str, plugins: set[str], *, has_workers: bool) -> None:
    """Note that outputs of plugins wait for a worker, and forget it of those that do not."""
    topic = f"waiting for {kind}"
    words = kind.replace(".", " ")
    for problem in GUARD.problems.list():
        if problem.plugin not in plugins:
            GUARD.problems.clear(problem.plugin, topic)
    for plugin in plugins:
        if has_workers:
            reason, remedy = f"outputs wait: all slots of the {words} workers are in use", "start another one"
            remedy += ", or raise OUTPUT_SLOTS" if kind != RECORD else ", or raise RECORD_SLOTS"
        else:
            reason, remedy = f"outputs wait: no worker '{words}' runs", f"start `python -m workers {words}`"
        GUARD.problems.note(plugin, topic, reason, remedy=remedy)
