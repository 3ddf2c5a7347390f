"""The resources of the plugin below `/notifications`."""

from gateway.plugin_api import PluginContext
from gateway.plugin_api.web import Blueprint
from plugins.notifications.api.channels.routes import build_blueprint as build_channels
from plugins.notifications.api.deliveries.routes import build_blueprint as build_deliveries
from plugins.notifications.api.rules.routes import build_blueprint as build_rules
from plugins.notifications.options import read_settings


def build_blueprints(plugin: PluginContext) -> list[Blueprint]:
    """Channels, rules and deliveries."""
    return [build_channels(plugin, lambda: read_settings(plugin).policy()), build_rules(), build_deliveries()]
