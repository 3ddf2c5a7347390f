"""`/metrics`: figures of the service, of devices and of plugins in Prometheus's text format."""

from typing import Any

from flask import Response

from gateway.api.base import Blueprint, Count, Schema, current_scope, services
from gateway.metrics.exposition import CONTENT_TYPE
from gateway.metrics.scrape import Metrics

blp = Blueprint("metrics", __name__, url_prefix="/metrics", description="Figures for monitoring")


class MetricsArgsSchema(Schema):
    """Query of metrics."""

    per_device = Count(
        load_default=0,
        low=0,
        high=1,
        metadata={
            "description": "1: also the series of each device (`vas_device_…` and those of plugins), many in a "
            "large installation"
        },
    )


@blp.route("")
@blp.arguments(MetricsArgsSchema, location="query")
@blp.response(200, {"type": "string"}, content_type="text/plain")
@blp.errors(422)
def read_metrics(args: dict[str, Any]) -> Response:
    """Read metrics

    Figures for monitoring in the text format of Prometheus: components, streams, recordings, outputs, jobs, events,
    storage, and what plugins register (`vas_plugin_…`). Always 200: what cannot be read now is left out, and
    `vas_metrics_collected` is 0 for it. A reading is cached for five seconds.
    """
    wired = services()
    metrics = wired.plugins.keep("metrics", lambda: Metrics(wired.config, wired.redis, wired.bus, wired.plugins))
    return Response(metrics.read(current_scope(), per_device=bool(args["per_device"])), content_type=CONTENT_TYPE)
