"""Cameras that send JPEG pictures by HTTP: MJPEG streams (multipart), and single pictures that are asked for."""

from gateway.hookspecs import hookimpl
from gateway.sources.source import Source, SourceContext
from plugins.http_pictures.source import HttpPictures


@hookimpl
def register_sources(context: SourceContext) -> list[Source]:
    """The source of the schemes http and https."""
    return [HttpPictures(context.config)]
