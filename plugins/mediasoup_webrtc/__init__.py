"""Live video in the browser: each device's RTP to the SFU (mediasoup), and from there WebRTC to viewers."""

from gateway.config import Config
from gateway.hookspecs import HealthCheck, hookimpl
from gateway.outputs import DirectOutput, OutputContext
from plugins.mediasoup_webrtc.health import build_health_check
from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput

_outputs: list[MediasoupWebrtcOutput] = []


@hookimpl
def register_direct_outputs(context: OutputContext) -> list[DirectOutput]:
    """One output for all devices of the stream worker process."""
    _outputs.append(MediasoupWebrtcOutput(context))
    return [_outputs[-1]]


@hookimpl
def register_blueprints(config: Config) -> list:
    """`POST /streams/{id}/viewers`: the token with which a viewer goes to the SFU."""
    from plugins.mediasoup_webrtc.routes import build_blueprint

    return [build_blueprint(config)]


@hookimpl
def register_health_checks(config: Config) -> list[HealthCheck]:
    """The SFU and its Workers."""
    return [build_health_check(config)]


@hookimpl
def on_stream_state(device_id: str, state: str) -> None:
    """A stopped stream's room is closed; one that reconnects keeps its viewers."""
    if state == "stopped":
        for output in _outputs:
            output.close_room(device_id)
