"""Live video in the browser: each device's RTP to the SFU (mediasoup), and from there WebRTC to viewers."""

from typing import TYPE_CHECKING

from gateway.plugin_api import (
    Config,
    DirectOutput,
    HealthCheck,
    OptionSchemas,
    OutputContext,
    PluginContext,
    hookimpl,
    in_process,
)

if TYPE_CHECKING:
    from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput

# All processes load this module, few of them an output or tokens, whose libraries take 10 MB.


class MediasoupWebrtc:
    """Live video in the browser: each device's RTP to the SFU (mediasoup), and from there WebRTC to viewers."""

    def __init__(self) -> None:
        self._output: MediasoupWebrtcOutput | None = None

    @hookimpl
    def register_options(self) -> list[OptionSchemas]:
        """What viewers of a device get."""
        from plugins.mediasoup_webrtc.options import DeviceOptionsSchema

        return [OptionSchemas(device=DeviceOptionsSchema)]

    @hookimpl
    def register_direct_outputs(self, context: OutputContext, plugin: PluginContext) -> list[DirectOutput]:
        """One output for all devices of the stream worker process."""
        from plugins.mediasoup_webrtc.options import DeviceOptions
        from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput

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
        from plugins.mediasoup_webrtc.health import build_health_check

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
