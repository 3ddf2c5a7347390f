"""Reply schemas of plugins."""

import marshmallow as ma

from gateway.api.base import ReplySchema


class PluginSchema(ReplySchema):
    """An installed plugin."""

    name = ma.fields.String()
    package = ma.fields.String(metadata={"description": "distribution that contains it"})
    version = ma.fields.String()
    hooks = ma.fields.List(ma.fields.String(), metadata={"description": "hooks that it implements"})
    description = ma.fields.String()
