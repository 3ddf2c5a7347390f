"""The web side of a probe: check the source, send the request to a worker, wait for its answer."""

from typing import Any

from gateway.api.base import DeferredReply, current_scope, services
from gateway.api.devices.values import checked_source, has_login, stored_sources, with_login
from gateway.api.errors import ApiError
from gateway.devices.probes import ProbeRequest
from gateway.errors import Unavailable
from gateway.inventory import find_device
from gateway.redaction import is_redacted
from gateway.redis_client import queue_answers
from gateway.states import StreamState
from gateway.streams.queries import read_source_info, read_stream_record

#: Longest wait for a worker and its camera.
WAIT_SECONDS = 20.0

_queue_answers = queue_answers()


def probe(data: dict[str, Any]) -> DeferredReply | dict[str, Any]:
    """What is known of a device that runs from this source; otherwise the answer of a worker, later.

    Raises InvalidValue, NotFound, Unavailable (`no_worker`, `probe_timed_out`).
    """
    slots, probes = services().probe_slots, services().probes
    url = _whole_source(data)
    known = _describe_running(data, url)
    if known is not None:
        return known
    request = ProbeRequest(url, data["transport"], data["tls_trust"], data["tls_fingerprint"], data["try_now"])
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


def _describe_running(data: dict[str, Any], url: str) -> dict[str, Any] | None:
    """What the stream of the device shows, if it runs from this source: many cameras refuse a second connection, and
    some end the first one for it."""
    if data["device_id"] is None or data["try_now"]:
        return None
    device = find_device(current_scope(), data["device_id"])
    names = ("transport", "tls_trust", "tls_fingerprint")
    if any(data[name] != getattr(device, name) for name in names) or url != device.open_source(services().box):
        return None
    stream = read_stream_record(device.id)
    source = read_source_info(device.id, device.source_version)
    if stream is None or stream.observed != StreamState.RUNNING or source is None or source.video is None:
        return None
    return {
        **source.to_dict(),
        "reachable": True,
        "reason": None,
        "elapsed_ms": 0,
        "advice": [],
        "picture": None,
        "notes": ["the device runs from this source: this is what its stream shows, the camera was not asked again"],
    }


def _whole_source(data: dict[str, Any]) -> str:
    """The URL to probe, with the stored password if the client sent the URL as it was shown."""
    text, box = data["source_url"], services().box
    if is_redacted(text) and data["device_id"] is not None:
        device = find_device(current_scope(), data["device_id"])
        if has_login(data):
            stored = next((pair for pair in stored_sources(device, box).values() if pair[0] == text), None)
            text = with_login(data, {"source_url": stored} if stored else {})["source_url"]
        elif text == device.source_url:
            return device.open_source(box)
        elif text == device.sub_source_url:
            return device.open_sub_source(box) or text
    elif has_login(data):
        text = with_login(data, {})["source_url"]
    return checked_source(text, "source_url", services().policy)
