"""Registration of devices from a command or a file, by the same rules as in a request."""

import json
import logging
from pathlib import Path
from typing import Any

import marshmallow as ma

from gateway import database
from gateway.api.devices.schemas import DeviceSchema
from gateway.api.devices.values import new_values
from gateway.config import Config
from gateway.devices.demo import remember_demo_device
from gateway.devices.model import Device
from gateway.devices.sources import SourcePolicy
from gateway.errors import InvalidValue, Unavailable
from gateway.inventory import DeviceValues, NameTaken, NewRecording, create_device
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import collect_sources
from gateway.secrets import SecretBox
from gateway.states import DesiredState
from gateway.streams.messages import Messages
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

logger = logging.getLogger(__name__)


def add_device(values: dict[str, Any], config: Config, box: SecretBox, messages: Messages) -> Device:
    """Add a device to the default tenant and start it if its mode says so; raises InvalidValue or NameTaken."""
    device = create_device(TenantScope(DEFAULT_TENANT_ID), _checked(values, config), box, recording=_recording(config))
    _send_start(device, messages)
    return device


def register_devices(file: Path, config: Config, box: SecretBox, messages: Messages) -> list[str]:
    """Add the devices of a JSON file (a list of objects as in the API), each name only once ever.

    Returns the names that were added. A device that was registered before is skipped, even if it was deleted since, and
    so is a name that another device has. Raises InvalidValue for any other file.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError(f"it contains {type(entries).__name__}")
        wanted = {entry["name"]: _checked(entry, config) for entry in entries}
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidValue("file", f"'{file}' must be a JSON list of devices, each with a name: {error}") from None
    scope, added = TenantScope(DEFAULT_TENANT_ID), []
    for name, values in wanted.items():
        device = _add_once(scope, name, values, box, _recording(config))
        if device is not None:
            _send_start(device, messages)
            added.append(name)
    return added


def _recording(config: Config) -> NewRecording:
    return NewRecording(config.recording_mode, config.time_zone)


def _add_once(
    scope: TenantScope, name: str, values: DeviceValues, box: SecretBox, recording: NewRecording
) -> Device | None:
    with database.transaction():
        if not remember_demo_device(scope, name):
            return None
        try:
            return create_device(scope, values, box, recording=recording)
        except NameTaken:
            return None


def _checked(values: dict[str, Any], config: Config) -> DeviceValues:
    try:
        data = DeviceSchema().load(values)
    except ma.ValidationError as error:
        field, texts = next(iter(error.normalized_messages().items()))
        raise InvalidValue(str(field), f"'{field}': {texts}") from None
    ports = collect_sources(load_plugins(config), config).ports
    return new_values(data, SourcePolicy.from_config(config, ports))


def _send_start(device: Device, messages: Messages) -> None:
    if device.stream.desired != DesiredState.RUNNING:
        return
    try:
        messages.start_stream(device.id)
    except Unavailable as error:
        logger.warning("the start is left to the clock process: %s", error)
