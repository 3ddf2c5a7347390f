"""Footage, snapshots, clips and exports in S3-compatible storage: uploaded, verified, and read back from there."""

from typing import Any

from gateway.plugin_api import (
    Archive,
    Config,
    HealthCheck,
    Metric,
    OptionSchemas,
    PluginContext,
    PluginJob,
    PluginMigration,
    PluginService,
    hookimpl,
)

# The client of the storage takes 15 MB: each part is imported in the processes that use it.


@hookimpl
def register_options() -> list[OptionSchemas]:
    """The bucket and its limits; which objects of each device are archived."""
    from plugins.s3_archiver.options import DeviceOptions, InstallationOptions

    return [OptionSchemas(installation=InstallationOptions, device=DeviceOptions)]


@hookimpl
def register_migrations() -> list[PluginMigration]:
    """The table of archived objects."""
    from plugins.s3_archiver.model import add_expiry, create_tables

    return [PluginMigration(1, "create_objects", create_tables), PluginMigration(2, "add_expiry", add_expiry)]


@hookimpl
def register_services(plugin: PluginContext) -> list[PluginService]:
    """The process that uploads."""

    def run(stop: Any) -> None:
        from plugins.s3_archiver.service import run_uploads

        run_uploads(stop, plugin)

    def has_bucket() -> bool:
        from plugins.s3_archiver.settings import read_settings

        return read_settings(plugin.options.installation()).bucket is not None

    return [PluginService("uploads", run, is_needed=has_bucket)]


@hookimpl
def register_jobs(plugin: PluginContext) -> list[PluginJob]:
    """The test of the connection."""

    def run(_attempt: Any, context: Any) -> dict[str, Any]:
        from plugins.s3_archiver.connection import run_test

        return run_test(plugin, context)

    return [PluginJob("s3_archiver.test", run, "Test of the archive's connection")]


@hookimpl
def register_archives(plugin: PluginContext) -> list[Archive]:
    """The bucket as an archive that playback reads."""
    from plugins.s3_archiver.reported import ReportedArchive

    return [ReportedArchive(plugin)]


@hookimpl
def register_blueprints(plugin: PluginContext) -> list:
    """State, objects, test and retry."""
    from plugins.s3_archiver.routes import build_blueprint

    return [build_blueprint(plugin)]


@hookimpl
def register_metrics(plugin: PluginContext) -> list[Metric]:
    """What is uploaded, and what waits."""
    from plugins.s3_archiver.metrics import build_metrics

    return build_metrics(plugin)


@hookimpl
def register_health_checks(config: Config, plugin: PluginContext) -> list[HealthCheck]:
    """Whether what is to be archived arrives."""
    from plugins.s3_archiver.health import build_health_check

    return [build_health_check(plugin)]
