"""What is received about plugins."""

import marshmallow as ma

from gateway.api.base import ReplySchema


class PluginSchema(ReplySchema):
    """An installed plugin."""

    name = ma.fields.String()
    package = ma.fields.String(metadata={"description": "the distribution it came with"})
    version = ma.fields.String()
    hooks = ma.fields.List(ma.fields.String(), metadata={"description": "the hooks it implements"})
    description = ma.fields.String()
