"""The metrics of plugins: collected once a process, read beside each other in threads of their own with a deadline."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field

from gateway.errors import PluginError
from gateway.isolation.guard import GUARD
from gateway.isolation.threads import PluginThread
from gateway.metrics.exposition import (
    DEVICE_LABEL,
    Family,
    MetricRefused,
    Sample,
    check_metric,
    check_values,
)
from gateway.plugin_manager import PluginManager, collect_named
from gateway.plugin_surface import Metric

log = logging.getLogger(__name__)

#: Longest time for reading the metrics of all plugins. What has not been read by then is left out, and not asked again
#: before it has returned.
READ_SECONDS = 2.0
#: Metrics of one plugin.
MOST_METRICS = 200
#: The step of a plugin's metrics in marks, logs and problems.
STEP = "reading its metrics"


def family_name(plugin: str, name: str) -> str:
    """The name of a plugin's metric for monitoring."""
    return f"vas_plugin_{re.sub('[^a-z0-9]+', '_', plugin.lower()).strip('_')}_{name}"


@dataclass(slots=True)
class _Reading:
    """One reading of a plugin's metrics, which its thread fills."""

    families: list[Family] = field(default_factory=list)
    problem: str | None = None
    future: Future | None = None


@dataclass(slots=True)
class _PluginMetrics:
    """The metrics of a plugin, by their names for monitoring, and the thread that reads them."""

    plugin: str
    metrics: dict[str, Metric]
    thread: PluginThread
    last: _Reading | None = None

    def begin(self, *, per_device: bool) -> _Reading:
        """Begin to read; a reading with a problem while the last one goes on."""
        if (aside := GUARD.aside(self.plugin)) is not None:
            return _Reading(problem=f"it is set aside: {aside.describe()}")
        if self.last is not None and not self.last.future.done():
            return _Reading(problem="the last reading of its metrics has not returned")
        reading = self.last = _Reading()
        reading.future = self.thread.submit(STEP, self._read, reading, per_device)
        return reading

    def _read(self, reading: _Reading, per_device: bool) -> None:
        for name, metric in self.metrics.items():
            if metric.per_device and not per_device:
                continue
            try:
                samples = check_values(metric, metric.read())
            except MetricRefused as error:
                reading.problem = f"metric '{metric.name}' is refused: {error}"
            except Exception as error:
                reading.problem = f"metric '{metric.name}' failed: {type(error).__name__}: {error}"
            else:
                reading.families.append(Family(name, metric.help, samples, metric.kind))


class PluginMetrics:
    """The metrics of all plugins of a process."""

    def __init__(self, manager: PluginManager) -> None:
        self._plugins = [
            _PluginMetrics(plugin, metrics, PluginThread(plugin, f"{plugin} metrics"))
            for plugin, metrics in metrics_of(manager).items()
        ]

    def read(self, device_ids: Sequence[str] | None) -> Iterator[Family]:
        """The families of all plugins, and whether each could be read. Blocks for READ_SECONDS at most.

        `device_ids`: those of the caller, for metrics per device; None without these.
        """
        known = None if device_ids is None else frozenset(device_ids)
        deadline = time.monotonic() + READ_SECONDS
        readings = [(one, one.begin(per_device=known is not None)) for one in self._plugins]
        is_read: list[Sample] = []
        for one, reading in readings:
            self._wait(one.plugin, reading, deadline)
            is_read.append(({"plugin": one.plugin}, int(reading.problem is None)))
            for family in list(reading.families):
                yield _limit(family, known) if one.metrics[family.name].per_device else family
        yield Family("vas_plugin_metrics_up", "Whether all metrics of a plugin could be read.", is_read)

    def close(self) -> None:
        """End the threads. May be called twice."""
        for one in self._plugins:
            one.thread.close()

    @staticmethod
    def _wait(plugin: str, reading: _Reading, deadline: float) -> None:
        if reading.future is not None:
            try:
                reading.future.result(max(0.0, deadline - time.monotonic()))
            except FutureTimeoutError:
                reading.problem = f"its metrics were not read within {READ_SECONDS:g} s"
            except PluginError as error:
                reading.problem = f"its metrics failed: {error.message}"
        if reading.problem is None:
            GUARD.problems.clear(plugin, STEP)
        elif GUARD.problems.note(plugin, STEP, reading.problem, remedy="see the plugin's documentation and log"):
            log.warning("plugin '%s' failed while reading its metrics: %s", plugin, reading.problem)


def metrics_of(manager: PluginManager) -> dict[str, dict[str, Metric]]:
    """The metrics of the plugins of a process."""
    return manager.keep("metrics of plugins", lambda: collect_metrics(manager))


def collect_metrics(manager: PluginManager) -> dict[str, dict[str, Metric]]:
    """The metrics of each plugin by their names for monitoring; a plugin with an invalid one is set aside."""
    found = collect_named(manager, "register_metrics")
    accepted: dict[str, dict[str, Metric]] = {}
    for plugin in dict.fromkeys(plugin for plugin, _ in found):
        taken = {name for metrics in accepted.values() for name in metrics}
        try:
            accepted[plugin] = _check_metrics(plugin, [metric for name, metric in found if name == plugin], taken)
        except MetricRefused as error:
            manager.disable(plugin, str(error))
    return accepted


def _check_metrics(plugin: str, metrics: list[Metric], taken: set[str]) -> dict[str, Metric]:
    if len(metrics) > MOST_METRICS:
        raise MetricRefused(f"must return at most {MOST_METRICS} metrics, not {len(metrics)}")
    accepted: dict[str, Metric] = {}
    for metric in metrics:
        check_metric(metric)
        name = family_name(plugin, metric.name)
        if name in taken or name in accepted:
            raise MetricRefused(f"there is another metric '{name}'")
        accepted[name] = metric
    return accepted


def _limit(family: Family, device_ids: frozenset[str] | None) -> Family:
    """A family per device without the devices that are not the caller's."""
    samples = [sample for sample in family.samples if device_ids and sample[0].get(DEVICE_LABEL) in device_ids]
    return Family(family.name, family.help, samples, family.kind)
