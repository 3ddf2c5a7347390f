"""Recording: writes each device's parts into one-minute files, with an index that locates every part."""

import logging

from gateway.plugin_api import Config, ConsumerContext, ConsumerOutput, HealthCheck, SegmentFact, hookimpl, in_process

# All processes load this module, few of them a recorder.

log = logging.getLogger(__name__)


@hookimpl
def register_consumer_outputs(context: ConsumerContext) -> list[ConsumerOutput]:
    """One recorder for all devices of the record worker process."""
    from plugins.hls_recorder.output import HlsRecorder

    return [HlsRecorder(context)]


@hookimpl
def register_health_checks(config: Config) -> list[HealthCheck]:
    """Whether wanted footage is recorded."""
    from plugins.hls_recorder.health import build_health_check

    return [build_health_check(config)]


@in_process
@hookimpl
def on_segment(device_id: str, segment: SegmentFact) -> None:
    """Log each finished file."""
    log.debug("device %s: recorded %d ms in '%s', %d bytes", device_id, segment.duration_ms, segment.key, segment.size)
