"""Builds one FFmpeg command from a device and its direct outputs."""

import logging
from dataclasses import dataclass

from gateway.config import Config
from gateway.outputs import DeviceContext, DirectOutput, OutputArguments, OutputMode, PipelineInputs
from gateway.streams.queries import DeviceSettings
from workers.ffmpeg.command import build_bus_arguments, build_global_arguments, build_input_arguments

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AttachedOutput:
    """A direct output's share of the pipeline; `arguments` is None if it could not be attached."""

    output: DirectOutput
    arguments: OutputArguments | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The command of one FFmpeg process. `command` contains the camera's password: never log it."""

    command: tuple[str, ...]
    attached: tuple[AttachedOutput, ...]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that its outputs read and write."""
        return tuple(folder for item in self.attached if item.arguments for folder in item.arguments.folders)

    def __repr__(self) -> str:
        return f"<Pipeline with {len(self.attached)} direct outputs>"


def build_pipeline(
    config: Config,
    device: DeviceSettings,
    inputs: PipelineInputs,
    outputs: list[DirectOutput],
    *,
    patience_seconds: float = 0.0,
) -> Pipeline:
    """Attach every output and build the command; an output that fails is left out and listed with its problem.

    `patience_seconds`: the time that the camera's first picture may take.
    """
    context = DeviceContext(id=device.id, tenant_id=device.tenant_id, name=device.name)
    video = inputs.main.video
    is_known = video is not None and not video.has_b_frames and bool(video.width)
    attached = tuple(_attach(output, context, inputs) for output in outputs)
    command = [
        config.ffmpeg_bin,
        *build_global_arguments(),
        *build_input_arguments(
            device.source_url,
            device.transport,
            config.stall_seconds,
            is_known=is_known,
            patience_seconds=patience_seconds,
        ),
    ]
    if any(item.arguments and item.arguments.mode == OutputMode.SUB_STREAM for item in attached):
        command += build_input_arguments(device.sub_source_url, device.transport, config.stall_seconds, is_known=True)
    # Direct outputs come first: FFmpeg writes outputs in this order, and these need low latency.
    for item in attached:
        if item.arguments:
            command += item.arguments.arguments
    command += build_bus_arguments(inputs.main, config.part_seconds)
    return Pipeline(tuple(command), attached)


def describe_outputs(pipeline: Pipeline) -> list[dict[str, str | None]]:
    """The outputs in the form of the API."""
    return [
        {"name": item.output.name, "mode": item.arguments.mode.value, "reason": item.arguments.reason}
        if item.arguments
        else {"name": item.output.name, "mode": None, "reason": item.problem}
        for item in pipeline.attached
    ]


def _attach(output: DirectOutput, context: DeviceContext, inputs: PipelineInputs) -> AttachedOutput:
    try:
        return AttachedOutput(output, output.attach(context, inputs))
    except Exception as error:
        log.warning("device %s: output '%s' cannot be attached: %s", context.id, output.name, error)
        return AttachedOutput(output, None, f"not attached: {error}")
