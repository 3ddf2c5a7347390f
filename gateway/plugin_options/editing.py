"""Reading and changing options for people: what was set at a place, what follows from it, and what does not fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import marshmallow as ma

from gateway import database
from gateway.clock import utc_now
from gateway.errors import NotFound
from gateway.plugin_options.forms import Form
from gateway.plugin_options.json_limits import find_excess
from gateway.plugin_options.layers import LayerReader
from gateway.plugin_options.model import INSTALLATION as NO_TAG
from gateway.plugin_options.registry import PluginForms
from gateway.plugin_options.resolve import DEVICE, INSTALLATION, TAG, Layer, Origin, Problem, resolve, unknown_names
from gateway.plugin_options.sealing import place_of_device, place_of_tag, seal_context, seal_value
from gateway.plugin_options.store import (
    Place,
    Stored,
    StoredOptions,
    delete_options,
    lock_options,
    read_options,
    write_options,
)
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import TenantScope


class InvalidOptions(ma.ValidationError):
    """Values that cannot be set; `messages` by name."""


@dataclass(frozen=True, slots=True)
class OptionsView:
    """The options of a plugin at one place, without secrets. `values` were set there; `effective` is what counts.

    `inherited` is what would count without them. `secrets` says by name whether a secret is set at this place.
    """

    place: Place
    level: str
    forms: PluginForms
    stored: Stored
    values: Mapping[str, Any]
    secrets: Mapping[str, bool]
    effective: Mapping[str, Any]
    origins: Mapping[str, Origin]
    inherited: Mapping[str, Any]
    inherited_origins: Mapping[str, Origin]
    problems: Sequence[Problem]
    missing: Sequence[str]
    tags: Sequence[str] = field(default=())

    @property
    def version(self) -> int:
        return self.stored.version


class OptionsEditor:
    """The options of plugins within a tenant."""

    def __init__(self, scope: TenantScope, box: SecretBox) -> None:
        self._scope, self._box = scope, box

    def read(self, forms: PluginForms, place: Place) -> OptionsView:
        """The options at a place. Raises NotFound without the device."""
        ids = [] if place.device_id is None else [place.device_id]
        return self._view(forms, place, read_options(self._scope, plugin=forms.plugin, device_ids=ids))

    def read_device(self, all_forms: Sequence[PluginForms], device_id: str) -> list[OptionsView]:
        """The options of several plugins for a device. Raises NotFound without it."""
        options = read_options(self._scope, device_ids=[device_id])
        _require(options, device_id)
        return [self._view(forms, Place(forms.plugin, device_id=device_id), options) for forms in all_forms]

    def replace(
        self,
        forms: PluginForms,
        place: Place,
        values: Mapping[str, Any],
        *,
        if_version: int | None = None,
        by_name: str = "",
        at: datetime | None = None,
    ) -> OptionsView:
        """Set all values of a place. Null and a missing value inherit, but a secret that is missing stays.

        Raises NotFound without the device, VersionChanged, and InvalidOptions.
        """
        level = level_of(place)
        _check_shape(forms, level, values)
        with database.transaction():
            before = lock_options(self._scope, place, if_version)
            ids = [] if place.device_id is None else [place.device_id]
            options = read_options(self._scope, plugin=forms.plugin, device_ids=ids)
            reader = LayerReader(forms, options, self._box)
            set_values = {
                name: value
                for name, value in values.items()
                if value is not None or _form_of(forms, level, name).accepts_null(name)
            }
            own = self._own_layer(reader, place)
            secrets = {name for form in forms.forms_of(level) for name in form.secrets}
            kept = {name: own.values[name] for name in secrets - values.keys() if name in own.values}
            _check_fit(forms, level, self._layers_below(reader, place), {**set_values, **kept})
            content, sealed = self._split(forms, place, {**set_values, **kept})
            # Those that no key opens now stay too, and those that did not change keep their cipher text.
            sealed |= {name: text for name, text in before.sealed.items() if name in secrets - values.keys()}
            if (content, sealed) != (dict(before.content), dict(before.sealed)):
                moment = at or utc_now()
                write_options(self._scope, place, content, sealed, before=before, by_name=by_name, at=moment)
        return self.read(forms, place)

    def delete(self, place: Place, if_version: int | None = None) -> None:
        """Delete all values of a place, which inherits then. Raises NotFound without the device; VersionChanged."""
        with database.transaction():
            lock_options(self._scope, place, if_version)
            delete_options(self._scope, place)

    def _view(self, forms: PluginForms, place: Place, options: StoredOptions) -> OptionsView:
        level = level_of(place)
        reader = LayerReader(forms, options, self._box)
        below = self._layers_below(reader, place, options)
        own = self._own_layer(reader, place)
        if place.device_id is not None:
            stored = options.of_device(place.device_id, forms.plugin)
        else:
            stored = options.of_tags(self._scope.tenant_id, forms.plugin).get(place.tag, Stored())
        parts = [resolve(form, [own, *below]) for form in forms.forms_of(level)]
        bases = [resolve(form, below) for form in forms.forms_of(level)]
        secrets = {name for form in forms.forms_of(level) for name in form.secrets}
        problems = [problem for part in parts for problem in part.problems] + unknown_names(own, *forms.forms_of(level))
        tags = sorted(tag for tag in options.of_tags(self._scope.tenant_id, forms.plugin) if tag != NO_TAG)
        return OptionsView(
            place=place,
            level=level,
            forms=forms,
            stored=stored,
            values={name: value for name, value in stored.content.items() if name not in secrets},
            secrets={name: name in stored.sealed or name in stored.content for name in sorted(secrets)},
            effective=_shown(forms, level, parts),
            origins={name: origin for part in parts for name, origin in part.origins.items()},
            inherited=_shown(forms, level, bases),
            inherited_origins={name: origin for part in bases for name, origin in part.origins.items()},
            problems=problems,
            missing=[
                name
                for form, part in zip(forms.forms_of(level), parts, strict=True)
                for name in form.required
                if name not in part.chosen
            ],
            tags=tags if level == INSTALLATION else (),
        )

    def _layers_below(self, reader: LayerReader, place: Place, options: StoredOptions | None = None) -> list[Layer]:
        if place.device_id is not None:
            if options is not None:
                _require(options, place.device_id)
            return reader.below_device(place.device_id)
        if place.tag != NO_TAG:
            return [reader.installation(self._scope.tenant_id)]
        return []

    def _own_layer(self, reader: LayerReader, place: Place) -> Layer:
        if place.device_id is not None:
            return reader.device(place.device_id)
        tenant_id = self._scope.tenant_id
        return reader.installation(tenant_id) if place.tag == NO_TAG else reader.tag(tenant_id, place.tag)

    def _split(
        self, forms: PluginForms, place: Place, values: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The plain values as they are stored, and the sealed ones."""
        content: dict[str, Any] = {}
        sealed: dict[str, str] = {}
        where = place_of_device(place.device_id) if place.device_id else place_of_tag(place.tag)
        for name, value in values.items():
            form = _form_of(forms, level_of(place), name)
            stored = form.to_json(name, value)
            if name in form.secrets:
                context = seal_context(str(self._scope.tenant_id), forms.plugin, where, name)
                sealed[name] = seal_value(self._box, stored, context)
            else:
                content[name] = stored
        return content, sealed


