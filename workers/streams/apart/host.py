"""`python -m workers.streams.apart.host PLUGIN WORKER SOCKET`: runs the direct outputs and sources of one plugin.

Started by a stream worker alone. The plugin's code runs in threads; the main thread has the loop of the connection, and
none of the plugin's. A process that does not react for a minute ends itself, also while Python's lock is held.
"""

import asyncio
import contextlib
import faulthandler
import json
import logging
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from gateway import database, sandbox
from gateway.config import Config
from gateway.errors import ConfigError, PluginError
from gateway.events.bell import hang_bell
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports
from gateway.isolation.threads import note_slow_calls
from gateway.logs import setup_logging
from gateway.outputs import OutputContext
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import PluginManager, collect_direct_outputs, collect_sources_of
from gateway.private_files import keep_files_private
from gateway.redis_client import connect_redis
from gateway.sources.source import AddressSource
from workers.options_watch import OptionsWatch
from workers.streams.apart.channel import Channel
from workers.streams.apart.hosted_outputs import HostedOutputs
from workers.streams.apart.hosted_sources import HostedSources
from workers.streams.source_threads import THREADS

log = logging.getLogger(__name__)

_STUCK_SECONDS = 60
_TURN_SECONDS = 1.0
_REPORT_TURNS = 3


class Host:
    """The inside of the process."""

    def __init__(self, plugin: str, worker: str, config: Config, manager: PluginManager) -> None:
        self._plugin = plugin
        self._manager = manager
        self._config = config
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        thread = THREADS.get(plugin)
        # Everything in this thread is the plugin's.
        thread.loop.call_soon_threadsafe(lambda: GUARD.enter(GUARD.number(plugin, "its loop")))
        context = OutputContext(config=config, loop=thread.loop, worker=worker)
        self._outputs = HostedOutputs(collect_direct_outputs(manager, only=plugin, context=context))
        self._sources = HostedSources(plugin, thread, collect_sources_of(manager, config, plugin))
        self._ending = asyncio.Event()

    def offer(self) -> str:
        """What the plugin has registered, as JSON."""
        sources = [
            ["address" if isinstance(one, AddressSource) else "session", list(one.schemes), dict(one.default_ports)]
            for one in self._sources.sources
        ]
        return json.dumps({"outputs": self._outputs.names, "sources": sources})

    async def serve(self, own: socket.socket) -> None:
        """Answer until the stream worker ends or says so."""
        handlers = {"end": self._ending.set} | self._outputs.handlers() | self._sources.handlers()
        channel = await Channel.open(own, handlers)
        self._outputs.channel = self._sources.channel = channel
        problem = next((one.reason for one in self._manager.faulty if one.name == self._plugin), None)
        channel.post("offer", self.offer(), problem or "")
        serving = asyncio.ensure_future(channel.serve())
        watching = asyncio.ensure_future(self._watch())
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._outputs.close)
        channel.close()

    async def _watch(self) -> None:
        """Show that this loop is alive, and report what is wrong."""
        reports, turn = ProblemReports(connect_redis(self._config.redis_url, timeout_seconds=1.0)), 0
        while True:
            faulthandler.dump_traceback_later(_STUCK_SECONDS, exit=True, file=sys.stderr)
            self._outputs.look()
            self._sources.look()
            turn += 1
            if turn % _REPORT_TURNS == 0:
                note_slow_calls()
                report = (reports.report, "apart", self._worker, GUARD.problems.list())
                with contextlib.suppress(Exception):
                    await asyncio.get_running_loop().run_in_executor(None, *report)
            await asyncio.sleep(_TURN_SECONDS)


def main(plugin: str, worker: str, descriptor: str) -> NoReturn:
    """Run until the connection ends."""
    # The stream worker says when: a signal to its group, such as Ctrl-C, does not reach this session anyway.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own = socket.socket(fileno=int(descriptor))
    os.set_inheritable(own.fileno(), False)
    try:
        config = Config.from_environment()
    except ConfigError as error:
        print(f"cannot start the process of '{plugin}': {error}", file=sys.stderr)
        sys.exit(78)
    setup_logging(config, label=f"{plugin}/apart")
    sandbox.forbid_core_dumps()
    keep_files_private(config)
    GUARD.start(config.var_dir, "apart")
    faulthandler.dump_traceback_later(_STUCK_SECONDS, exit=True, file=sys.stderr)
    database.connect(config)
    hang_bell(config)
    manager = load_plugins(config)
    watch = OptionsWatch.of(manager, config, only=plugin)
    try:
        asyncio.run(_run(plugin, worker, config, manager, own, watch))
    except PluginError:
        log.exception("the process ends")
    faulthandler.cancel_dump_traceback_later()
    watch.stop()
    GUARD.stop()
    database.close()
    logging.shutdown()
    # Threads that the plugin left running cannot delay it.
    os._exit(0)


async def _run(*values: Any) -> None:
    plugin, worker, config, manager, own, watch = values
    host = Host(plugin, worker, config, manager)
    watch.start()
    await host.serve(own)


if __name__ == "__main__":
    main(*sys.argv[1:])
