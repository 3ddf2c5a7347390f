"""A plugin whose metrics fail or hang costs those alone, and is named; `register_metrics` is checked."""

import sys
import threading

import pytest

from gateway.hookspecs import hookimpl
from gateway.isolation.deaths import Aside
from gateway.isolation.guard import GUARD
from gateway.metrics import of_plugins
from gateway.metrics.of_plugins import PluginMetrics, collect_metrics, family_name
from gateway.plugin_surface import Metric
from tests.conftest import wait_until
from tests.factories import no_plugins


class Plugin:
    """Has metrics."""

    def __init__(self, *metrics: object) -> None:
        self.metrics = metrics

    @hookimpl
    def register_metrics(self):
        return list(self.metrics)


def manager_with(**plugins):
    manager = no_plugins()
    for name, metrics in plugins.items():
        manager.register(Plugin(*metrics), name=name)
    return manager


def read(metrics, device_ids=None):
    return {family.name: list(family.samples) for family in metrics.read(device_ids)}


@pytest.fixture
def open_metrics():
    opened = []

    def open_metrics(**plugins):
        opened.append(PluginMetrics(manager_with(**plugins)))
        return opened[-1]

    yield open_metrics
    for metrics in opened:
        metrics.close()


def warm(read=lambda: 21.5, name="celsius", **values):
    return Metric(name, "gauge", "How warm.", read, **values)


def problems():
    return [(problem.plugin, problem.reason) for problem in GUARD.problems.list()]


def test_metrics_have_the_name_of_their_plugin(open_metrics):
    metrics = open_metrics(door_bell=[warm(), Metric("rings_total", "counter", "Rings.", lambda: [({"door": "a"}, 2)])])
    assert read(metrics) == {
        "vas_plugin_door_bell_celsius": [({}, 21.5)],
        "vas_plugin_door_bell_rings_total": [({"door": "a"}, 2)],
        "vas_plugin_metrics_up": [({"plugin": "door_bell"}, 1)],
    }
    assert family_name("My.Bell-2 x", "rings") == "vas_plugin_my_bell_2_x_rings"


@pytest.mark.parametrize("ends", [lambda: 1 / 0, lambda: "warm", lambda: [({}, 1), ({}, 2)], lambda: sys.exit(3)])
def test_a_metric_that_fails_costs_itself_and_is_named(open_metrics, ends, caplog):
    metrics = open_metrics(good=[warm()], bad=[warm(name="other"), warm(ends)])
    for _ in range(2):
        found = read(metrics)
        assert found["vas_plugin_good_celsius"] == [({}, 21.5)]
        assert found["vas_plugin_bad_other"] == [({}, 21.5)]
        assert "vas_plugin_bad_celsius" not in found
        assert found["vas_plugin_metrics_up"] == [({"plugin": "good"}, 1), ({"plugin": "bad"}, 0)]
    ((plugin, _reason),) = problems()
    assert plugin == "bad"
    assert caplog.text.count("plugin 'bad' failed while reading its metrics") == 1


def test_a_plugin_that_hangs_is_waited_for_once_and_returns(open_metrics, monkeypatch):
    monkeypatch.setattr(of_plugins, "READ_SECONDS", 0.05)
    proceed, calls = threading.Event(), []

    def hang():
        calls.append(1)
        proceed.wait(60)
        return 3

    metrics = open_metrics(bad=[warm(name="first"), warm(hang)], good=[warm()])
    found = read(metrics)
    assert found["vas_plugin_bad_first"] == [({}, 21.5)]
    assert found["vas_plugin_good_celsius"] == [({}, 21.5)]
    assert problems() == [("bad", "its metrics were not read within 0.05 s")]
    monkeypatch.setattr(of_plugins, "READ_SECONDS", 60)
    assert read(metrics)["vas_plugin_metrics_up"] == [({"plugin": "bad"}, 0), ({"plugin": "good"}, 1)]
    assert problems() == [("bad", "the last reading of its metrics has not returned")]
    assert calls == [1]
    proceed.set()
    wait_until(lambda: read(metrics).get("vas_plugin_bad_celsius") == [({}, 3)], "it is read again")
    assert problems() == []


def test_a_plugin_that_is_set_aside_is_not_called(open_metrics, monkeypatch):
    metrics = open_metrics(bad=[warm(lambda: pytest.fail("it is called"))])
    monkeypatch.setattr(GUARD, "aside", lambda plugin: Aside(0, "web", "a view", 3))
    assert read(metrics) == {"vas_plugin_metrics_up": [({"plugin": "bad"}, 0)]}


def test_metrics_per_device_are_read_when_asked_for_and_show_the_callers_devices_alone(open_metrics):
    metrics = open_metrics(bell=[warm(lambda: [({"device": "d1"}, 1), ({"device": "d2"}, 2)], per_device=True)])
    assert "vas_plugin_bell_celsius" not in read(metrics)
    assert read(metrics, ["d2", "d3"])["vas_plugin_bell_celsius"] == [({"device": "d2"}, 2)]
    assert read(metrics, [])["vas_plugin_bell_celsius"] == []


@pytest.mark.parametrize(
    ("metrics", "part"),
    [
        (["celsius"], "must return Metric objects, not str"),
        ([warm(name="Celsius")], "lower-case"),
        ([warm(), warm()], "there is another metric 'vas_plugin_bad_celsius'"),
        ([warm(name=f"celsius_{number}") for number in range(201)], "at most 200 metrics"),
    ],
)
def test_a_plugin_with_an_invalid_metric_is_set_aside_alone(metrics, part):
    manager = manager_with(bad=metrics, good=[warm()])
    assert list(collect_metrics(manager)) == ["good"]
    assert part in manager.faulty[0].reason


def test_two_plugins_cannot_have_the_same_metric():
    manager = manager_with(a=[warm(name="b_celsius")], a_b=[warm()])
    assert len(collect_metrics(manager)) == 1
    assert "there is another metric 'vas_plugin_a_b_celsius'" in manager.faulty[0].reason
