"""Live video in the browser: each device's RTP to the SFU (mediasoup), and from there WebRTC to viewers."""

from gateway.config import Config
from gateway.hookspecs import HealthCheck, OptionSchemas, hookimpl, in_process
from gateway.outputs import DirectOutput, OutputContext
from gateway.plugin_context import PluginContext
from plugins.mediasoup_webrtc.health import build_health_check
from plugins.mediasoup_webrtc.options import DeviceOptions, DeviceOptionsSchema
from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput


class MediasoupWebrtc:
    """Live video in the browser: each device's RTP to the SFU (mediasoup), and from there WebRTC to viewers."""

    def __init__(self) -> None:
        self._output: MediasoupWebrtcOutput | None = None

    @hookimpl
    def register_options(self) -> list[OptionSchemas]:
        """What viewers of a device get."""
        return [OptionSchemas(device=DeviceOptionsSchema)]

    @hookimpl
    def register_direct_outputs(self, context: OutputContext, plugin: PluginContext) -> list[DirectOutput]:
        """One output for all devices of the stream worker process."""
        self._output = MediasoupWebrtcOutput(
            context, lambda device_id: DeviceOptions.parse(plugin.options.device(device_id))
        )
        return [self._output]

    @hookimpl
    def on_options(self, device_id: str | None) -> None:
        """Attach those devices again whose viewers are to get something else."""
        if self._output is not None:
            self._output.follow_options(device_id)

    @hookimpl
    def register_blueprints(self, config: Config) -> list:
        """`POST /streams/{id}/viewers`: the token with which a viewer connects to the SFU."""
        from plugins.mediasoup_webrtc.routes import build_blueprint

        return [build_blueprint(config)]

    @hookimpl
    def register_health_checks(self, config: Config) -> list[HealthCheck]:
        """The SFU and its Workers."""
        return [build_health_check(config)]

    @in_process
    @hookimpl
    def on_stream_state(self, device_id: str, state: str) -> None:
        """Close the room of a stopped stream; a reconnecting stream keeps its viewers.

        Without an output, in processes other than stream workers, there is no connection to the SFU.
        """
        if state == "stopped" and self._output is not None:
            self._output.close_room(device_id)


#: The plugin manager of each process calls it once.
create_plugin = MediasoupWebrtc
