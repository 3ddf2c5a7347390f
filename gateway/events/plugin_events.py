"""The events of a plugin: `plugin.events` of its context (gateway/plugin_context.py)."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from gateway.config import Config
from gateway.errors import InvalidValue, NotFound
from gateway.events.bell import ensure_bell, show_passing
from gateway.events.model import MAX_NAME, MAX_TEXT, change_event, check_kind, record_event
from gateway.tenancy.scopes import EVERY_TENANT, IdField

#: The fields of an event that `change` accepts.
_CHANGEABLE = frozenset({"start_ms", "end_ms", "label", "zone", "score", "text", "snapshot_id", "data"})
_TEXTS = {"label": MAX_NAME, "zone": MAX_NAME, "text": MAX_TEXT}


class PluginEvents:
    """Records, changes and shows events in the name of a plugin."""

    def __init__(self, plugin: str, config: Config, tenant_of: Callable[[str], str | None]) -> None:
        """`tenant_of(device_id)` is None for a device that does not exist."""
        self._plugin = plugin
        self._tenant_of = tenant_of
        ensure_bell(config)

    def record(
        self,
        device_id: str,
        kind: str,
        *,
        start_ms: int,
        end_ms: int | None = None,
        label: str | None = None,
        zone: str | None = None,
        score: float | None = None,
        text: str = "",
        snapshot_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> int:
        """Store an event and announce it; returns its id. Raises InvalidValue, and NotFound for an unknown device."""
        values = _checked(
            {"label": label, "zone": zone, "score": score, "text": text or None, "snapshot_id": snapshot_id}
        )
        return record_event(
            self._find_tenant(device_id),
            device_id,
            check_kind(kind),
            plugin=self._plugin,
            start_ms=start_ms,
            end_ms=end_ms,
            goes_on=end_ms is None,
            data=data,
            **values,
        )

    def change(self, event_id: int, **fields: Any) -> None:
        """Change fields of an event of this plugin, such as `end_ms`, and announce it.

        Raises NotFound, and InvalidValue for a field that cannot be changed.
        """
        unknown = sorted(set(fields) - _CHANGEABLE)
        if unknown:
            raise InvalidValue(unknown[0], f"'{unknown[0]}' of an event cannot be changed")
        change_event(EVERY_TENANT, event_id, plugin=self._plugin, **_checked(fields))

    def show(self, device_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Send a passing fact to those who listen now. Raises InvalidValue, and NotFound for an unknown device."""
        show_passing(self._find_tenant(device_id), device_id, check_kind(kind), data, plugin=self._plugin)

    def _find_tenant(self, device_id: str) -> str:
        try:
            tenant_id = self._tenant_of(device_id)
        except ValueError:
            tenant_id = None
        if tenant_id is None:
            raise NotFound(f"there is no device with id '{device_id}'")
        return tenant_id


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    for name, most in _TEXTS.items():
        value = fields.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= most):
            raise InvalidValue(name, f"'{name}' must be a text of at most {most} characters")
    score = fields.get("score")
    if score is not None:
        is_number = isinstance(score, int | float) and not isinstance(score, bool)
        if not is_number or not math.isfinite(score):
            raise InvalidValue("score", "'score' must be a finite number")
        fields["score"] = float(score)
    try:
        IdField().db_value(fields.get("snapshot_id"))
    except ValueError:
        raise InvalidValue("snapshot_id", "'snapshot_id' must be the id of a snapshot") from None
    return fields
