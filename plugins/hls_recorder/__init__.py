"""Recording: writes each device's parts into one-minute files, with an index that locates every part."""

import logging

from gateway.config import Config
from gateway.hookspecs import HealthCheck, hookimpl, in_process
from gateway.media import SegmentFact
from gateway.outputs import ConsumerContext, ConsumerOutput
from plugins.hls_recorder.health import build_health_check
from plugins.hls_recorder.output import HlsRecorder

log = logging.getLogger(__name__)


@hookimpl
def register_consumer_outputs(context: ConsumerContext) -> list[ConsumerOutput]:
    """One recorder for all devices of the record worker process."""
    return [HlsRecorder(context)]


@hookimpl
def register_health_checks(config: Config) -> list[HealthCheck]:
    """Whether wanted footage is recorded."""
    return [build_health_check(config)]


@in_process
@hookimpl
def on_segment(device_id: str, segment: SegmentFact) -> None:
    """Log each finished file."""
    log.debug("device %s: recorded %d ms in '%s', %d bytes", device_id, segment.duration_ms, segment.key, segment.size)
