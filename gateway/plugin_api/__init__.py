"""All that a plugin imports of VAS: the names here, those of `database`, and in its routes those of `web`.

What these names promise, and how they may change, is in plugins/README.md; a contract test holds it. Names that need
larger libraries, such as those of tables and options, are imported at their first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gateway import __version__ as VAS_VERSION  # noqa: N812 (a constant)
from gateway.archives import COPYING, Archive, ArchiveFailure, ArchiveUnavailable, ArchiveWork, ObservedArchive
from gateway.clock import DAY_MS, Clock, SystemClock, format_time, to_ms, utc_now
from gateway.config import Config
from gateway.detectors import Detection, Detector, DetectorSession, Frame
from gateway.errors import (
    Conflict,
    InvalidValue,
    JobFailed,
    LeaseLost,
    NotFound,
    PluginError,
    Unavailable,
    VasError,
    VersionChanged,
)
from gateway.hookspecs import ComponentHealth, HealthCheck, OptionSchemas, hookimpl, in_process
from gateway.media import (
    AudioInfo,
    BookmarkFact,
    ClipFact,
    EventFact,
    Part,
    Position,
    SegmentFact,
    SnapshotFact,
    SourceInfo,
    SubPicture,
    SubPictures,
    TrackInfo,
    VideoInfo,
)
from gateway.outputs import (
    MAIN_INPUT,
    RECORDER,
    ConsumerContext,
    ConsumerOutput,
    Consumption,
    Demand,
    DeviceContext,
    DirectOutput,
    OutputArguments,
    OutputContext,
    OutputMode,
    PacketTaker,
    PipelineInputs,
)
from gateway.plugin_context import Events, Jobs, Options, PluginContext, Secrets
from gateway.plugin_surface import COUNTER, DEVICE, GAUGE, SYSTEM, Metric, MetricValue, Panel
from gateway.plugin_tasks import (
    JobAttempt,
    JobContext,
    PluginJob,
    PluginMigration,
    PluginSchedule,
    PluginService,
    RunStatement,
)
from gateway.plugin_version import API_VERSION
from gateway.sources.camera_text import clean_camera_text
from gateway.sources.login import Login
from gateway.sources.source import (
    AddressSource,
    Follow,
    SessionSource,
    Source,
    SourceContext,
    SourceReceiver,
    SourceSession,
    SourceTarget,
    open_streams,
)
from gateway.sources.tls import TlsTrust
from gateway.sources.tracks import AUDIO, VIDEO, CodecData, Description, SourceError, TrackDescription
from gateway.states import REASONS, DesiredState, StreamState, reason_for

if TYPE_CHECKING:
    from gateway.archive.interface import (
        ArchivableSegment,
        Backlog,
        FileChecksums,
        assign_devices,
        mark_archived,
        pending_segments,
        read_backlog,
        remove_object,
    )
    from gateway.database import DatabaseUnavailable
    from gateway.events.following import Follower, newest_cursor
    from gateway.events.model import Event
    from gateway.fields import Choice, Count, Flag, ShortList, Text
    from gateway.plugin_api import database
    from gateway.plugin_api.decoding import PartDecoder, decode_parts
    from gateway.plugin_options.fields import Duration, Secret, TimeWindow
    from gateway.redis_client import Outage, RedisErrorsAs, connect_redis
    from gateway.secrets import SealBroken
    from gateway.storage.interface import Storage, StorageFull, StorageUnavailable
    from gateway.storage.local import open_storage
    from gateway.tenancy.scopes import EVERY_TENANT, EveryTenantScope, IdField, TenantRow, TenantScope, TimeField
    from gateway.tenancy.tenants import DEFAULT_TENANT_ID

__all__ = [  # noqa: RUF022 (in groups)
    # The contract, and the context that hook implementations take as `plugin`
    "API_VERSION",
    "VAS_VERSION",
    "hookimpl",
    "in_process",
    "PluginContext",
    "Config",
    "Events",
    "Jobs",
    "Options",
    "Secrets",
    "SealBroken",
    # Options (register_options)
    "OptionSchemas",
    "Choice",
    "Count",
    "Duration",
    "Flag",
    "Secret",
    "ShortList",
    "Text",
    "TimeWindow",
    # Outputs (register_consumer_outputs, register_direct_outputs)
    "ConsumerContext",
    "ConsumerOutput",
    "Consumption",
    "DeviceContext",
    "DirectOutput",
    "Demand",
    "MAIN_INPUT",
    "OutputArguments",
    "OutputContext",
    "OutputMode",
    "PacketTaker",
    "PipelineInputs",
    "RECORDER",
    # What people and monitoring see (register_metrics, register_panels)
    "Metric",
    "MetricValue",
    "COUNTER",
    "GAUGE",
    "Panel",
    "DEVICE",
    "SYSTEM",
    # Media
    "AudioInfo",
    "Part",
    "Position",
    "SourceInfo",
    "SubPicture",
    "SubPictures",
    "TrackInfo",
    "VideoInfo",
    "PartDecoder",
    "decode_parts",
    # Facts (on_… hooks), states and events
    "BookmarkFact",
    "ClipFact",
    "EventFact",
    "SegmentFact",
    "SnapshotFact",
    "DesiredState",
    "StreamState",
    "REASONS",
    "reason_for",
    "Event",
    "Follower",
    "newest_cursor",
    # Health (register_health_checks)
    "ComponentHealth",
    "HealthCheck",
    # Work (register_jobs, register_schedules, register_services)
    "JobAttempt",
    "JobContext",
    "PluginJob",
    "PluginSchedule",
    "PluginService",
    # Tables of the plugin's own (register_migrations)
    "PluginMigration",
    "RunStatement",
    "database",
    "DatabaseUnavailable",
    "DEFAULT_TENANT_ID",
    "EVERY_TENANT",
    "EveryTenantScope",
    "IdField",
    "TenantRow",
    "TenantScope",
    "TimeField",
    # Sources of video (register_sources)
    "AUDIO",
    "VIDEO",
    "AddressSource",
    "CodecData",
    "Description",
    "Follow",
    "Login",
    "SessionSource",
    "Source",
    "SourceContext",
    "SourceError",
    "SourceReceiver",
    "SourceSession",
    "SourceTarget",
    "TlsTrust",
    "TrackDescription",
    "clean_camera_text",
    "open_streams",
    # Footage and archives (register_archives)
    "ArchivableSegment",
    "Archive",
    "ArchiveFailure",
    "ArchiveUnavailable",
    "ArchiveWork",
    "COPYING",
    "ObservedArchive",
    "Backlog",
    "FileChecksums",
    "Storage",
    "StorageFull",
    "StorageUnavailable",
    "assign_devices",
    "mark_archived",
    "open_storage",
    "pending_segments",
    "read_backlog",
    "remove_object",
    # Detectors (register_detectors)
    "Detection",
    "Detector",
    "DetectorSession",
    "Frame",
    # Time
    "Clock",
    "DAY_MS",
    "SystemClock",
    "format_time",
    "to_ms",
    "utc_now",
    # Services
    "Outage",
    "RedisErrorsAs",
    "connect_redis",
    # Errors
    "Conflict",
    "InvalidValue",
    "JobFailed",
    "LeaseLost",
    "NotFound",
    "PluginError",
    "Unavailable",
    "VasError",
    "VersionChanged",
]

#: Names that are imported at their first use, by module: they need the database's or the schemas' library, or PyAV.
LATE = {
    "gateway.archive.interface": (
        "ArchivableSegment",
        "Backlog",
        "FileChecksums",
        "assign_devices",
        "mark_archived",
        "pending_segments",
        "read_backlog",
        "remove_object",
    ),
    "gateway.database": ("DatabaseUnavailable",),
    "gateway.events.following": ("Follower", "newest_cursor"),
    "gateway.events.model": ("Event",),
    "gateway.fields": ("Choice", "Count", "Flag", "ShortList", "Text"),
    "gateway.plugin_api.decoding": ("PartDecoder", "decode_parts"),
    "gateway.plugin_options.fields": ("Duration", "Secret", "TimeWindow"),
    "gateway.redis_client": ("Outage", "RedisErrorsAs", "connect_redis"),
    "gateway.secrets": ("SealBroken",),
    "gateway.storage.interface": ("Storage", "StorageFull", "StorageUnavailable"),
    "gateway.storage.local": ("open_storage",),
    "gateway.tenancy.scopes": (
        "EVERY_TENANT",
        "EveryTenantScope",
        "IdField",
        "TenantRow",
        "TenantScope",
        "TimeField",
    ),
    "gateway.tenancy.tenants": ("DEFAULT_TENANT_ID",),
}
_MODULE_OF = {name: module for module, names in LATE.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "database":
        return import_module("gateway.plugin_api.database")
    if name not in _MODULE_OF:
        raise AttributeError(f"'gateway.plugin_api' has no name '{name}': plugins/README.md lists them")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
