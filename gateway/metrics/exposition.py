"""Families of metrics, checked, and written in Prometheus's text format 0.0.4.

Our own writer: the client library keeps the state of one process in a global registry and writes any name, and what is
needed here is the opposite, which is checked values of many processes that are read at each scrape.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.plugin_surface import COUNTER, METRIC_KINDS, Metric, MetricValue
from gateway.redaction import redact_text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Limits of one metric, so that a mistake in a plugin cannot fill the store of a monitoring system.
MOST_SERIES, MOST_SERIES_PER_DEVICE, MOST_LABELS = 500, 20_000, 10
_MOST_HELP, _MOST_VALUE = 300, 200

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,63}", re.ASCII)
_UNIT = re.compile(r"[a-z]{1,30}", re.ASCII)
#: Endings that Prometheus gives to the series of histograms and summaries, and to information.
_RESERVED = ("_count", "_sum", "_bucket", "_created", "_info")
#: The label of metrics per device.
DEVICE_LABEL = "device"

#: Labels and a number.
Sample = tuple[Mapping[str, str], int | float]


class MetricRefused(ValueError):
    """A metric or its values cannot be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its series."""

    name: str
    help: str
    samples: Iterable[Sample]
    kind: str = "gauge"


def gauge(name: str, help_text: str, value: float | None) -> list[Family]:
    """A gauge without labels; nothing without a value."""
    return [] if value is None else [Family(name, help_text, [({}, value)])]


def check_metric(metric: Metric) -> None:
    """Check the description of a plugin's metric. Raises MetricRefused."""
    if not isinstance(metric, Metric):
        raise MetricRefused(f"must return Metric objects, not {type(metric).__name__}")
    name = metric.name
    if not isinstance(name, str) or len(name) > 100 or not _NAME.fullmatch(name):
        raise MetricRefused(
            f"the name of metric {name!r:.120} must be at most 100 lower-case letters, digits and single '_'"
        )
    if metric.kind not in METRIC_KINDS:
        raise MetricRefused(f"the kind of metric '{name}' must be 'counter' or 'gauge', not {metric.kind!r:.40}")
    if (metric.kind == COUNTER) != name.endswith("_total"):
        raise MetricRefused(f"the name of metric '{name}' must end with '_total' if, and only if, it is a counter")
    if name.removesuffix("_total").endswith(_RESERVED):
        raise MetricRefused(f"the name of metric '{name}' must not end with one of {', '.join(_RESERVED)}")
    if not isinstance(metric.help, str) or not 1 <= len(metric.help) <= _MOST_HELP:
        raise MetricRefused(f"the help of metric '{name}' must be a text of 1 to {_MOST_HELP} characters")
    if metric.unit and not (isinstance(metric.unit, str) and _UNIT.fullmatch(metric.unit)):
        raise MetricRefused(f"the unit of metric '{name}' must be a word such as 'seconds', not {metric.unit!r:.40}")
    if metric.unit and not f"_{name.removesuffix('_total')}".endswith(f"_{metric.unit}"):
        raise MetricRefused(f"the name of metric '{name}' must end with its unit '{metric.unit}'")
    if not callable(metric.read):
        raise MetricRefused(f"'read' of metric '{name}' must be a function")


def check_values(metric: Metric, value: MetricValue) -> list[Sample]:
    """The series of a plugin's metric, from what it has read. Raises MetricRefused."""
    if value is None:
        return []
    if isinstance(value, int | float):
        value = [({}, value)]
    most = MOST_SERIES_PER_DEVICE if metric.per_device else MOST_SERIES
    found: dict[tuple[tuple[str, str], ...], Sample] = {}
    try:
        for labels, number in value:
            sample = _check_labels(labels, per_device=metric.per_device), _check_number(number, metric.kind)
            key = tuple(sorted(sample[0].items()))
            if key in found:
                raise MetricRefused(f"it has the labels {_show(key)} twice")
            if len(found) >= most:
                raise MetricRefused(f"it has more than {most} series")
            found[key] = sample
    except (TypeError, ValueError) as error:
        if isinstance(error, MetricRefused):
            raise
        raise MetricRefused("it must be a number or a list of pairs of labels and number") from error
    return list(found.values())


def _check_labels(labels: object, *, per_device: bool) -> dict[str, str]:
    if not isinstance(labels, Mapping) or len(labels) > MOST_LABELS:
        raise MetricRefused(f"its labels must be a dictionary of at most {MOST_LABELS}")
    for name, value in labels.items():
        if not isinstance(name, str) or not _LABEL.fullmatch(name):
            raise MetricRefused(f"{name!r:.80} cannot be the name of a label")
        if not isinstance(value, str) or len(value) > _MOST_VALUE:
            raise MetricRefused(f"label '{name}' must be a text of at most {_MOST_VALUE} characters")
    if per_device and DEVICE_LABEL not in labels:
        raise MetricRefused(f"each of its numbers needs the label '{DEVICE_LABEL}'")
    return {name: redact_text(value) for name, value in labels.items()}


def _check_number(number: object, kind: str) -> int | float:
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise MetricRefused(f"{number!r:.60} is not a finite number")
    if kind == COUNTER and number < 0:
        raise MetricRefused(f"a counter cannot be {number!r:.60}")
    return int(number) if isinstance(number, bool) else number


def write_text(families: Iterable[Family]) -> str:
    """The text of families, sorted by name; one without series is left out."""
    lines: list[str] = []
    for family in sorted(families, key=lambda one: one.name):
        series = [f"{family.name}{_write_labels(labels)} {_write_number(number)}" for labels, number in family.samples]
        if series:
            help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
            lines += [f"# HELP {family.name} {help_text}", f"# TYPE {family.name} {family.kind}", *series]
    return "".join(f"{line}\n" for line in lines)


def _write_labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escape(value: str) -> str:
    """A value as it is written; unpaired surrogates, which UTF-8 cannot encode, become U+FFFD."""
    value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _write_number(number: float) -> str:
    return str(number) if isinstance(number, int) else repr(float(number))


def _show(key: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}={value!r:.60}" for name, value in key) + "}"
