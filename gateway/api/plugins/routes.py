"""`/plugins`: the installed plugins."""

from typing import Any

from flask.views import MethodView

from gateway.api.base import Blueprint, services
from gateway.api.plugins.schemas import PluginSchema
from gateway.plugin_manager import describe_plugins

blp = Blueprint("plugins", __name__, url_prefix="/plugins", description="Installed plugins")


@blp.route("")
class Plugins(MethodView):
    @blp.response(200, PluginSchema(many=True))
    def get(self) -> Any:
        """List plugins

        Every installed plugin by name, with its version and the hooks that it implements.
        """
        return describe_plugins(services().plugins)
