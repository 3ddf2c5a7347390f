"""The sources of a process by their schemes: RTSP, and those of plugins."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gateway.errors import PluginError
from gateway.sources.source import AddressSource, SessionSource, Source

#: The schemes that are built in, with their default ports.
RTSP_PORTS: Mapping[str, int] = MappingProxyType({"rtsp": 554, "rtsps": 322})

#: A scheme (RFC 3986), bounded.
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,19}")


class SourceRegistry:
    """Finds the source of a scheme. `ports`: the default ports of all schemes."""

    def __init__(self, sources: Iterable[tuple[str, Source]] = ()) -> None:
        """`sources`: those of plugins, each with its plugin's name. Raises PluginError, which names the plugin."""
        self.ports: Mapping[str, int] = dict(RTSP_PORTS)
        self._found: dict[str, tuple[str, Source]] = {}
        for name, source in sources:
            for scheme, port in _read_schemes(name, source).items():
                if scheme in RTSP_PORTS:
                    raise PluginError(f"plugin '{name}' must not register the scheme '{scheme}', which is built in")
                if scheme in self._found:
                    other = self._found[scheme][0]
                    raise PluginError(
                        f"plugins '{other}' and '{name}' both register the scheme '{scheme}': "
                        "only one of them may be installed"
                    )
                self._found[scheme] = name, source
                self.ports[scheme] = port

    def find(self, scheme: str) -> tuple[str, Source] | None:
        """The plugin's name and the source of a scheme; None for RTSP, and for a scheme that nobody registered."""
        return self._found.get(scheme)

    def port_of(self, scheme: str, port: int | None) -> int | None:
        """The port at which a camera listens, by the scheme and port of its URL; None if its host is no camera's."""
        _, source = self._found.get(scheme, ("", None))
        return None if isinstance(source, AddressSource) else port or self.ports.get(scheme)


def _read_schemes(name: str, source: Source) -> dict[str, int]:
    """The schemes of a source with their ports."""
    if not isinstance(source, SessionSource | AddressSource):
        raise PluginError(
            f"plugin '{name}' must return SessionSource or AddressSource objects from register_sources, "
            f"not {type(source).__name__}"
        )
    schemes, ports = getattr(source, "schemes", None), getattr(source, "default_ports", None)
    if not isinstance(schemes, tuple) or not schemes or not isinstance(ports, Mapping):
        raise PluginError(f"a source of plugin '{name}' must have 'schemes' (a tuple) and 'default_ports' (a mapping)")
    found = {}
    for scheme in schemes:
        if not isinstance(scheme, str) or not SCHEME.fullmatch(scheme):
            raise PluginError(
                f"plugin '{name}' registers the scheme {str(scheme)[:60]!r}, which must have 1 to 20 lower-case "
                "letters, digits, '+', '.' and '-', and begin with a letter"
            )
        port = ports.get(scheme)
        if type(port) is not int or not 1 <= port <= 65535:
            raise PluginError(f"plugin '{name}' must give the scheme '{scheme}' a default port from 1 to 65535")
        found[scheme] = port
    return found
