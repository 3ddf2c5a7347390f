"""Which schemes there are: those of RTSP and of plugins, each registered once, and refused otherwise."""

import re
import types

import pytest

from gateway.devices.login_budget import LoginBudget
from gateway.devices.sources import AddressNotAllowed, SourcePolicy, check_source, parse_source
from gateway.errors import InvalidValue
from gateway.hookspecs import hookimpl
from gateway.plugin_manager import PluginManager, collect_sources
from gateway.redis_client import connect_redis
from gateway.sources.registry import SourceRegistry
from gateway.sources.source import AddressSource, SessionSource, Source
from tests.factories import make_config


class Cloud(AddressSource):
    schemes = ("cloudcam",)
    default_ports = {"cloudcam": 443}  # noqa: RUF012 - it is read only

    async def resolve(self, target):
        return "rtsp://10.0.0.1/"


class Pictures(SessionSource):
    schemes = ("http", "https")
    default_ports = {"http": 80, "https": 443}  # noqa: RUF012 - it is read only

    def open(self, target, follow):
        raise NotImplementedError


def sources_of(**plugins: object) -> SourceRegistry:
    """The registry with plugins that return these from register_sources."""
    manager = PluginManager()
    for name, found in plugins.items():
        plugin = types.SimpleNamespace(register_sources=hookimpl(lambda context, found=found: found))
        manager.register(plugin, name=name)
    return collect_sources(manager, make_config())


def changed(**values: object) -> Source:
    return type("Changed", (Pictures,), values)()


def test_the_schemes_of_plugins_are_found_beside_those_of_rtsp():
    registry = sources_of(cloud=[Cloud()], pictures=[Pictures()])
    assert dict(registry.ports) == {"rtsp": 554, "rtsps": 322, "cloudcam": 443, "http": 80, "https": 443}
    assert registry.find("https")[0] == "pictures"
    assert registry.find("rtsp") is None
    assert registry.find("gopher") is None


@pytest.mark.parametrize(
    ("plugins", "words"),
    [
        ({"one": [Pictures()], "two": [Pictures()]}, "both register the scheme 'http"),
        ({"one": [changed(schemes=("rtsp",), default_ports={"rtsp": 1})]}, "plugin 'one' .* built in"),
        ({"one": [object()]}, "plugin 'one' must return SessionSource or AddressSource"),
        ({"one": [Pictures]}, "plugin 'one' must return SessionSource"),
        ({"one": None}, "plugin 'one' must return a list"),
        ({"one": [changed(schemes="http")]}, "plugin 'one' must have 'schemes'"),
        ({"one": [changed(schemes=())]}, "plugin 'one' must have 'schemes'"),
        ({"one": [changed(default_ports=None)]}, "plugin 'one' must have 'schemes'"),
        ({"one": [changed(schemes=("HTTP",))]}, "plugin 'one' registers the scheme 'HTTP'"),
        ({"one": [changed(schemes=("a://b",))]}, "plugin 'one' registers the scheme"),
        ({"one": [changed(schemes=("x" * 1000,))]}, "1 to 20 lower-case"),
        ({"one": [changed(schemes=(7,))]}, "plugin 'one' registers the scheme"),
        ({"one": [changed(default_ports={"http": 80})]}, "the scheme 'https' a default port"),
        ({"one": [changed(default_ports={"http": 0, "https": 1})]}, "the scheme 'http' a default port"),
        ({"one": [changed(default_ports={"http": True, "https": 1})]}, "the scheme 'http' a default port"),
    ],
)
def test_a_plugin_with_wrong_sources_is_set_aside_by_name(plugins, words, caplog):
    registry = sources_of(**plugins, good=[Cloud()])
    text = words.removeprefix("plugin 'one' ")
    assert re.search(f"plugin '(one|two)' does not run: .*{text}", caplog.text)
    assert registry.find("cloudcam")[0] == "good"


def test_a_scheme_that_nobody_registered_is_refused_and_those_that_are_named():
    policy = SourcePolicy(ports=sources_of(pictures=[Pictures()]).ports)
    with pytest.raises(InvalidValue, match="must start with http://, https://, rtsp:// or rtsps://"):
        check_source("ftp://10.0.0.1/x", policy)
    with pytest.raises(InvalidValue, match="must start with rtsp:// or rtsps://"):
        check_source("http://10.0.0.1/x", SourcePolicy())


def test_the_policy_for_addresses_holds_for_every_scheme():
    policy = SourcePolicy(ports=sources_of(pictures=[Pictures()]).ports)
    assert check_source("HTTP://10.0.0.1/x?http", policy).url == "http://10.0.0.1/x?http"
    for host in ("127.0.0.1", "169.254.169.254", "2130706433", "localhost", "metadata.google.internal"):
        with pytest.raises(AddressNotAllowed):
            check_source(f"http://{host}/x", policy)


def test_what_was_saved_with_a_plugin_is_parsed_without_it():
    source = parse_source("cloudcam://user:pass@door/1")
    assert (source.scheme, source.host, source.credentials) == ("cloudcam", "door", ("user", "pass"))
    assert LoginBudget(connect_redis("redis://127.0.0.1:1"), "s").check(source) is None


def test_a_host_that_is_no_cameras_is_not_looked_for():
    registry = sources_of(cloud=[Cloud()], pictures=[Pictures()])
    assert registry.port_of("cloudcam", None) is None
    assert registry.port_of("http", None) == 80
    assert registry.port_of("http", 8080) == 8080
    assert registry.port_of("gone", None) is None
