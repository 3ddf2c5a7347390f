"""A plugin with consumer outputs that do nothing, for tests of what the product does with them."""

import types

from gateway.hookspecs import hookimpl
from gateway.outputs import RECORDER, ConsumerOutput, Consumption, DeviceContext


class FakeRecorder(ConsumerOutput):
    """Has the role of the recorder, or another; is never attached."""

    def __init__(self, name: str, role: str | None = RECORDER) -> None:
        self.name, self.role = name, role

    def wanted(self) -> list[str]:
        return []

    def attach(self, device: DeviceContext) -> Consumption:
        raise AssertionError("this process attaches no outputs")


def consumer_plugin(*outputs: ConsumerOutput) -> types.ModuleType:
    """A plugin module that registers these outputs."""
    module = types.ModuleType("consumer_plugin", "Registers consumer outputs.")

    @hookimpl
    def register_consumer_outputs(context):
        return list(outputs)

    module.register_consumer_outputs = register_consumer_outputs
    return module
