"""`/plugins`: the installed plugins."""

from dataclasses import asdict
from typing import Any

from flask.views import MethodView

from gateway.api.base import Blueprint, services
from gateway.api.plugins.schemas import PluginSchema
from gateway.api.plugins.views import panel_views
from gateway.panels import panels_of
from gateway.plugin_options.registry import registry_of
from gateway.plugin_states import read_plugin_states

blp = Blueprint("plugins", __name__, url_prefix="/plugins", description="Installed plugins")


@blp.route("")
class Plugins(MethodView):
    @blp.response(200, PluginSchema(many=True))
    def get(self) -> Any:
        """List plugins

        Every installed plugin by name, with its version, the hooks that it implements, and its state: also those that
        cannot be loaded, are switched off, or were set aside because they ended processes.
        """
        wired = services()
        registry = registry_of(wired.plugins)
        levels = {forms.plugin: forms.levels for forms in registry.all()}
        panels = panels_of(wired.plugins)
        return [
            {
                **asdict(plugin),
                "options": levels.get(plugin.name, []),
                "options_fault": registry.faults.get(plugin.name),
                "panels": panel_views(panels, plugin.name),
            }
            for plugin in read_plugin_states(wired.plugins, wired.redis)
        ]
