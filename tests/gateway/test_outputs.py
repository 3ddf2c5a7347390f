"""A direct output needs a name and `attach`; all else may be left out."""

import pytest

from gateway.media import SourceInfo
from gateway.outputs import DirectOutput, OutputArguments, OutputMode, PipelineInputs


class SmallestOutput(DirectOutput):
    name = "smallest"

    def attach(self, device, inputs):
        return OutputArguments(())


def test_the_smallest_output_asks_for_nothing_and_gives_everything_back():
    output = SmallestOutput()
    assert output.check("d1") is None
    assert output.figures("d1") == {}
    output.release("d1")
    output.close()
    assert output.attach(None, None) == OutputArguments((), OutputMode.COPY, None)


def test_an_output_that_cannot_be_attached_is_none():
    with pytest.raises(TypeError, match="attach"):
        type("Unfinished", (DirectOutput,), {"name": "x"})()


def test_without_a_sub_stream_there_is_none_to_find():
    assert PipelineInputs(SourceInfo()).find_sub() is None
