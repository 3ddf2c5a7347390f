"""What plugins show to people and to monitoring: metrics, and panels on the pages of the UI."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

COUNTER, GAUGE = METRIC_KINDS = ("counter", "gauge")

#: Where a panel is shown: on the page of each device, or on the page Health.
DEVICE, SYSTEM = PANEL_PLACES = ("device", "system")

#: A number, or several with their labels; None: there is nothing to tell now.
MetricValue = int | float | Iterable[tuple[Mapping[str, str], int | float]] | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure for monitoring, shown as `vas_plugin_PLUGIN_NAME`.

    `name` follows the conventions of Prometheus: lower case, base units, `_total` at the end of counters. With a `unit`
    such as `seconds` or `bytes` the name ends with it, before `_total`. `read` is called in a thread of the plugin's
    own, at most every few seconds. With `per_device`, each number has a label `device` with the id of a device; such a
    metric is read only for requests that ask for it, because an installation may have thousands of devices.
    """

    name: str
    kind: str
    help: str
    read: Callable[[], MetricValue]
    unit: str = ""
    per_device: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page that the plugin draws in the browser: an ES module, one file that ends with `.js`.

    `place` is `device` or `system`. The module exports `mount(element, context)`; it runs with the rights of the page.
    """

    name: str
    title: str
    place: str
    module: Path
