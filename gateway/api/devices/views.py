"""Devices as the API shows them: the row, with the mode and the state of its recording."""

from gateway.api.base import current_scope, services
from gateway.devices.model import Device


def device_views(devices: list[Device]) -> list[Device]:
    """Devices (as `find_device` gives them) with the states of their recordings as `.recording`."""
    states = services().read_recordings(current_scope(), [device.id for device in devices])
    for device in devices:
        device.recording = states.get(device.id)
    return devices


def device_view(device: Device) -> Device:
    """One device."""
    return device_views([device])[0]
