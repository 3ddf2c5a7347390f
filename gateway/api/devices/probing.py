"""The web side of a probe: check the source, send the request to a worker, wait for its answer."""

from typing import Any

from gateway.api.base import DeferredReply, current_scope, services
from gateway.api.devices.values import checked_source
from gateway.api.errors import ApiError
from gateway.devices.probes import ProbeRequest
from gateway.errors import Unavailable
from gateway.inventory import find_device
from gateway.redaction import is_redacted
from gateway.redis_client import queue_answers

#: Longest wait for a worker and its camera.
WAIT_SECONDS = 20.0

_queue_answers = queue_answers()


def probe(data: dict[str, Any]) -> DeferredReply:
    """The answer of a worker, later. Raises InvalidValue, NotFound, Unavailable (`no_worker`, `probe_timed_out`)."""
    slots, probes = services().probe_slots, services().probes
    request = ProbeRequest(_whole_source(data), data["transport"])
    if not slots.acquire(blocking=False):
        raise ApiError(429, "too many probes are running: try again in a few seconds", reason="too_many_probes")
    try:
        with _queue_answers:
            probe_id = probes.store_request(request)
            services().messages.probe_source(probe_id)
            future = probes.expect_result(probe_id)
    except Exception:
        slots.release()
        raise

    def finish() -> dict[str, Any]:
        with _queue_answers:
            if future.done():
                answer = probes.open_result(probe_id, future.result())
                if answer is not None:
                    return answer
            elif probes.withdraw(probe_id):
                raise Unavailable("no worker has taken the job: start the jobs process", reason="no_worker")
        raise Unavailable("the worker did not answer in time", reason="probe_timed_out")

    def close() -> None:
        probes.forget_result(probe_id, future)
        slots.release()

    return DeferredReply(future, WAIT_SECONDS, finish, close=close)


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
