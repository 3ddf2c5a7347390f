"""Reply schemas of plugins."""

import marshmallow as ma

from gateway.api.base import Choice, ReplySchema
from gateway.isolation.problems import STATES
from gateway.plugin_surface import PANEL_PLACES


class PluginProblemSchema(ReplySchema):
    """A problem of a plugin in a process."""

    state = Choice(STATES)
    reason = ma.fields.String(metadata={"description": "what is wrong, as text for people"})
    remedy = ma.fields.String(metadata={"description": "how to resolve it; may be empty"})
    process = ma.fields.String(metadata={"description": "kind of the process, such as outputs; may be empty"})
    seconds = ma.fields.Float(metadata={"description": "how long the problem has existed"})


class PanelSchema(ReplySchema):
    """A part of a page of the UI that a plugin draws."""

    name = ma.fields.String()
    title = ma.fields.String(metadata={"example": "Picture analysis"})
    place = Choice(PANEL_PLACES, metadata={"description": "on the page of each device, or on the page Health"})
    url = ma.fields.String(
        metadata={
            "description": "address of its ES module, which exports `mount(element, context)`; changes with the module",
            "example": "/api/v1/plugins/my_plugin/panels/rates.js?v=0a1b2c3d4e5f6071",
        }
    )


class PluginSchema(ReplySchema):
    """An installed plugin."""

    name = ma.fields.String()
    package = ma.fields.String(metadata={"description": "distribution that contains it"})
    version = ma.fields.String()
    hooks = ma.fields.List(ma.fields.String(), metadata={"description": "hooks that it implements"})
    description = ma.fields.String()
    state = Choice(
        STATES,
        metadata={
            "description": "failed: it cannot be loaded, or failed to register; set_aside: processes died in its code, "
            "it is tried again later; degraded: something of it is slow or failing; off: by PLUGINS_OFF"
        },
    )
    reason = ma.fields.String(allow_none=True, metadata={"description": "why it is not running as it should"})
    remedy = ma.fields.String(allow_none=True, metadata={"description": "how to resolve it"})
    problems = ma.fields.List(ma.fields.Nested(PluginProblemSchema))
    options = ma.fields.List(
        ma.fields.String(metadata={"enum": ["installation", "device"]}),
        metadata={"description": "what it has options for; see `/plugins/{name}/options`"},
    )
    options_fault = ma.fields.String(
        allow_none=True, metadata={"description": "why its options cannot be used; null: they can, or it has none"}
    )
    panels = ma.fields.List(ma.fields.Nested(PanelSchema), metadata={"description": "its parts of pages of the UI"})
