"""Forms: the schema of a plugin's options, prepared for merging values of several levels."""

import json
from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from gateway.plugin_options.json_schema import describe_field

INSTALLATION, DEVICE = "installation", "device"


class FormError(Exception):
    """A schema that cannot be used; the text says why."""


class Form:
    """A schema of options. Fields go by the names that they have in JSON. Raises FormError for a faulty schema."""

    def __init__(self, schema: type[ma.Schema], scope: str, first_order: int = 0) -> None:
        if not (isinstance(schema, type) and issubclass(schema, ma.Schema)):
            raise FormError(f"'{scope}' must be a class of marshmallow schemas, not {schema!r:.100}")
        try:
            self._schema = schema(unknown=ma.RAISE)
            self.fields = {
                field.data_key or name: field for name, field in self._schema.fields.items() if not field.dump_only
            }
            self.secrets = frozenset(name for name, field in self.fields.items() if field.metadata.get("secret"))
            self.defaults = {name: self._default_of(name) for name in self.fields}
            self.properties = {
                name: describe_field(field, default=self.defaults[name], order=first_order + place, scope=scope)
                for place, (name, field) in enumerate(self.fields.items())
            }
            json.dumps(self.properties, allow_nan=False)
            self.initial = self.load({})
        except FormError:
            raise
        except Exception as error:
            raise FormError(f"its schema {schema.__name__} cannot be used: {type(error).__name__}: {error}") from error
        for name, field in self.fields.items():
            if any(inner.metadata.get("secret") for inner in _inner_fields(field)):
                raise FormError(f"'{name}' contains a secret field: only fields of the schema itself can be secret")

    @property
    def required(self) -> list[str]:
        """The names of the fields without which the plugin cannot work."""
        return [name for name, field in self.fields.items() if field.required]

    def load(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The Python values of JSON values, with defaults; None for a field without one. Raises ValidationError."""
        absent = tuple(
            self._schema_name(name) for name, field in self.fields.items() if field.required and name not in values
        )
        try:
            loaded = self._schema.load(dict(values), partial=absent or None)
        except ma.ValidationError:
            raise
        except Exception as error:  # a validator of the plugin
            raise ma.ValidationError(f"the schema of the plugin failed: {type(error).__name__}") from error
        if not isinstance(loaded, Mapping):
            raise ma.ValidationError(f"the schema of the plugin returns {type(loaded).__name__}, not a mapping")
        return {self._schema_name(name): None for name in self.fields if self._schema_name(name) not in loaded} | dict(
            loaded
        )

    def accepts_null(self, name: str) -> bool:
        return bool(self.fields[name].allow_none)

    def to_json(self, name: str, value: Any) -> Any:
        """The form in which an accepted JSON value is stored and shown, such as a text without outer spaces."""
        field = self.fields[name]
        try:
            loaded = field.deserialize(value, name, {name: value})
            shown = field._serialize(loaded, name, {name: loaded})
            json.dumps(shown, allow_nan=False)
            is_same = field.deserialize(shown, name, {name: shown}) == loaded
        except Exception:
            return value  # a field of the plugin that only reads
        return shown if is_same and (shown is not None or value is None) else value

    def _default_of(self, name: str) -> Any:
        field = self.fields[name]
        default = field.load_default
        if default is ma.missing:
            return None
        default = default() if callable(default) else default
        if default is None:
            return None
        shown = field._serialize(default, name, {name: default})
        json.dumps(shown, allow_nan=False)
        return shown

    def _schema_name(self, name: str) -> str:
        return self.fields[name].name


def _inner_fields(field: ma.fields.Field) -> list[ma.fields.Field]:
    """The fields within a list, dict or nested schema."""
    found: list[ma.fields.Field] = []
    waiting = [field]
    while waiting and len(found) < 1000:
        one = waiting.pop()
        inner: list[ma.fields.Field] = []
        if isinstance(one, ma.fields.Nested):
            inner = list(one.schema.fields.values())
        elif isinstance(one, ma.fields.List):
            inner = [one.inner]
        elif isinstance(one, ma.fields.Dict):
            inner = [part for part in (one.key_field, one.value_field) if part is not None]
        found += inner
        waiting += inner
    return found
