"""The context of a plugin: its options, events, jobs, folder and secrets, in one process.

Every hook implementation may take it by the argument name `plugin`. The parts are interfaces here;
`gateway/plugin_loading.py` builds those of a running product.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.config import Config
from gateway.outputs import DeviceContext


class Options(Protocol):
    """The plugin's options, validated by its schemas (`register_options`), with opened secrets.

    Reading is cheap: values are kept until they change, which every process notices within two seconds. A stored value
    that does not fit the schema is left out. Raises `gateway.database.DatabaseUnavailable` if nothing was read yet, and
    PluginError if the plugin has no options or its schemas cannot be used.
    """

    def installation(self, tenant_id: str = ...) -> Mapping[str, Any]:
        """The options of the installation, with defaults, including those that devices may override; None without."""

    def device(self, device_id: str) -> Mapping[str, Any]:
        """The effective options of a device: its own, otherwise those of its tags, otherwise the installation's.

        Raises NotFound.
        """

    def devices(self) -> dict[str, Mapping[str, Any]]:
        """The effective options of all enabled devices, by their ids."""

    def switches(self, role: str) -> dict[str, bool]:
        """Whether the switches of a role, options of any plugin, are on, by the ids of enabled devices."""

    def turn(self, role: str, scope: Any, device_id: str, *, is_on: bool, by_name: str) -> int:
        """Turn the switches of a role for one device; returns their number. Raises NotFound."""


class Events(Protocol):
    """Events of devices that the plugin records. They appear on the timeline, in `/events` and in `on_event`."""

    def record(
        self,
        device_id: str,
        kind: str,
        *,
        start_ms: int,
        end_ms: int | None = None,
        label: str | None = None,
        zone: str | None = None,
        score: float | None = None,
        text: str = "",
        snapshot_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> int:
        """Store an event and announce it; returns its id. `end_ms` None: it goes on. Times: ms since 1970, UTC."""

    def change(self, event_id: int, **fields: Any) -> None:
        """Change fields of an event of this plugin, such as `end_ms`, and announce it. Raises NotFound."""

    def show(self, device_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Send a passing fact, such as boxes of the present picture, to those who listen now; it is not stored."""


class Jobs(Protocol):
    """Jobs of the plugin's kinds (`register_jobs`)."""

    def create(
        self, kind: str, parameters: Mapping[str, Any], *, device_id: str | None = None, tenant_id: str | None = None
    ) -> str:
        """Create a queued job, which belongs to the tenant of its device; returns its id. Raises NotFound."""


class Secrets(Protocol):
    """Encryption at rest, bound to the plugin and a name of its own."""

    def seal(self, text: str, name: str) -> str:
        """Encrypt a text."""

    def open(self, sealed: str, name: str) -> str:
        """Decrypt a text that was sealed for `name`. Raises SealBroken."""


@dataclass(slots=True)
class PluginParts:
    """The parts of a plugin's context in a running product."""

    options: Options
    events: Events
    jobs: Jobs
    secrets: Secrets
    folder: Callable[[], Path]
    devices: Callable[[], list[DeviceContext]]


class PluginContext:
    """What one plugin may use in one process. `collect` returns what other plugins register for a hook of yours."""

    name: str
    config: Config
    collect: Callable[..., list[Any]]

    def __init__(
        self,
        name: str,
        config: Config,
        build: Callable[["PluginContext"], PluginParts],
        collect: Callable[..., list[Any]],
    ) -> None:
        self.name = name
        self.config = config
        self.collect = collect
        self._build = build
        self._parts: PluginParts | None = None

    @property
    def options(self) -> Options:
        return self._use().options

    @property
    def events(self) -> Events:
        return self._use().events

    @property
    def jobs(self) -> Jobs:
        return self._use().jobs

    @property
    def secrets(self) -> Secrets:
        return self._use().secrets

    @property
    def folder(self) -> Path:
        """A folder of the plugin's own on this machine, created at its first use for the service user alone."""
        return self._use().folder()

    def devices(self) -> list[DeviceContext]:
        """All enabled devices."""
        return self._use().devices()

    def _use(self) -> PluginParts:
        if self._parts is None:
            self._parts = self._build(self)
        return self._parts

    def __repr__(self) -> str:
        return f"<PluginContext {self.name}>"
