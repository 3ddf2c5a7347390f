"""`python -m workers.plugins.event_process PIPE PARENT`: reports events to plugins, and watches the service's health.

Started by the plugins worker alone, once over all machines: the code of plugins runs neither in the clock nor beside
recording.
"""

import logging
import sys
import threading
from collections.abc import Callable

from gateway.clock import SystemClock
from gateway.config import Config
from gateway.errors import Unavailable
from gateway.health import checks_of_services
from gateway.leases import WorkerSlots
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import PluginManager
from gateway.redis_client import connect_redis
from gateway.streams.bus import MediaBus
from workers.plugins.child_side import end_child, start_child
from workers.plugins.event_reports import EventReports
from workers.plugins.health_watch import HealthWatch
from workers.stop_signal import StopSignal

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
#: Pauses between two looks at the events and at the health, and after a failure.
_EVENT_SECONDS, _HEALTH_SECONDS, _FAILED_SECONDS = 0.5, 3.0, 5.0


def main(descriptor: str, parent: str) -> None:
    """Report events and watch the health until a signal arrives, each in a thread, which may hang."""
    stop = StopSignal()
    config, told = start_child("events", descriptor, parent)
    told.beat()
    manager = load_plugins(config)
    ended = threading.Event()
    for name, turn, seconds in (
        ("reports", EventReports(manager).turn, _EVENT_SECONDS),
        ("health", _watch(config, manager).turn, _HEALTH_SECONDS),
    ):
        threading.Thread(target=_repeat, args=(name, turn, seconds, ended), name=name, daemon=True).start()
    told.tell(running=1)
    while not stop.wait(_LOOK_SECONDS):
        told.beat()
    ended.set()
    end_child(0)


def _watch(config: Config, manager: PluginManager) -> HealthWatch:
    client = connect_redis(config.redis_url)
    bus = MediaBus(connect_redis(config.bus_redis_url))
    return HealthWatch(checks_of_services(config, client, bus, WorkerSlots(client), manager), SystemClock())


def _repeat(name: str, turn: Callable[[], None], seconds: float, ended: threading.Event) -> None:
    pause = seconds
    while not ended.wait(pause):
        pause = seconds
        try:
            turn()
        except Unavailable as error:
            log.warning("%s: waiting: %s", name, error)
            pause = _FAILED_SECONDS
        except Exception:
            log.exception("a pass of the %s failed", name)
            pause = _FAILED_SECONDS


if __name__ == "__main__":
    main(*sys.argv[1:])
