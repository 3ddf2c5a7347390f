"""`python -m workers.plugins.service_process PLUGIN NAME LEASE OWNER PIPE PARENT`: runs one service of a plugin.

Started by the plugins worker alone. The service runs in a thread, so that signals reach this process in any case.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable

import redis

from gateway.leases import Leases
from gateway.plugin_loading import load_plugins
from gateway.plugin_tasks import PluginService
from gateway.plugin_work.registrations import read_one
from gateway.redis_client import connect_redis
from workers.options_watch import OptionsWatch
from workers.plugins.child_side import describe_error, end_child, start_child
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_LEASE_SECONDS = 2.0
#: The plugins worker kills a process that has not ended by itself after ten seconds.
_STOP_SECONDS = 9.0


class LeaseWatch:
    """Ends this process when another worker has taken the lease: the worker above may be suspended, and not know it."""

    def __init__(
        self, leases: Leases, kind: str, name: str, owner: str, end: Callable[[int], object] = os._exit
    ) -> None:
        self._leases = leases
        self._lease = (kind, name)
        self._owner = owner
        self._end = end

    def start(self) -> None:
        """Watch in a thread of its own: Redis may not answer."""
        threading.Thread(target=self._run, name="lease", daemon=True).start()

    def look(self) -> None:
        """Look once. While Redis is away, or the lease has expired and nobody has it, the service goes on."""
        try:
            holder = self._leases.holder(*self._lease)
        except redis.RedisError:
            return
        if holder not in (None, self._owner):
            log.warning("another worker has taken this service over: this process ends")
            self._end(1)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LEASE_SECONDS):
            self.look()


class ServiceRun:
    """The run of a service in a thread; `error` after it has ended, None if it returned.

    `ended` is a descriptor that can be read from its end on.
    """

    def __init__(self, service: PluginService) -> None:
        self.stop = threading.Event()
        self.error: str | None = None
        self._service = service
        self.ended, self._end = os.pipe()
        self.thread = threading.Thread(target=self._run, name=service.name, daemon=True)

    def _run(self) -> None:
        try:
            self._service.run(self.stop)
        except BaseException as error:
            # sys.exit() as well: a service that is done returns.
            if not self.stop.is_set():
                log.exception("the service failed")
            self.error = describe_error(error)
        finally:
            os.write(self._end, b"\0")


def main(plugin: str, name: str, lease: str, owner: str, *pipe: str) -> None:
    """Run the service until it ends or a signal arrives."""
    stop = StopSignal()
    config, told = start_child(f"{plugin}/{name}", *pipe)
    told.beat()
    manager = load_plugins(config)
    registered = read_one(manager, plugin)
    service = registered.services.get(name)
    if service is None:
        told.tell(error=registered.problem or f"plugin '{plugin}' has no service '{name}'")
        end_child(1)
    OptionsWatch.of(manager, config, only=plugin).start()
    LeaseWatch(Leases(connect_redis(config.redis_url)), lease, name, owner).start()
    run = ServiceRun(service)
    run.thread.start()
    told.tell(running=1)
    while run.thread.is_alive() and not stop.wait(_LOOK_SECONDS, also=[run.ended]):
        told.beat()
    is_stopped = stop.is_set()
    if is_stopped:
        run.stop.set()
        run.thread.join(_STOP_SECONDS)
    elif run.error is None:
        told.tell(done=1)
    else:
        told.tell(error=run.error)
    end_child(0 if is_stopped or run.error is None else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
