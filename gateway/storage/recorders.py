"""The recorder: the consumer output that writes footage, and which devices it records now."""

from functools import partial

import redis

from gateway.clock import SystemClock
from gateway.config import Config
from gateway.leases import RECORD, Leases, output_lease
from gateway.outputs import OUTPUTS, RECORDER, ConsumerContext, worker_kind
from gateway.plugin_manager import PluginManager, collect_consumer_outputs, find_output_name, notify


def find_recorder(manager: PluginManager, config: Config) -> str | None:
    """The name of the output that writes footage, for processes that run no outputs; None when no plugin has one."""
    context = ConsumerContext(config, "none", SystemClock(), partial(notify, manager))
    return manager.keep("recorder", lambda: find_output_name(collect_consumer_outputs(manager, context), RECORDER))


def list_output_processes(manager: PluginManager, config: Config) -> list[str]:
    """The names of processes that consumer outputs ask for, besides those that every installation runs."""
    context = ConsumerContext(config, "none", SystemClock(), partial(notify, manager))
    kinds = {worker_kind(output) for output in collect_consumer_outputs(manager, context)}
    return sorted(kind.removeprefix(f"{OUTPUTS}.") for kind in kinds - {RECORD, OUTPUTS})


class LivingRecorders:
    """Which devices are being recorded now, by the leases of `output_name`. Without an output no device is recorded.

    Every call raises redis.RedisError when Redis cannot be reached.
    """

    def __init__(self, client: redis.Redis, output_name: str | None) -> None:
        self._leases = Leases(client)
        self._output_name = output_name

    def __call__(self, device_id: str) -> bool:
        if self._output_name is None:
            return False
        return self._leases.holder(output_lease(self._output_name), device_id) is not None
