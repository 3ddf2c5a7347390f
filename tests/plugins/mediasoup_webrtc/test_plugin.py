"""The plugin: rooms follow the states of streams, and each plugin manager has an output of its own."""

from gateway.media import SourceInfo, VideoInfo
from gateway.outputs import DeviceContext, PipelineInputs
from gateway.plugin_manager import collect, create_plugin_manager, notify
from plugins.mediasoup_webrtc import MediasoupWebrtc
from tests.conftest import wait_until

DEVICE = DeviceContext("d1", "t1", "Gate")
VIDEO = PipelineInputs(SourceInfo(VideoInfo("h264", 1280, 720)))


def connected(webrtc) -> None:
    wait_until(lambda: webrtc._control.is_connected, "the SFU is connected")


def test_the_room_of_a_stopped_stream_is_closed_and_that_of_a_reconnecting_one_stays(sfu, context):
    plugin = MediasoupWebrtc()
    (webrtc,) = plugin.register_direct_outputs(context)
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    plugin.on_stream_state("d1", "reconnecting")
    plugin.on_stream_state("d2", "stopped")
    wait_until(lambda: "ingest.close" in sfu.methods(), "a room is closed")
    assert sfu.asked("ingest.close") == [{"device_id": "d2"}]
    plugin.on_stream_state("d1", "stopped")
    wait_until(lambda: len(sfu.asked("ingest.close")) == 2, "the other room is closed")
    webrtc.close()


def test_each_plugin_manager_has_its_own_output(context):
    """`register_direct_outputs` of one manager does not make another manager's `on_stream_state` close rooms."""
    first, second = create_plugin_manager(), create_plugin_manager()
    outputs = collect(first, "register_direct_outputs", context=context)
    assert [one.name for one in outputs] == ["mediasoup_webrtc"]
    closed = []
    outputs[0].close_room = closed.append
    notify(second, "on_stream_state", device_id="d1", state="stopped", reason=None)
    assert closed == []
    notify(first, "on_stream_state", device_id="d1", state="stopped", reason=None)
    assert closed == ["d1"]
    outputs[0].close()
