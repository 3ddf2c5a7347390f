"""Notifications: rules turn events into webhooks, MQTT messages, mail and web push."""

import threading
from functools import partial
from typing import TYPE_CHECKING

from gateway.plugin_api import (
    Config,
    HealthCheck,
    OptionSchemas,
    PluginContext,
    PluginMigration,
    PluginService,
    hookimpl,
)
from plugins.notifications.health import build_check
from plugins.notifications.migrations import create_tables
from plugins.notifications.needs import has_brokers, has_work
from plugins.notifications.options import InstallationOptions

if TYPE_CHECKING:
    from gateway.plugin_api.web import Blueprint


@hookimpl
def register_options() -> list[OptionSchemas]:
    """Where receivers may be, and how long things are kept."""
    return [OptionSchemas(installation=InstallationOptions)]


@hookimpl
def register_migrations() -> list[PluginMigration]:
    """The tables of channels, rules and deliveries."""
    return [PluginMigration(1, "tables", create_tables)]


@hookimpl
def register_services(plugin: PluginContext) -> list[PluginService]:
    """Rules with their deliveries, and the connections to MQTT brokers."""
    return [
        PluginService("deliveries", partial(_run_deliveries, plugin), is_needed=has_work),
        PluginService("mqtt", partial(_run_mqtt, plugin), is_needed=has_brokers),
    ]


def _run_deliveries(plugin: PluginContext, stop: threading.Event) -> None:
    # Imported by the process that runs it alone: the libraries are large.
    from plugins.notifications.services import run_deliveries

    run_deliveries(plugin, stop)


def _run_mqtt(plugin: PluginContext, stop: threading.Event) -> None:
    from plugins.notifications.mqtt.service import run_mqtt

    run_mqtt(plugin, stop)


@hookimpl
def register_blueprints(config: Config, plugin: PluginContext) -> "list[Blueprint]":
    """Channels, rules and deliveries."""
    from plugins.notifications.api.routes import build_blueprints

    return build_blueprints(plugin)


@hookimpl
def register_health_checks(config: Config, plugin: PluginContext) -> list[HealthCheck]:
    """Whether channels fail or were disabled, and whether deliveries pile up."""
    return [build_check()]
