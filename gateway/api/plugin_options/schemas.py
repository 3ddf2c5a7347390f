"""Request and reply schemas of the options of plugins."""

from typing import Any

import marshmallow as ma

from gateway.api.base import ReplySchema, Schema, Time

_MAX_NAMES = 1000


class OptionOriginSchema(ReplySchema):
    """Where an effective value comes from."""

    level = ma.fields.String(
        required=True,
        metadata={"description": "level that sets the value", "enum": ["device", "tag", "installation", "default"]},
    )
    tag = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "tag that sets the value, at the level `tag`"}
    )
    other_tags = ma.fields.List(
        ma.fields.String(),
        required=True,
        metadata={"description": "tags of the device that set another value; the first in alphabetical order counts"},
    )


class OptionProblemSchema(ReplySchema):
    """A stored value that does not fit the plugin's present schema and is not used."""

    name = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "option; null: all values of the level together"}
    )
    level = ma.fields.String(
        required=True, metadata={"description": "level of the value", "enum": ["device", "tag", "installation"]}
    )
    tag = ma.fields.String(required=True, allow_none=True)
    message = ma.fields.String(required=True)


def _values(description: str, **options: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=ma.fields.String(), metadata={"description": description, "maxProperties": _MAX_NAMES}, **options
    )


class PluginOptionsSchema(Schema):
    """The options of a plugin for the installation, for devices with a tag, or for one device."""

    plugin = ma.fields.String(dump_only=True)
    level = ma.fields.String(
        dump_only=True,
        metadata={"description": "what the options are set for", "enum": ["installation", "tag", "device"]},
    )
    tag = ma.fields.String(dump_only=True, allow_none=True)
    device_id = ma.fields.UUID(dump_only=True, allow_none=True)
    values = _values(
        "the values that are set here. What is missing is inherited, and so is null, unless the option itself accepts "
        "null. A secret is never shown: it stays if it is missing, and null removes it",
        required=True,
    )
    secrets = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Boolean(),
        dump_only=True,
        metadata={"description": "each secret option, and whether it is set here"},
    )
    effective = _values(
        "the values that count, without secrets: set here, otherwise inherited, otherwise defaults", dump_only=True
    )
    origins = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Nested(OptionOriginSchema),
        dump_only=True,
        metadata={"description": "where each effective value comes from; also for secrets"},
    )
    inherited = _values("the values that would count without those set here", dump_only=True)
    inherited_origins = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Nested(OptionOriginSchema),
        dump_only=True,
        metadata={"description": "where each inherited value comes from"},
    )
    problems = ma.fields.List(
        ma.fields.Nested(OptionProblemSchema),
        dump_only=True,
        metadata={"description": "stored values that do not fit the plugin's schema; they are kept, and not used"},
    )
    missing = ma.fields.List(
        ma.fields.String(),
        dump_only=True,
        metadata={"description": "options without which the plugin cannot work, and which are set nowhere"},
    )
    tags = ma.fields.List(
        ma.fields.String(),
        dump_only=True,
        metadata={"description": "for the installation: the tags that have options of their own"},
    )
    schema = ma.fields.Dict(
        dump_only=True,
        metadata={
            "description": "JSON Schema (2020-12) of `values`, with titles, limits and defaults. `x-kind` is the kind "
            "of a field in a form, `x-order` its place, `x-unit` its unit, `x-scope` `device` if devices may override "
            "it; `writeOnly` marks secrets"
        },
    )
    changed_at = Time(dump_only=True, allow_none=True, metadata={"description": "null: nothing was ever set here"})
    changed_by = ma.fields.String(dump_only=True, allow_none=True)


OPTIONS_EXAMPLE = {"values": {"quality": 80}}
