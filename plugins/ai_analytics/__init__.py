"""Analysis of pictures: motion, and objects by detectors, as events with boxes."""

from datetime import timedelta
from pathlib import Path

from gateway.plugin_api import (
    DEVICE,
    Config,
    ConsumerContext,
    ConsumerOutput,
    Detector,
    HealthCheck,
    Metric,
    OptionSchemas,
    Panel,
    PluginContext,
    PluginMigration,
    PluginSchedule,
    hookimpl,
    utc_now,
)
from plugins.ai_analytics.migrations import MIGRATIONS

_PRUNE_SECONDS = 3600.0


@hookimpl
def register_options() -> list[OptionSchemas]:
    """Options of the installation and of each device."""
    from plugins.ai_analytics.option_schemas import DeviceOptionsSchema, InstallationOptions

    return [OptionSchemas(installation=InstallationOptions, device=DeviceOptionsSchema)]


@hookimpl
def register_migrations() -> list[PluginMigration]:
    """The table of boxes."""
    return MIGRATIONS


@hookimpl
def register_schedules(plugin: PluginContext) -> list[PluginSchedule]:
    """Boxes are deleted with their events."""
    return [PluginSchedule("prune", _PRUNE_SECONDS, lambda: prune(plugin.config))]


@hookimpl
def register_consumer_outputs(context: ConsumerContext, plugin: PluginContext) -> list[ConsumerOutput]:
    """One analysis for all devices of the process."""
    from plugins.ai_analytics.output import AnalyticsOutput

    return [AnalyticsOutput(context, plugin)]


@hookimpl
def register_detectors(plugin: PluginContext) -> list[Detector]:
    """The detectors `objects` and `http`."""
    from plugins.ai_analytics.detectors import build_detectors

    return build_detectors(plugin.config)


@hookimpl
def register_blueprints(config: Config) -> list:
    """`/detections`: search, boxes, and the state of the analysis."""
    from plugins.ai_analytics.routes import build_blueprint

    return [build_blueprint(config)]


@hookimpl
def register_health_checks(config: Config) -> list[HealthCheck]:
    """Whether detectors work and pictures are analysed."""
    from plugins.ai_analytics.health import build_health_check

    return [build_health_check(config)]


@hookimpl
def register_metrics(plugin: PluginContext) -> list[Metric]:
    """Pictures that are analysed, and those that should be."""
    from plugins.ai_analytics.metrics import build_metrics

    return build_metrics(plugin.config)


@hookimpl
def register_panels() -> list[Panel]:
    """The analysis of a device on its page."""
    return [Panel("analysis", "Picture analysis", DEVICE, Path(__file__).parent / "panels" / "analysis.js")]


def prune(config: Config) -> None:
    """Delete boxes as old as events that are deleted."""
    from plugins.ai_analytics.model import prune_boxes

    before = utc_now() - timedelta(days=config.event_days)
    while prune_boxes(before):
        continue
