"""Cameras that send JPEG pictures by HTTP: MJPEG streams (multipart), and single pictures that are asked for."""

from gateway.plugin_api import Source, SourceContext, hookimpl


@hookimpl
def register_sources(context: SourceContext) -> list[Source]:
    """The source of the schemes http and https."""
    from plugins.http_pictures.source import HttpPictures

    return [HttpPictures(context.config)]
