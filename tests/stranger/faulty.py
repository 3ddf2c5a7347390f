"""Fails as it is ordered."""

import ctypes
import json
import os
import sys
import time
from pathlib import Path

from gateway.devices.model import Device
from gateway.plugin_api import (
    EVERY_TENANT,
    AddressSource,
    ComponentHealth,
    ConsumerOutput,
    Consumption,
    DirectOutput,
    HealthCheck,
    OutputArguments,
    PacketTaker,
    database,
    hookimpl,
)
from gateway.plugin_api.web import Blueprint

BLOCK_SECONDS, BUSY_SECONDS, GIL_SECONDS, LEAK_BYTES = 60, 30, 10, 200 << 20
leaked = []


def read_order():
    """What is ordered now."""
    return json.loads(Path(os.environ["STRANGER_ORDERS"]).read_text())


def wait_for_calm(order, seconds, pause):
    """Wait as ordered, at the longest until something else is ordered; without a pause the processor is busy."""
    end, asked = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        time.sleep(pause) if pause else None
        if time.monotonic() - asked > 1:
            asked = time.monotonic()
            if read_order() != order:
                return


def fail(hook, device_id=None):
    """Do what is ordered for this hook."""
    order = read_order()
    if order.get("hook") != hook or order.get("device_id") not in (None, device_id):
        return
    fault = order["fault"]
    if fault == "block":
        wait_for_calm(order, BLOCK_SECONDS, pause=0.2)
    elif fault == "raise":
        raise RuntimeError("ordered")
    elif fault == "sys_exit":
        sys.exit(3)
    elif fault == "os_exit":
        os._exit(3)
    elif fault == "c_exit":
        ctypes.CDLL(None)._exit(3)
    elif fault == "segfault":
        ctypes.string_at(0)
    elif fault == "busy":
        wait_for_calm(order, BUSY_SECONDS, pause=0.0)
    elif fault == "gil":
        ctypes.PyDLL(None).sleep(GIL_SECONDS)
    elif fault == "leak":
        leaked.append(bytearray(b"x") * LEAK_BYTES)


fail("load")


class Taker(PacketTaker):
    is_wanted = True

    def __init__(self, device_id):
        self.device_id = device_id

    def take(self, kind, payload, time, *, ends_unit):
        if ends_unit:
            fail("packets", self.device_id)


class Direct(DirectOutput):
    name = "stranger_direct"

    def attach(self, device, inputs):
        fail("direct.attach", device.id)
        return OutputArguments(packets=Taker(device.id))

    def check(self, device_id):
        fail("check", device_id)

    def figures(self, device_id):
        fail("figures", device_id)
        return {"strange": 1}

    def release(self, device_id):
        fail("release", device_id)


class Taking(Consumption):
    position = None

    def __init__(self, device_id):
        self.device_id = device_id

    def take(self, part, init_segment):
        fail("take", self.device_id)

    def tick(self):
        fail("tick", self.device_id)

    def close(self, reason):
        fail("close", self.device_id)


class Consumer(ConsumerOutput):
    name = "stranger_consumer"

    def wanted(self):
        fail("wanted")
        with database.session():
            return [row.id for row in EVERY_TENANT.select(Device, Device.id).where(Device.enabled == True)]  # noqa: E712

    def attach(self, device):
        fail("attach", device.id)
        return Taking(device.id)


class Source(AddressSource):
    schemes = ("strange",)
    default_ports = {"strange": 554}  # noqa: RUF012 (as the contract has it)

    async def resolve(self, target):
        fail("resolve")
        return f"rtsp://{target.host}:{target.port}{target.path}"


@hookimpl
def register_sources(context):
    fail("register_sources")
    return [Source()]


@hookimpl
def register_direct_outputs(context):
    fail("register_direct_outputs")
    return [Direct()]


@hookimpl
def register_consumer_outputs(context):
    fail("register_consumer_outputs")
    return [Consumer()]


@hookimpl
def register_health_checks(config):
    def check():
        fail("health")
        return ComponentHealth("ok")

    return [HealthCheck("stranger", check)]


@hookimpl
def register_blueprints(config):
    blp = Blueprint("stranger", __name__, url_prefix="/stranger")

    @blp.route("")
    @blp.response(200)
    def strange():
        """Fail as ordered"""
        fail("view")
        return {}

    return [blp]


@hookimpl
def on_stream_state(device_id, state, reason):
    fail("on_stream_state", device_id)


@hookimpl
def on_segment(device_id, segment):
    fail("on_segment", device_id)


@hookimpl
def on_bookmark(device_id, bookmark):
    fail("on_bookmark", device_id)


@hookimpl
def on_snapshot(device_id, snapshot):
    fail("on_snapshot", device_id)
