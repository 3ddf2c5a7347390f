"""Creates objects for tests: settings, devices, plugin managers."""

import itertools
from typing import Any

from gateway.config import Config
from gateway.devices.model import Device
from gateway.inventory import DeviceValues, create_device
from gateway.plugin_manager import PluginManager, create_plugin_manager
from gateway.secrets import SecretBox
from gateway.tenancy.scopes import TenantScope

SECRET_KEY = "test-secret-key-0123456789"
SFU_SECRET = "test-sfu-secret-0123456789"

#: A password that must never appear anywhere.
PASSWORD = "pa55-w0rd-n0t-t0-be-seen"
SOURCE_URL = f"rtsp://viewer:{PASSWORD}@192.168.7.20:554/stream1?token=t0k3n-n0t-t0-be-seen"
SHOWN_URL = "rtsp://***@192.168.7.20:554/stream1?token=***"
SECRETS = (PASSWORD, "t0k3n-n0t-t0-be-seen", SECRET_KEY, SFU_SECRET, "pg-secret")

_numbers = itertools.count(1)


def make_config(**values: Any) -> Config:
    """Settings without outside effects; pass those that matter."""
    defaults: dict[str, Any] = {
        "database_url": "sqlite:////nowhere/vas.db",
        "redis_url": "redis://127.0.0.1:1/0",
        "secret_key": SECRET_KEY,
        "sfu_secret": SFU_SECRET,
        "mediasoup_ws_url": "ws://127.0.0.1:1",
        "recording_mode": "off",
    }
    return Config(**(defaults | values))


def no_plugins() -> PluginManager:
    """A plugin manager without plugins."""
    return create_plugin_manager(with_installed=False)


def make_device(scope: TenantScope, box: SecretBox, **values: Any) -> Device:
    """A device in the database, with a unique name; its start mode is manual unless `values` say otherwise."""
    defaults: dict[str, Any] = {
        "name": f"Camera {next(_numbers)}",
        "source_url": SOURCE_URL,
        "start_mode": "manual",
    }
    return create_device(scope, DeviceValues(**(defaults | values)), box)


def device_body(**values: Any) -> dict[str, Any]:
    """A body for POST /devices, with a unique name; its start mode is manual unless `values` say
    otherwise."""
    return {"name": f"Camera {next(_numbers)}", "source_url": SOURCE_URL, "start_mode": "manual"} | values
