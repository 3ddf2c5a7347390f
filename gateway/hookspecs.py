"""Every hook that a plugin can implement. The reference for authors is plugins/README.md.

Two families: `register_*` hooks return objects, and an exception sets the plugin aside; `on_*` hooks report a fact,
return nothing, and cannot affect the stream: they run in the `plugins` worker, in the order of the facts. `plugin` is
the context of the plugin that is called; an implementation may leave out every argument that it does not need.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from gateway.archives import Archive
from gateway.config import Config
from gateway.detectors import Detector
from gateway.media import BookmarkFact, ClipFact, EventFact, SegmentFact, SnapshotFact
from gateway.outputs import ConsumerContext, ConsumerOutput, DirectOutput, OutputContext
from gateway.plugin_context import PluginContext
from gateway.plugin_surface import Metric, Panel
from gateway.plugin_tasks import PluginJob, PluginMigration, PluginSchedule, PluginService
from gateway.sources.source import Source, SourceContext

if TYPE_CHECKING:
    import marshmallow
    from flask_smorest import Blueprint

#: The name of our pluggy project: `from gateway.plugin_api import hookimpl`.
PROJECT = "vas"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

T = TypeVar("T", bound=Callable[..., Any])


def in_process(function: T) -> T:
    """Mark an implementation of an `on_*` hook that must run in the process where the fact happens.

    It runs in a thread of its plugin's own there. Use it only if the hook needs an object of that process: code that
    ends its process ends what else runs there. On a hook of `Hooks`: all of its implementations run so.
    """
    function.runs_in_process = True
    return function


def runs_in_process(implementation: pluggy.HookImpl, specification: Any) -> bool:
    """Whether an implementation is to be called in the process where the fact happens."""
    marked = getattr(implementation.function, "runs_in_process", False)
    return marked or getattr(getattr(specification, "function", None), "runs_in_process", False)


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """The state of one component: `ok`, `degraded` or `down`, with reason and remedy where it is not ok."""

    status: str
    reason: str | None = None
    remedy: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A named check. `check` must return within two seconds; an exception counts as `down`."""

    name: str
    check: Callable[[], ComponentHealth]


@dataclass(frozen=True, slots=True)
class OptionSchemas:
    """The schemas of a plugin's options: classes of marshmallow schemas, for the installation and for each device.

    The options of devices can also be set for the installation and for tags, so no name may be in both schemas. The
    metadata of a field: `title`, `description`, `unit`, `secret` (encrypted, never shown), `kind` (part of the form).
    """

    installation: "type[marshmallow.Schema] | None" = None
    device: "type[marshmallow.Schema] | None" = None


class Hooks:
    """The hooks, in the order in which they are called for a stream."""

    @hookspec
    def register_options(self, plugin: PluginContext) -> list[OptionSchemas]:
        """Return one OptionSchemas, whose values `plugin.options` reads; called in each process that uses them."""

    @hookspec
    def register_sources(self, context: SourceContext, plugin: PluginContext) -> list[Source]:
        """Return sources for schemes of source URLs; called once in each web, stream worker and jobs worker process."""

    @hookspec
    def register_direct_outputs(self, context: OutputContext, plugin: PluginContext) -> list[DirectOutput]:
        """Return outputs of the ingest FFmpeg; called once in each stream worker process."""

    @hookspec
    def register_consumer_outputs(self, context: ConsumerContext, plugin: PluginContext) -> list[ConsumerOutput]:
        """Return outputs that read the media bus; called once in each process that runs or starts them."""

    @hookspec
    def register_archives(self, plugin: PluginContext) -> list[Archive]:
        """Return stores of copies of footage; called once in each process that reads or deletes footage.

        Nothing may connect here: an archive that is away must not keep a process from starting.
        """

    @hookspec
    def register_detectors(self, plugin: PluginContext) -> list[Detector]:
        """Return detectors of objects in pictures; called in each process that analyses pictures."""

    @hookspec
    def register_blueprints(self, config: Config, plugin: PluginContext) -> "list[Blueprint]":
        """Return resources of the REST API (`gateway.api.base.Blueprint`); called once in each web process."""

    @hookspec
    def register_health_checks(self, config: Config, plugin: PluginContext) -> list[HealthCheck]:
        """Return checks of components, which `/api/v1/health` and `vas doctor` show."""

    @hookspec
    def register_metrics(self, plugin: PluginContext) -> list[Metric]:
        """Return figures for monitoring, which `/api/v1/metrics` shows; called once in each web process."""

    @hookspec
    def register_panels(self, plugin: PluginContext) -> list[Panel]:
        """Return parts of pages of the UI, each an ES module; called once in each web process."""

    @hookspec
    def register_migrations(self, plugin: PluginContext) -> list[PluginMigration]:
        """Return the migrations of the plugin's own tables, which `vas release` runs."""

    @hookspec
    def register_jobs(self, plugin: PluginContext) -> list[PluginJob]:
        """Return kinds of jobs, which the plugins worker runs."""

    @hookspec
    def register_schedules(self, plugin: PluginContext) -> list[PluginSchedule]:
        """Return periodic work, which the plugins worker runs."""

    @hookspec
    def register_services(self, plugin: PluginContext) -> list[PluginService]:
        """Return work that runs all the time, each in a process of its own below the plugins worker."""

    @hookspec
    @in_process
    def on_options(self, device_id: str | None, plugin: PluginContext) -> None:
        """The plugin's options changed: those of a device, or, for None, of the installation or of tags.

        Called within two seconds in every process that runs outputs or services; `plugin.options` has the new values.
        """

    @hookspec
    def on_stream_state(self, device_id: str, state: str, reason: str | None, plugin: PluginContext) -> None:
        """A stream's observed state was written, or its device was deleted.

        `state` is a value of gateway.states.StreamState, `reason` a code of gateway.states.REASONS or None. The state
        `stopped` is not reported if the clock process writes it, for a stream without an owner. The stream of a deleted
        device ends as `stopped` with the reason `device_deleted`.
        """

    @hookspec
    def on_segment(self, device_id: str, segment: SegmentFact, plugin: PluginContext) -> None:
        """A file of footage is complete and durable, and its row is written.

        Files closed, repaired or
        adopted by reconciliation are not reported (they may be thousands, long after the recording), nor is a file
        whose recorder is killed right after it wrote the row. A plugin that needs every file must also read the index
        from time to time.
        """

    @hookspec
    def on_snapshot(self, device_id: str, snapshot: SnapshotFact, plugin: PluginContext) -> None:
        """A snapshot is durable and its row is written."""

    @hookspec
    def on_bookmark(self, device_id: str, bookmark: BookmarkFact, plugin: PluginContext) -> None:
        """A bookmark was created, changed, deleted or restored."""

    @hookspec
    def on_clip(self, device_id: str, clip: ClipFact, plugin: PluginContext) -> None:
        """The clip of a bookmark is ready, or has failed finally."""

    @hookspec
    def on_event(self, event: EventFact, plugin: PluginContext) -> None:
        """An event of a device, a job or the service was recorded or changed; `event.change` says which.

        Reported a moment after the commit, whichever process wrote the event. What is written while no plugins worker
        runs is not reported: a plugin that needs every event follows the table with
        `gateway.events.following.Follower`.
        """
