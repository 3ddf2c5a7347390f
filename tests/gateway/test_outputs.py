"""A direct output needs a name and `attach`; everything else is optional."""

import pytest

from gateway.media import SourceInfo
from gateway.outputs import DirectOutput, OutputArguments, OutputMode, PipelineInputs


class SmallestOutput(DirectOutput):
    name = "smallest"

    def attach(self, device, inputs):
        return OutputArguments(())


def test_the_smallest_output_has_defaults_for_all_other_methods():
    output = SmallestOutput()
    assert output.check("d1") is None
    assert output.figures("d1") == {}
    output.release("d1")
    output.close()
    assert output.attach(None, None) == OutputArguments((), OutputMode.COPY, None)


def test_an_output_without_attach_cannot_be_created():
    with pytest.raises(TypeError, match="attach"):
        type("Unfinished", (DirectOutput,), {"name": "x"})()


def test_find_sub_returns_none_by_default():
    assert PipelineInputs(SourceInfo()).find_sub() is None
