"""The panels of plugins: listed with their plugin, and served as modules that a page of ours may load."""

import pytest

from gateway import database
from gateway.app import create_app
from gateway.hookspecs import hookimpl
from gateway.plugin_surface import Panel
from tests.factories import no_plugins

TEXT = "export function mount(element) { element.textContent = 'ä'; }\n"


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "rates.js"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def client(config, module):
    class Plugin:
        """Has a panel."""

        @hookimpl
        def register_panels(self):
            return [Panel("rates", "Rates", "device", module)]

    manager = no_plugins()
    manager.register(Plugin(), name="door bell")
    yield create_app(config, manager).test_client()
    database.close()


def test_panels_are_listed_with_their_plugin(client):
    (plugin,) = client.get("/api/v1/plugins").json
    (panel,) = plugin["panels"]
    assert (panel["name"], panel["title"], panel["place"]) == ("rates", "Rates", "device")
    assert panel["url"].startswith("/api/v1/plugins/door%20bell/panels/rates.js?v=")
    assert client.get("/api/v1/plugins/door%20bell").json["panels"] == [panel]


def test_a_module_is_served_for_our_pages_and_revalidated(client, module):
    (plugin,) = client.get("/api/v1/plugins").json
    url = plugin["panels"][0]["url"]
    answer = client.get(url)
    assert (answer.status_code, answer.text) == (200, TEXT)
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    module.write_text("export const mount = null;\n")
    changed = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert changed.status_code == 200
    (plugin,) = client.get("/api/v1/plugins").json
    assert plugin["panels"][0]["url"] != url


@pytest.mark.parametrize(
    "path",
    [
        "door%20bell/panels/other.js",
        "other/panels/rates.js",
        "door%20bell/panels/..%2Frates.js",
        "door%20bell/panels/%2e%2e/rates.js",
        "door%20bell/panels/rates.js%00",
        "door%20bell/panels/rates",
    ],
)
def test_nothing_else_is_served(client, path):
    answer = client.get(f"/api/v1/plugins/{path}")
    assert (answer.status_code, answer.json["reason"]) == (404, "not_found")


def test_a_module_that_has_gone_is_named_and_the_list_goes_on(client, module):
    module.unlink()
    (plugin,) = client.get("/api/v1/plugins").json
    answer = client.get(plugin["panels"][0]["url"])
    assert (answer.status_code, answer.json["reason"]) == (503, "plugin_failed")
    assert str(module) not in answer.text
