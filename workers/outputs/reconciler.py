"""Reconciliation of consumer outputs, run by the clock process: each wanted device gets an owner and a stream."""

import logging
import random

from gateway.leases import RECORD, Leases, WorkerSlots, describe_shortage, output_lease
from gateway.outputs import ConsumerOutput
from gateway.streams.fleet import demand_streams
from gateway.streams.messages import Messages

log = logging.getLogger(__name__)

#: Maximum number of outputs attached in one pass.
STARTS_PER_PASS = 16


class ConsumerReconciler:
    """One pass is `reconcile()`; repeating it is harmless.

    `is_without_worker`: whether the last pass found outputs to attach and no record worker.
    """

    def __init__(self, outputs: list[ConsumerOutput], leases: Leases, slots: WorkerSlots, messages: Messages) -> None:
        self._outputs = outputs
        self._leases = leases
        self._slots = slots
        self._messages = messages
        self._last_shortage = ""
        self.is_without_worker = False

    def read_wanted(self) -> dict[str, list[str]]:
        """The devices that each output wants now. An output that fails counts as wanting none, and is logged."""
        wanted = {}
        for output in self._outputs:
            try:
                wanted[output.name] = output.wanted()
            except Exception:
                log.exception("output '%s' failed to list the devices it wants", output.name)
        return wanted

    def reconcile(self, wanted: dict[str, list[str]]) -> None:
        """Ask record workers to run wanted outputs without an owner. Raises redis.RedisError and Unavailable."""
        self.is_without_worker = False
        orphans = []
        for name, device_ids in wanted.items():
            owners = self._leases.holders(output_lease(name), device_ids)
            orphans += [(name, device_id) for device_id in device_ids if device_id not in owners]
        if not orphans:
            self._last_shortage = ""
            return
        slots = self._slots.read(RECORD)
        free = sum(total - used for used, total in slots.values())
        if free <= 0:
            shortage = f"{len(orphans)} outputs wait {describe_shortage(RECORD, slots)}"
            if shortage != self._last_shortage:
                log.warning(shortage)
            self._last_shortage = shortage
            self.is_without_worker = not slots
            return
        random.shuffle(orphans)
        for name, device_id in orphans[: min(free, STARTS_PER_PASS)]:
            if self._messages.start_consumer(name, device_id):
                log.info("attached output '%s' to device %s: it is wanted and had no owner", name, device_id)

    def demand_streams(self, wanted: dict[str, list[str]]) -> None:
        """Start devices that run on demand while an output wants them, as for a viewer."""
        for device_id in demand_streams({device_id for device_ids in wanted.values() for device_id in device_ids}):
            log.info("device %s is wanted by an output: its stream is started", device_id)
