"""Encryption of secret options, bound to the plugin, the tenant, the tag or device, and the field."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway import database
from gateway.plugin_options.model import DevicePluginOptionsRow, PluginOptionsRow
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import EveryTenantScope


def seal_context(tenant_id: str, plugin: str, place: str, name: str) -> str:
    """What a sealed option is bound to. `place` is `tag:…` or `device:…`."""
    return f"option:{tenant_id}:{plugin}:{place}:{name}"


def seal_value(box: SecretBox, value: Any, context: str) -> str:
    """Encrypt a JSON value."""
    return box.seal(json.dumps(value), context)


def open_value(box: SecretBox, sealed: str, context: str) -> Any:
    """Decrypt a JSON value. Raises SealBroken."""
    return json.loads(box.open(sealed, context))


def place_of_tag(tag: str) -> str:
    """The place of the options of a tag; the empty one is the installation."""
    return f"tag:{tag}"


def place_of_device(device_id: str) -> str:
    """The place of the options of a device."""
    return f"device:{device_id}"


def reseal(box: SecretBox, row: Mapping[str, Any]) -> str | None:
    """The `sealed` of a row, encrypted with the present key; None if it is so already. Raises SealBroken."""
    sealed = json.loads(row["sealed"])
    if all(box.is_current(text) for text in sealed.values()):
        return None
    device_id = row.get("device_id")
    place = place_of_device(device_id) if device_id else place_of_tag(row["tag"])
    contexts = {name: seal_context(row["tenant_id"], row["plugin"], place, name) for name in sealed}
    return json.dumps({name: box.seal(box.open(text, contexts[name]), contexts[name]) for name, text in sealed.items()})


def reseal_options(scope: EveryTenantScope, box: SecretBox) -> int:
    """Re-encrypt with the present key what an earlier key encrypted; returns the number of changed rows."""
    changed = 0
    for model, keys in _TABLES:
        for key in list(_keys(scope, model, keys)):
            with database.transaction():
                row = scope.select(model).where(*(column == value for column, value in zip(keys, key, strict=True)))
                found = row.first()
                new = None if found is None else reseal(box, found.__data__)
                if new is not None:
                    where = (column == value for column, value in zip(keys, key, strict=True))
                    scope.update(model, sealed=new).where(*where).execute()
                    changed += 1
    return changed


_TABLES = (
    (PluginOptionsRow, (PluginOptionsRow.tenant_id, PluginOptionsRow.plugin, PluginOptionsRow.tag)),
    (DevicePluginOptionsRow, (DevicePluginOptionsRow.device_id, DevicePluginOptionsRow.plugin)),
)


def _keys(scope: EveryTenantScope, model: Any, keys: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    with database.session():
        yield from list(scope.select(model, *keys).where(model.sealed != "{}").tuples())
