"""PluginTrial: one plugin in a product without processes, whose database is a file in a temporary folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from gateway import database
from gateway.app import create_app
from gateway.archives import Archive
from gateway.config import Config
from gateway.detectors import Detector
from gateway.errors import PluginError
from gateway.events.model import Event
from gateway.hookspecs import ComponentHealth
from gateway.inventory import DeviceValues, create_device
from gateway.media import EventFact, SourceInfo
from gateway.outputs import ConsumerOutput, DeviceContext, DirectOutput, OutputArguments
from gateway.plugin_manager import collect_health_checks, collect_named
from gateway.plugin_options.editing import OptionsEditor
from gateway.plugin_options.reader import options_cache_of
from gateway.plugin_options.registry import registry_of
from gateway.plugin_options.store import INSTALLATION, Place
from gateway.plugin_surface import Panel
from gateway.plugin_work.migrating import migrate_plugins
from gateway.plugin_work.registrations import read_registered
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import EVERY_TENANT, TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from gateway.testing.attachments import Attachment, TrialOutputs
from gateway.testing.clip import SOURCE
from gateway.testing.facts import TrialFacts
from gateway.testing.ground import TrialGround
from gateway.testing.work import TrialWork


class PluginTrial:
    """The plugin under test, loaded as the product does it, with real options, events, jobs, tables and routes.

    Times of video come from `clock`, which moves with what is fed. Exceptions of the plugin reach the test.
    """

    def __init__(self, entry_point: Any, config: Config) -> None:
        """`config` names a migrated SQLite database. Raises PluginError if the plugin cannot be loaded."""
        database.connect(config)
        self._ground = TrialGround(entry_point, config)
        self.config, self.clock = config, self._ground.clock
        self.name, self.manager, self.plugin = entry_point.name, self._ground.manager, self._ground.context
        self.scope = TenantScope(DEFAULT_TENANT_ID)
        self._box = SecretBox.from_config(config)
        self._client: FlaskClient | None = None
        if (fault := registry_of(self.manager).faults.get(self.name)) is not None:
            raise PluginError(f"plugin '{self.name}' has options that cannot be used: {fault}")
        self._migrate()
        self.facts = TrialFacts(self._ground, lambda: self.device.id)
        self._work = TrialWork(self.manager, self.plugin)
        self._outputs = TrialOutputs(self._ground)
        self.device = self.add_device("Camera 1")

    @property
    def notified(self) -> list[tuple[str, dict[str, Any]]]:
        """The facts that the plugin's outputs have reported by `notify` of their context: hook and arguments."""
        return self._outputs.notified

    def close(self) -> None:
        """Detach everything. May be called twice."""
        self._outputs.close()
        database.close()

    # ---- devices and options -----------------------------------------------------------------------------------

    def add_device(self, name: str, *, tags: tuple[str, ...] = ()) -> DeviceContext:
        """Another device; `trial.device` exists from the beginning."""
        values = DeviceValues(name=name, source_url="rtsp://192.0.2.1/stream", start_mode="manual", tags=tags)
        device = create_device(self.scope, values, self._box)
        options_cache_of(self.manager, self.config).refresh(always=True)
        return DeviceContext(device.id, device.tenant_id, device.name)

    def set_options(self, values: Mapping[str, Any], *, device_id: str | None = None, tag: str | None = None) -> None:
        """Set options of the installation, of a device or of a tag, as the API does, and call `on_options`.

        Options that were set at this place before and are not in `values` stay. Raises what the API answers with 422:
        marshmallow.ValidationError with `messages` by option.
        """
        level = "device" if device_id else "tag" if tag else "installation"
        forms = registry_of(self.manager).find(self.name, level)
        place = Place(self.name, device_id=device_id, tag=tag or INSTALLATION)
        editor = OptionsEditor(self.scope, self._box)
        before = editor.read(forms, place).values
        editor.replace(forms, place, {**before, **values})
        options_cache_of(self.manager, self.config).refresh(always=True)
        self.fact("on_options", is_optional=True, device_id=device_id)

    # ---- outputs -----------------------------------------------------------------------------------------------

    def consumer_outputs(self) -> list[ConsumerOutput]:
        """The outputs that the plugin registers for the media bus."""
        return self._outputs.consumers()

    def direct_outputs(self) -> list[DirectOutput]:
        """The outputs that the plugin registers for the stream worker."""
        return self._outputs.directs()

    def attach(self, device: DeviceContext | None = None, *, output: str | None = None) -> Attachment:
        """Attach the plugin's consumer output (`output` names it if there are several) to a device.

        Fails if the output does not want the device: a product would not attach it.
        """
        return self._outputs.attach(device or self.device, output)

    def attach_direct(
        self, device: DeviceContext | None = None, *, output: str | None = None, source: SourceInfo = SOURCE
    ) -> OutputArguments:
        """What the plugin's direct output needs for a device whose camera sends `source`."""
        return self._outputs.attach_direct(device or self.device, output, source)

    def feed(self, seconds: float = 2.0, *, moving: bool = True) -> None:
        """Feed so many seconds of real video to all attached outputs, in parts of half a second."""
        self._outputs.feed(seconds, moving=moving)

    def detach(self, reason: str = "worker_stopped") -> None:
        """End all attachments, for a code of gateway.states.REASONS."""
        self._outputs.detach(reason)

    # ---- facts, events, work -----------------------------------------------------------------------------------

    def fact(self, hook: str, *, is_optional: bool = False, **values: Any) -> None:
        """Call an `on_*` hook of the plugin. Fails if it does not implement the hook, unless that `is_optional`."""
        self._ground.call(hook, is_optional=is_optional, **values)

    @property
    def events(self) -> list[EventFact]:
        """The events that the plugin has recorded, oldest first, each as it is now."""
        with database.session():
            rows = EVERY_TENANT.select(Event).where(Event.plugin == self.name).order_by(Event.id)
            return [row.to_fact() for row in rows]

    def run_job(
        self, kind: str, *, device_id: str | None = None, cancel_at: int | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Run a job of the plugin now and return its result. `cancel_at`: the call of `check` that finds it cancelled.

        Raises JobFailed, and JobCancelled of this package. `trial.progress` has what the job reported.
        """
        return self._work.run_job(kind, parameters, device_id=device_id, cancel_at=cancel_at)

    def run_waiting_jobs(self) -> list[dict[str, Any]]:
        """Run the jobs that the plugin has created; returns their results."""
        return self._work.run_waiting()

    @property
    def progress(self) -> list[tuple[float, str]]:
        """Progress and stage that the last job reported."""
        return self._work.reports

    def run_schedule(self, name: str) -> Any:
        """One run of a schedule of the plugin."""
        return self._work.run_schedule(name)

    def run_service(self, name: str, until: Callable[[], object], *, seconds: float = 10.0) -> None:
        """Run a service of the plugin until `until()` returns something true, then stop it as the product does."""
        self._work.run_service(name, until, seconds)

    # ---- surface -----------------------------------------------------------------------------------------------

    @property
    def client(self) -> FlaskClient:
        """A client of the API with the plugin's routes: `trial.client.get("/api/v1/…")`, from Flask."""
        if self._client is None:
            app = create_app(self.config, self.manager)
            self._ground.require_running()
            self._client = app.test_client()
        return self._client

    def archives(self) -> list[Archive]:
        """The archives that the plugin registers."""
        return self._collect("register_archives")

    def detectors(self) -> list[Detector]:
        """The detectors that the plugin registers."""
        return self._collect("register_detectors")

    def panels(self) -> list[Panel]:
        """The panels that the plugin registers."""
        return self._collect("register_panels")

    def metrics(self) -> dict[str, Any]:
        """What the plugin's metrics read now, by name."""
        return {metric.name: metric.read() for metric in self._collect("register_metrics")}

    def health(self) -> dict[str, ComponentHealth]:
        """The answers of the plugin's health checks, by name."""
        found = {check.name: check.check() for check in collect_health_checks(self.manager, self.config)}
        self._ground.require_running()
        return found

    @property
    def folder(self) -> Path:
        """The plugin's folder."""
        return self.plugin.folder

    def _collect(self, hook: str, **arguments: Any) -> list[Any]:
        found = [one for _, one in collect_named(self.manager, hook, **arguments)]
        self._ground.require_running()
        return found

    def _migrate(self) -> None:
        read_registered.cache_clear()
        registered = read_registered(self.manager)
        if (own := registered.get(self.name)) is not None and own.problem:
            raise PluginError(own.problem)
        for report in migrate_plugins(registered):
            if report.failed:
                raise PluginError(report.failed)
