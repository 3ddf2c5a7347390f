"""A device and its outputs become one command; an output that fails is left out and listed, and the stream runs."""

import pytest

from gateway.media import SourceInfo, VideoInfo
from gateway.outputs import DirectOutput, OutputArguments, OutputMode, PipelineInputs
from gateway.streams.queries import DeviceSettings
from tests.factories import PASSWORD, make_config
from workers.streams.pipeline import build_pipeline, describe_outputs

MAIN = SourceInfo(video=VideoInfo("h264", 1280, 720))
DEVICE = DeviceSettings(
    id="d1",
    tenant_id="t1",
    name="Gate",
    transport="tcp",
    start_mode="always",
    idle_seconds=30,
    enabled=True,
    source_version=1,
    source_url=f"rtsp://u:{PASSWORD}@10.0.0.1/main",
    sub_source_url=f"rtsp://u:{PASSWORD}@10.0.0.1/sub",
)


class FakeOutput(DirectOutput):
    def __init__(
        self, name: str, *words: str, mode: OutputMode = OutputMode.COPY, error: Exception | None = None
    ) -> None:
        self.name, self.words, self.mode, self.error = name, words, mode, error
        self.seen = None

    def attach(self, device, inputs):
        self.seen = device
        if self.error:
            raise self.error
        return OutputArguments(self.words, self.mode, None if self.mode == OutputMode.COPY else "for a reason")


def build(*outputs: DirectOutput, main: SourceInfo = MAIN):
    return build_pipeline(make_config(), DEVICE, PipelineInputs(main), list(outputs))


def test_direct_outputs_come_first_and_the_bus_last():
    command = build(FakeOutput("one", "-f", "rtp", "rtp://a"), FakeOutput("two", "rtp://b")).command
    assert (
        command.index(DEVICE.source_url) < command.index("rtp://a") < command.index("rtp://b") < command.index("pipe:1")
    )
    assert command[-1] == "pipe:1"
    assert DEVICE.sub_source_url not in command


def test_an_output_that_fails_to_attach_is_left_out_and_listed(caplog):
    pipeline = build(FakeOutput("broken", error=RuntimeError("no room")), FakeOutput("good", "rtp://b"))
    assert "rtp://b" in pipeline.command
    assert describe_outputs(pipeline) == [
        {"name": "broken", "mode": None, "reason": "not attached: no room"},
        {"name": "good", "mode": "copy", "reason": None},
    ]
    assert "output 'broken' cannot be attached" in caplog.text


def test_a_pipeline_without_outputs_still_feeds_the_bus():
    assert build().command[-1] == "pipe:1"


def test_the_sub_stream_is_a_second_input_only_if_an_output_uses_it():
    command = build(FakeOutput("sub", "-map", "1:v:0", "rtp://b", mode=OutputMode.SUB_STREAM)).command
    inputs = [command[at + 1] for at, word in enumerate(command) if word == "-i"]
    assert inputs == [DEVICE.source_url, DEVICE.sub_source_url]
    assert command.index(DEVICE.sub_source_url) < command.index("1:v:0")


def test_re_encoding_is_reported_with_its_reason():
    pipeline = build(FakeOutput("webrtc", "x", mode=OutputMode.TRANSCODE))
    assert describe_outputs(pipeline) == [{"name": "webrtc", "mode": "transcode", "reason": "for a reason"}]


def test_an_output_gets_no_address_and_no_password():
    output = FakeOutput("nosy")
    build(output)
    assert (output.seen.id, output.seen.tenant_id, output.seen.name) == ("d1", "t1", "Gate")
    assert PASSWORD not in repr(output.seen)


def test_the_password_is_in_the_command_only():
    pipeline = build(FakeOutput("one"))
    assert PASSWORD in str(pipeline.command)
    assert PASSWORD not in repr(pipeline) + repr(DEVICE)


@pytest.mark.parametrize(
    ("video", "duration"),
    [
        (VideoInfo("h264", 1280, 720), "500000"),
        (VideoInfo("h264", 0, 0), "3000000"),
        (VideoInfo("h264", 1280, 720, has_b_frames=True), "3000000"),
    ],
)
def test_only_a_fully_known_source_is_not_analysed_again(video, duration):
    command = build(main=SourceInfo(video=video)).command
    assert command[command.index("-analyzeduration") + 1] == duration
