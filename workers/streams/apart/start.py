"""Starts the processes of strangers' direct outputs and sources for a stream worker."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gateway.errors import PluginError
from gateway.outputs import DirectOutput
from gateway.plugin_manager import PluginManager
from gateway.sources.source import Source
from workers.streams.apart.outputs import ApartOutput, Links
from workers.streams.apart.process import ApartProcess, Offer
from workers.streams.apart.sources import sources_of
from workers.streams.source_threads import THREADS

log = logging.getLogger(__name__)

_HOOKS = ("register_direct_outputs", "register_sources")
#: The worker starts without a plugin that takes longer.
_OFFER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Apart:
    """The stand-ins of this worker, by the names of their plugins."""

    outputs: dict[str, list[DirectOutput]] = field(default_factory=dict)
    sources: dict[str, list[Source]] = field(default_factory=dict)
    processes: list[ApartProcess] = field(default_factory=list)

    def close(self) -> None:
        """End all processes. May be called twice."""
        for process in self.processes:
            process.close()


def start_apart(manager: PluginManager, worker: str, run_on_media_loop: Callable[[Callable[[], None]], None]) -> Apart:
    """Start a process for each stranger with direct outputs or sources; one that registers none is set aside here."""
    names = [name for name in sorted(manager.strangers) if _has_any(manager, name)]
    found = Apart()
    if not names:
        return found
    processes = {name: ApartProcess(name, worker, THREADS.get(name)) for name in names}
    links = {name: Links(process, run_on_media_loop) for name, process in processes.items()}
    with ThreadPoolExecutor(len(names)) as pool:
        offers = dict(zip(names, pool.map(_wait_offer, processes.values()), strict=True))
    for name, offer in offers.items():
        process = processes[name]
        found.processes.append(process)
        # Also of one that offers nothing: it is not asked in this process.
        found.outputs[name], found.sources[name] = [], []
        if isinstance(offer, PluginError):
            manager.disable(name, f"its outputs and sources cannot be used: {offer.message}")
            continue
        found.outputs[name] = [ApartOutput(process, output, links[name]) for output in offer.outputs]
        found.sources[name] = sources_of(process, offer)
        log.info("plugin '%s' has a process for its direct outputs and sources", name)
    return found


def _has_any(manager: PluginManager, name: str) -> bool:
    implementations = [one for hook in _HOOKS for one in getattr(manager.hook, hook).get_hookimpls()]
    return any(one.plugin_name == name for one in implementations)


def _wait_offer(process: ApartProcess) -> Offer | PluginError:
    try:
        return process.wait_offer(_OFFER_SECONDS)
    except PluginError as error:
        return error
