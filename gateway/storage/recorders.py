"""The recorder: the consumer output that writes footage, and which devices it records now."""

from functools import partial

import pluggy
import redis

from gateway.clock import SystemClock
from gateway.config import Config
from gateway.leases import Leases, output_lease
from gateway.outputs import RECORDER, ConsumerContext
from gateway.plugin_manager import collect_consumer_outputs, find_output_name, notify


def find_recorder(manager: pluggy.PluginManager, config: Config) -> str | None:
    """The name of the output that writes footage, for processes that run no outputs; None when no plugin has one.

    Raises PluginError when a plugin fails, or when there are two such outputs.
    """
    context = ConsumerContext(config, "none", SystemClock(), partial(notify, manager))
    return find_output_name(collect_consumer_outputs(manager, context), RECORDER)


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
