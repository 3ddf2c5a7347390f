"""`/plugins/{name}/options` and `/devices/{id}/plugins`: the options of plugins."""

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from flask.views import MethodView
from flask_smorest import abort

from gateway.api.base import Blueprint, Text, current_name, current_scope, no_content, services
from gateway.api.conditional import IfMatchSchema, etag_header, seen_version, with_etag
from gateway.api.plugin_options.schemas import OPTIONS_EXAMPLE, PluginOptionsSchema
from gateway.api.plugin_options.views import options_view
from gateway.api.tags import MAX_TAG_CHARACTERS
from gateway.plugin_options.editing import InvalidOptions, OptionsEditor, OptionsView, level_of
from gateway.plugin_options.registry import PluginForms, registry_of
from gateway.plugin_options.store import Place

blp = Blueprint("plugin_options", __name__, url_prefix="", description="Options of plugins")

_ETAG = etag_header("the options")


@blp.route("/plugins/<string(maxlength=100):name>/options")
class PluginOptions(MethodView):
    @blp.response(200, PluginOptionsSchema, headers=_ETAG)
    @blp.errors(404, 409, 503)
    def get(self, name: str) -> Any:
        """Read a plugin's options

        Those of the installation, which devices inherit. 404 if the plugin has none.
        """
        return _read(Place(name))

    @blp.arguments(PluginOptionsSchema, example=OPTIONS_EXAMPLE)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, PluginOptionsSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], name: str) -> Any:
        """Change a plugin's options

        Sets every value; what is missing gets its default. Every process uses them within two seconds.
        """
        return _replace(Place(name), data, headers)


@blp.route("/plugins/<string(maxlength=100):name>/options/tags/<path:tag>")
class PluginTagOptions(MethodView):
    @blp.response(200, PluginOptionsSchema, headers=_ETAG)
    @blp.errors(404, 409, 422, 503)
    def get(self, name: str, tag: str) -> Any:
        """Read a plugin's options for devices with a tag

        A device with several tags takes each value from the first tag, in alphabetical order, that sets it.
        """
        return _read(Place(name, _parse_tag(tag)))

    @blp.arguments(PluginOptionsSchema, example=OPTIONS_EXAMPLE)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, PluginOptionsSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], name: str, tag: str) -> Any:
        """Change a plugin's options for devices with a tag

        Sets every value; what is missing is inherited from the installation.
        """
        return _replace(Place(name, _parse_tag(tag)), data, headers)

    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(204)
    @blp.errors(403, 404, 409, 412, 422, 503)
    def delete(self, headers: dict[str, Any], name: str, tag: str) -> Response:
        """Remove a plugin's options for devices with a tag

        The devices inherit those of the installation. Without options of the tag nothing happens.
        """
        return _delete(Place(name, _parse_tag(tag)), headers)


@blp.route("/devices/<uuid:device_id>/plugins")
class DevicePlugins(MethodView):
    @blp.response(200, PluginOptionsSchema(many=True))
    @blp.errors(404, 503)
    def get(self, device_id: uuid.UUID) -> Any:
        """List the options of plugins for a device

        Of each plugin with options for devices, by name: what is set for the device, and what it inherits.
        """
        all_forms = [forms for forms in registry_of(services().plugins).all() if forms.device is not None]
        return [options_view(view) for view in _editor().read_device(all_forms, str(device_id))]


@blp.route("/devices/<uuid:device_id>/plugins/<string(maxlength=100):name>")
class DevicePluginOptions(MethodView):
    @blp.response(200, PluginOptionsSchema, headers=_ETAG)
    @blp.errors(404, 409, 503)
    def get(self, device_id: uuid.UUID, name: str) -> Any:
        """Read a plugin's options for a device

        `effective` has the values that count; `origins` says whether each is the device's own, or comes from one of its
        tags, the installation or the default.
        """
        return _read(Place(name, device_id=str(device_id)))

    @blp.arguments(PluginOptionsSchema, example=OPTIONS_EXAMPLE)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, PluginOptionsSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 409, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], device_id: uuid.UUID, name: str) -> Any:
        """Change a plugin's options for a device

        Sets every value; what is missing is inherited. A running output uses them within two seconds.
        """
        return _replace(Place(name, device_id=str(device_id)), data, headers)

    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(204)
    @blp.errors(403, 404, 409, 412, 422, 503)
    def delete(self, headers: dict[str, Any], device_id: uuid.UUID, name: str) -> Response:
        """Remove a plugin's options for a device

        It inherits all values then, secrets too.
        """
        return _delete(Place(name, device_id=str(device_id)), headers)


def _editor() -> OptionsEditor:
    return OptionsEditor(current_scope(), services().box)


def _forms(place: Place) -> PluginForms:
    return registry_of(services().plugins).find(place.plugin, level_of(place))


def _read(place: Place) -> Any:
    return _shown(_editor().read(_forms(place), place))


def _replace(place: Place, data: dict[str, Any], headers: dict[str, Any]) -> Any:
    forms, editor = _forms(place), _editor()
    version = seen_version(headers, editor.read(forms, place), "set of options")
    try:
        view = editor.replace(forms, place, data["values"], if_version=version, by_name=current_name())
    except InvalidOptions as error:
        messages = error.normalized_messages() if isinstance(error.messages, dict) else error.messages
        abort(422, errors={"json": {"values": messages}})
    return _shown(view)


def _delete(place: Place, headers: dict[str, Any]) -> Response:
    forms, editor = _forms(place), _editor()
    editor.delete(place, seen_version(headers, editor.read(forms, place), "set of options"))
    return no_content()


def _shown(view: OptionsView) -> Any:
    return with_etag(options_view(view), view)


def _parse_tag(tag: str) -> str:
    """The tag as devices have it. Aborts with 422."""
    try:
        return Text(low=1, high=MAX_TAG_CHARACTERS).deserialize(tag, "tag")
    except ma.ValidationError as error:
        abort(422, errors={"path": {"tag": error.messages}})
