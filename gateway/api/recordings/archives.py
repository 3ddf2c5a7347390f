"""The archives as the storage panel shows them: bytes by tier, the state of the copying, and what waits most."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import current_app

from gateway.api.base import current_scope, services
from gateway.archive.interface import read_backlog
from gateway.archives import Archive, ArchiveWork, ObservedArchive
from gateway.errors import NotFound, PluginError
from gateway.footage.lists import Usage
from gateway.inventory import find_devices
from gateway.plugin_manager import collect

_MOST_BACKLOGS = 10


def archive_view(usages: list[Usage]) -> dict[str, Any] | None:
    """As in the schema `Tiers`; None if no archive has or takes any footage."""
    devices = sum(usage.recording.archived_by is not None for usage in usages)
    archived = sum(usage.archived_bytes for usage in usages)
    if not devices and not archived:
        return None
    return {
        "archived_bytes": archived,
        "away_bytes": sum(usage.away_bytes for usage in usages),
        "waiting_bytes": sum(usage.waiting_bytes for usage in usages),
        "devices": devices,
        "archives": _archives_view(),
        "backlogs": _backlogs_view(usages),
    }


def find_observed(name: str) -> ObservedArchive:
    """An archive whose plugin can test and retry. Raises NotFound."""
    for archive in _archives():
        if archive.name == name and isinstance(archive, ObservedArchive):
            return archive
    raise NotFound(f"there is no archive '{name}' that can be tested")


def _archives() -> list[Archive]:
    """The archives of this process; none while a plugin fails, which its health says."""
    known = current_app.extensions.get("vas_archives")
    if known is None:
        try:
            known = collect(services().plugins, "register_archives")
        except PluginError:
            return []
        current_app.extensions["vas_archives"] = known
    return known


def _archives_view() -> list[dict[str, Any]]:
    found = []
    for archive in _archives():
        is_observed = isinstance(archive, ObservedArchive)
        work = archive.work() if is_observed else ArchiveWork()
        found.append(
            {
                "name": archive.name,
                "state": work.state,
                "reason": None if work.failure is None else asdict(work.failure),
                "bytes_per_second": work.bytes_per_second,
                "is_testable": is_observed,
                **{name: _moment(getattr(work, name)) for name in ("failing_since", "next_try_at", "ends_at")},
            }
        )
    return found


def _backlogs_view(usages: list[Usage]) -> list[dict[str, Any]]:
    waiting = sorted((usage for usage in usages if usage.waiting_bytes > 0), key=lambda one: -one.waiting_bytes)
    shown = [usage.recording.device_id for usage in waiting[:_MOST_BACKLOGS]]
    backlogs = {device_id: read_backlog([device_id]) for device_id in shown}
    names = {device.id: device.name for device in find_devices(current_scope(), shown)}
    return [
        {
            "device_id": device_id,
            "device_name": names.get(device_id, ""),
            "waiting_bytes": backlog.bytes,
            "oldest": backlog.oldest_ms,
        }
        for device_id, backlog in backlogs.items()
        if backlog.bytes > 0
    ]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
