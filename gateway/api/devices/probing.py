"""The web side of a probe: check the source, send the request to a worker, wait for its answer."""

from typing import Any

import redis

from gateway.api.base import current_scope, services
from gateway.api.devices.values import checked_source
from gateway.api.errors import ApiError
from gateway.devices.probes import ProbeRequest
from gateway.errors import Unavailable
from gateway.inventory import find_device
from gateway.redaction import is_redacted

#: Longest wait for a worker and its camera.
WAIT_SECONDS = 20.0


def probe(data: dict[str, Any]) -> dict[str, Any]:
    """The answer of a worker. Raises InvalidValue, NotFound, Unavailable (`no_worker`, `probe_timed_out`)."""
    slots = services().probe_slots
    request = ProbeRequest(_whole_source(data), data["transport"])
    if not slots.acquire(blocking=False):
        raise ApiError(429, "too many probes are running: try again in a few seconds", reason="too_many_probes")
    try:
        return _ask_worker(request)
    except redis.RedisError as error:
        raise Unavailable("the queue (Redis) does not answer", reason="redis_unavailable") from error
    finally:
        slots.release()


def _ask_worker(request: ProbeRequest) -> dict[str, Any]:
    probes = services().probes
    probe_id = probes.store_request(request)
    services().messages.probe_source(probe_id)
    result = probes.wait_for_result(probe_id, WAIT_SECONDS)
    if result is not None:
        return result
    if probes.withdraw(probe_id):
        raise Unavailable("no worker has taken the job: start the jobs process", reason="no_worker")
    raise Unavailable("the worker did not answer in time", reason="probe_timed_out")


def _whole_source(data: dict[str, Any]) -> str:
    """The URL to probe, with the stored password if the client sent the URL as it was shown."""
    text = data["source_url"]
    if is_redacted(text) and data["device_id"] is not None:
        device = find_device(current_scope(), data["device_id"])
        if text == device.source_url:
            return device.open_source(services().box)
        if text == device.sub_source_url:
            return device.open_sub_source(services().box) or text
    return checked_source(text, "source_url", services().policy)
