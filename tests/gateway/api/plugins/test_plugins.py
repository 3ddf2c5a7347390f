"""Plugins with what is wrong with them; views of plugins that fail are answered in the one shape of errors."""

import sys

import pytest

from gateway import database
from gateway.api.base import Blueprint
from gateway.app import create_app
from gateway.hookspecs import ComponentHealth, HealthCheck, hookimpl
from gateway.isolation.deaths import Aside
from gateway.isolation.guard import GUARD
from gateway.isolation.problems import ProblemReports, Problems
from gateway.redis_client import connect_redis
from tests.factories import no_plugins


def view_that(ends):
    blp = Blueprint("strange", __name__, url_prefix="/strange")

    @blp.route("")
    @blp.response(200)
    def strange():
        """End strangely"""
        return ends()

    return blp


class Plugin:
    """Is strange."""

    def __init__(self, *blueprints: object, check=lambda: ComponentHealth("ok")) -> None:
        self.blueprints, self.check = blueprints, check

    @hookimpl
    def register_blueprints(self):
        return list(self.blueprints)

    @hookimpl
    def register_health_checks(self):
        return [HealthCheck("strange", self.check)]


@pytest.fixture
def open_client(config):
    def open_client(*plugins: Plugin):
        manager = no_plugins()
        for number, plugin in enumerate(plugins, 1):
            manager.register(plugin, name=f"plugin{number}")
        return create_app(config, manager).test_client()

    yield open_client
    database.close()


def fail():
    raise RuntimeError("broken")


def test_a_plugin_without_problems_runs(open_client):
    (shown,) = open_client(Plugin()).get("/api/v1/plugins").json
    assert (shown["name"], shown["state"], shown["reason"], shown["problems"]) == ("plugin1", "running", None, [])


def test_the_problems_of_all_processes_are_shown_the_worst_first(open_client, config):
    client = open_client(Plugin())
    elsewhere = Problems()
    elsewhere.note("plugin1", "load", "cannot be loaded: no torch", state="failed", remedy="install 'torch'")
    redis_client = connect_redis(config.redis_url)
    ProblemReports(redis_client).report("stream", "w1", elsewhere.list())
    redis_client.close()
    GUARD.problems.note("plugin1", "lost facts", "3 facts were not delivered")
    (shown,) = client.get("/api/v1/plugins").json
    assert (shown["state"], shown["remedy"]) == ("failed", "install 'torch'")
    assert [(one["process"], one["state"]) for one in shown["problems"]] == [
        ("stream", "failed"),
        ("this process", "degraded"),
    ]
    health = client.get("/api/v1/health").json["components"]["plugins"]
    assert health["status"] == "degraded"


@pytest.mark.parametrize("ends", [fail, lambda: sys.exit(3)])
def test_a_view_that_fails_is_answered_with_the_plugin_in_the_log(open_client, ends, caplog):
    answer = open_client(Plugin(view_that(ends))).get("/api/v1/strange")
    assert (answer.status_code, answer.json["reason"]) == (500, "internal_error")
    assert "plugin 'plugin1' failed at GET strange.strange" in caplog.text


def test_a_plugin_that_is_set_aside_is_not_called(open_client, monkeypatch):
    client = open_client(Plugin(view_that(fail), check=fail))
    monkeypatch.setattr(GUARD, "aside", lambda plugin: Aside(0, "web", "a view", 3))
    answer = client.get("/api/v1/strange")
    assert (answer.status_code, answer.json["reason"]) == (503, "plugin_failed")
    strange = client.get("/api/v1/health").json["components"]["strange"]
    assert strange["reason"] == "plugin 'plugin1' is set aside: it ended 3 processes, the last in 'a view' (web)"


def test_a_blueprint_that_cannot_be_registered_sets_its_plugin_aside_alone(open_client):
    client = open_client(Plugin(view_that(dict)), Plugin(view_that(dict)), Plugin("no blueprint"))
    states = {one["name"]: one["state"] for one in client.get("/api/v1/plugins").json}
    assert sorted(states.values()) == ["failed", "failed", "running"]
    assert client.get("/api/v1/strange").status_code == 200


@pytest.mark.parametrize(
    ("check", "status"),
    [
        (fail, "down"),
        (lambda: sys.exit(3), "down"),
        (lambda: None, "down"),
        (lambda: ComponentHealth("fine"), "down"),
        (lambda: ComponentHealth("ok", detail={"a": object()}), "down"),
        (lambda: ComponentHealth("ok"), "ok"),
    ],
)
def test_a_health_check_of_a_plugin_that_fails_is_down(open_client, check, status):
    components = open_client(Plugin(check=check)).get("/api/v1/health").json["components"]
    assert components["strange"]["status"] == status
    assert components["database"]["status"] == "ok"