def level_of(place: Place) -> str:
    """The level of a place."""
    if place.device_id is not None:
        return DEVICE
    return INSTALLATION if place.tag == NO_TAG else TAG


def _require(options: StoredOptions, device_id: str) -> None:
    if device_id not in options.devices:
        raise NotFound(f"there is no device with id '{device_id}'")


def _form_of(forms: PluginForms, level: str, name: str) -> Form:
    return next(form for form in forms.forms_of(level) if name in form.fields)


def _check_shape(forms: PluginForms, level: str, values: Mapping[str, Any]) -> None:
    """Refuse names that are no options of the level, and values that are no short JSON."""
    known = {name for form in forms.forms_of(level) for name in form.fields}
    unknown = {name: [f"'{name[:80]}' is not an option of this plugin here"] for name in values if name not in known}
    if unknown:
        raise InvalidOptions(unknown)
    excess = find_excess(values)
    if excess is not None:
        raise InvalidOptions([f"'values' {excess}"])


def _check_fit(forms: PluginForms, level: str, below: Sequence[Layer], values: Mapping[str, Any]) -> None:
    """Refuse values that do not fit the schema together with what is inherited."""
    messages: dict[str, Any] = {}
    for form in forms.forms_of(level):
        inherited = resolve(form, below).chosen
        own = {name: value for name, value in values.items() if name in form.fields}
        try:
            form.load({**inherited, **own})
        except ma.ValidationError as error:
            found = error.normalized_messages()
            messages |= found if isinstance(found, dict) else {"values": found}
    if messages:
        raise InvalidOptions(messages)


def _shown(forms: PluginForms, level: str, parts: Sequence[Any]) -> dict[str, Any]:
    """The JSON values of effective options, without secrets; null for those without a value."""
    return {
        name: part.chosen.get(name, form.defaults[name])
        for form, part in zip(forms.forms_of(level), parts, strict=True)
        for name in form.fields
        if name not in form.secrets
    }
