"""The rows of the database and the only functions that change them."""

from gateway.models.base import EVERY_TENANT, EveryTenantScope, TenantScope, UnscopedQuery
from gateway.models.devices import Device, DeviceTag
from gateway.models.events import DeviceEvent, events_of, prune_events
from gateway.models.streams import (
    DeviceSettings,
    InvalidTransition,
    Stream,
    StreamRecord,
    Wish,
    ask_to_run,
    ask_to_stop,
    claim_next_run,
    claim_run,
    read_device_settings,
    read_stream_record,
    read_wish,
    set_source_info,
    streams_to_reconcile,
    streams_wanted,
    touch_demand,
    transition,
)
from gateway.models.tenants import DEFAULT_TENANT_ID, Tenant

__all__ = [
    "DEFAULT_TENANT_ID",
    "EVERY_TENANT",
    "Device",
    "DeviceEvent",
    "DeviceSettings",
    "DeviceTag",
    "EveryTenantScope",
    "InvalidTransition",
    "Stream",
    "StreamRecord",
    "Tenant",
    "TenantScope",
    "UnscopedQuery",
    "Wish",
    "ask_to_run",
    "ask_to_stop",
    "claim_next_run",
    "claim_run",
    "events_of",
    "prune_events",
    "read_device_settings",
    "read_stream_record",
    "read_wish",
    "set_source_info",
    "streams_to_reconcile",
    "streams_wanted",
    "touch_demand",
    "transition",
]
