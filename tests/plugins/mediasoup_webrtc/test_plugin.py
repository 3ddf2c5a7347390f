"""The plugin: rooms follow the states of streams, and each plugin manager has an output of its own."""

from types import SimpleNamespace

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.outputs import DeviceContext, PipelineInputs
from gateway.plugin_manager import collect, create_plugin_manager, notify
from plugins.mediasoup_webrtc import MediasoupWebrtc
from tests.conftest import wait_until

DEVICE = DeviceContext("d1", "t1", "Gate")
VIDEO = PipelineInputs(SourceInfo(VideoInfo("h264", 1280, 720)))


class StubOptions:
    """The options of all devices."""

    def __init__(self, values: dict) -> None:
        self.values = values

    def device(self, device_id: str) -> dict:
        return self.values


def with_options(**values) -> SimpleNamespace:
    return SimpleNamespace(options=StubOptions(values))


def connected(webrtc) -> None:
    wait_until(lambda: webrtc._control.is_connected, "the SFU is connected")


def test_the_room_of_a_stopped_stream_is_closed_and_that_of_a_reconnecting_one_stays(sfu, context):
    plugin = MediasoupWebrtc()
    (webrtc,) = plugin.register_direct_outputs(context, with_options(sound=True, encoded_kbits=2500))
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


def test_a_change_of_a_devices_options_attaches_that_device_again(sfu, context):
    plugin, with_sound = MediasoupWebrtc(), PipelineInputs(SourceInfo(VIDEO.main.video, AudioInfo("pcm_alaw", 8000, 1)))
    stub = with_options(sound=True, encoded_kbits=2500)
    (webrtc,) = plugin.register_direct_outputs(context, stub)
    connected(webrtc)
    assert webrtc.attach(DEVICE, with_sound).packet_kinds == ("video", "audio")
    plugin.on_options(None)
    assert webrtc.check("d1") is None
    stub.options.values = {"sound": False, "encoded_kbits": 2500}
    plugin.on_options("d2")
    assert webrtc.check("d1") is None
    plugin.on_options("d1")
    assert webrtc.check("d1") == "options_changed"
    assert webrtc.attach(DEVICE, with_sound).packet_kinds == ("video",)
    assert (sfu.asked("ingest.open")[-1]["audio"], webrtc.check("d1")) == (None, None)
    webrtc.close()


def test_the_bit_rate_of_encoded_video_is_an_option(sfu, context):
    plugin, hevc = MediasoupWebrtc(), PipelineInputs(SourceInfo(VideoInfo("hevc", 1280, 720)))
    (webrtc,) = plugin.register_direct_outputs(context, with_options(sound=True, encoded_kbits=900))
    connected(webrtc)
    words = webrtc.attach(DEVICE, hevc).arguments
    assert [words[words.index(name) + 1] for name in ("-b:v", "-maxrate", "-bufsize")] == ["900k", "900k", "450k"]
    webrtc.close()


def test_a_process_without_an_output_follows_no_options():
    MediasoupWebrtc().on_options("d1")
