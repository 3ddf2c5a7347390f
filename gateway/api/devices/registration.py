"""Devices that come from a command or a file instead of a request, by the same rules."""

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
    """Add the devices of a JSON file, a list of objects as the API takes them, each once ever by its name.

    Gives the names that were added. One that was registered before stays as it is, also when it was deleted; one
    whose name a person has used is left alone. Raises InvalidValue for a file that is no such list.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError(f"it holds {type(entries).__name__}")
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
    return new_values(data, SourcePolicy.from_config(config))


def _send_start(device: Device, messages: Messages) -> None:
    if device.stream.desired != DesiredState.RUNNING:
        return
    try:
        messages.start_stream(device.id)
    except Unavailable as error:
        logger.warning("the start waits for the clock process: %s", error)
