"""`/plugins/{name}/panels/{panel}.js`: the ES module of a plugin's panel, which the UI loads."""

from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.api.base import Schema, Text, services
from gateway.api.file_replies import bytes_response
from gateway.api.plugins.work import blp
from gateway.panels import panels_of

__all__ = ["blp"]

_TYPE = "text/javascript"


class PanelModuleArgsSchema(Schema):
    """Query of a module."""

    v = Text(load_default=None, high=100, metadata={"description": "any text: browsers load each address once a page"})


@blp.route("/<string:name>/panels/<string:panel>.js")
class PluginPanel(MethodView):
    @blp.media_arguments(PanelModuleArgsSchema)
    @blp.file_response(_TYPE)
    @blp.errors(404, 416, 422, 503)
    def get(self, _args: dict[str, Any], name: str, panel: str) -> Response:
        """Read the module of a plugin's panel

        One ES module. The UI asks for it again at each visit, which the ETag answers. 503 with reason `plugin_failed`
        if the plugin's file cannot be read.
        """
        module = panels_of(services().plugins).read(name, panel)
        return bytes_response(module.data, etag=module.digest, mimetype=_TYPE, cache_control="private, no-cache")
