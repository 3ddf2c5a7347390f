"""Every hook that a plugin can implement. The reference for authors is plugins/README.md.

Two families: `register_*` hooks return objects, and an exception stops the process; `on_*` hooks report a fact, return
nothing, and cannot affect the stream (`plugin_manager.notify` calls each implementation on its own).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pluggy

from gateway.config import Config
from gateway.media import BookmarkFact, ClipFact, SegmentFact, SnapshotFact
from gateway.outputs import ConsumerContext, ConsumerOutput, DirectOutput, OutputContext
from gateway.sources.source import Source, SourceContext

if TYPE_CHECKING:
    from flask_smorest import Blueprint

#: The name of our pluggy project: `from gateway.hookspecs import hookimpl`.
PROJECT = "vas"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


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


class Hooks:
    """The hooks, in the order in which they are called for a stream."""

    @hookspec
    def register_sources(self, context: SourceContext) -> list[Source]:
        """Return sources for schemes of source URLs; called once in each web, stream worker and jobs worker process."""

    @hookspec
    def register_direct_outputs(self, context: OutputContext) -> list[DirectOutput]:
        """Return outputs of the ingest FFmpeg; called once in each stream worker process."""

    @hookspec
    def register_consumer_outputs(self, context: ConsumerContext) -> list[ConsumerOutput]:
        """Return outputs that read the media bus; called once in each record worker and in the clock process."""

    @hookspec
    def register_blueprints(self, config: Config) -> "list[Blueprint]":
        """Return resources of the REST API (`gateway.api.base.Blueprint`); called once in each web process."""

    @hookspec
    def register_health_checks(self, config: Config) -> list[HealthCheck]:
        """Return checks of components, which `/api/v1/health` and `vas doctor` show."""

    @hookspec
    def on_stream_state(self, device_id: str, state: str, reason: str | None) -> None:
        """A stream's observed state was written, or its device was deleted; called in the stream worker that owns it.

        `state` is a value of gateway.states.StreamState, `reason` a code of gateway.states.REASONS or None. The state
        `stopped` is not reported if the clock process writes it, for a stream without an owner. The stream of a deleted
        device ends as `stopped` with the reason `device_deleted`.
        """

    @hookspec
    def on_segment(self, device_id: str, segment: SegmentFact) -> None:
        """A file of footage is complete and durable, and its row is written; called in the record worker.

        It is called in the recorder's thread: hand slow work over to a thread or queue. Files closed, repaired or
        adopted by reconciliation are not reported (they may be thousands, long after the recording), nor is a file
        whose recorder is killed right after it wrote the row. A plugin that needs every file must also read the index
        from time to time.
        """

    @hookspec
    def on_snapshot(self, device_id: str, snapshot: SnapshotFact) -> None:
        """A snapshot is durable and its row is written; called in the snapshot or jobs worker that took it."""

    @hookspec
    def on_bookmark(self, device_id: str, bookmark: BookmarkFact) -> None:
        """A bookmark was created, changed, deleted or restored; called in the web process that did it."""

    @hookspec
    def on_clip(self, device_id: str, clip: ClipFact) -> None:
        """The clip of a bookmark is ready, or has failed finally; called in the worker that made it."""
