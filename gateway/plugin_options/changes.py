"""What differs between two snapshots of options, for the hook `on_options`."""

from gateway.plugin_options.model import INSTALLATION
from gateway.plugin_options.reader import Snapshot
from gateway.plugin_options.store import StoredDevice, StoredOptions


def find_changes(before: Snapshot, after: Snapshot, plugin: str) -> list[str | None]:
    """The arguments of `on_options`: None first, for options of the installation or of tags, then ids of devices."""
    old, new = before.stored, after.stored
    of_plugin = {key for key in (*old.by_tag, *new.by_tag) if key[1] == plugin}
    is_general = any(old.by_tag.get(key, {}) != new.by_tag.get(key, {}) for key in of_plugin)
    found: list[str | None] = [None] if is_general else []
    for device_id, device in new.devices.items():
        is_own = old.of_device(device_id, plugin) != new.of_device(device_id, plugin)
        if is_own or (not is_general and _has_other_options(old.devices.get(device_id), device, new, plugin)):
            found.append(device_id)
    return found


def _has_other_options(before: StoredDevice | None, after: StoredDevice, options: StoredOptions, plugin: str) -> bool:
    """Whether a device got or lost a tag that has options."""
    if before is None or before.tags == after.tags:
        return False
    tags = options.of_tags(after.tenant_id, plugin).keys() - {INSTALLATION}
    return bool(tags & (set(before.tags) ^ set(after.tags)))
