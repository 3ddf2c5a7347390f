"""The direct output: ports outlive FFmpeg and the SFU, and a restart is requested only when it helps."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.outputs import DeviceContext, OutputContext, OutputMode, PipelineInputs
from gateway.plugin_manager import collect, create_plugin_manager, notify
from plugins.mediasoup_webrtc import MediasoupWebrtc, control, output
from plugins.mediasoup_webrtc.control import SfuRefused, SfuUnreachable
from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput
from tests.conftest import wait_until
from tests.factories import make_config

DEVICE = DeviceContext("d1", "t1", "Gate")
VIDEO = PipelineInputs(SourceInfo(VideoInfo("h264", 1280, 720)))
WITH_AUDIO = PipelineInputs(SourceInfo(VideoInfo("h264", 1280, 720), AudioInfo("aac")))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(control, "_MAX_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(control, "_FIRST_SECONDS", 0)
    monkeypatch.setattr(output, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(output, "_ATTACH_SECONDS", 1.0)
    monkeypatch.setattr(output, "_RESYNC_SECONDS", 0.05)


@pytest.fixture
def webrtc(context):
    webrtc = MediasoupWebrtcOutput(context)
    yield webrtc
    webrtc.close()
    webrtc.close()


def connected(webrtc) -> None:
    wait_until(lambda: webrtc._control.is_connected, "the SFU is connected")


def away(webrtc, sfu) -> None:
    sfu.stop()
    wait_until(lambda: not webrtc._control.is_connected, "the loss is noticed")


def address(arguments) -> str:
    return next(word for word in arguments.arguments if word.startswith("rtp://"))


def test_an_ingest_is_opened_and_its_ports_become_arguments(sfu, webrtc):
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, VIDEO)
    assert sfu.asked("ingest.open") == [{"device_id": "d1", "video": {"codec": "h264"}, "audio": None}]
    assert address(arguments).startswith("rtp://127.0.0.1:20000?rtcpport=20001&localrtpport=21000&localrtcpport=21001")
    assert (arguments.mode, arguments.reason) == (OutputMode.COPY, None)
    assert "-seq" in arguments.arguments
    assert webrtc.check("d1") is None


def test_a_worker_that_starts_before_the_sfu_waits_for_it_so_that_ffmpeg_is_not_restarted_later(
    sfu, context, monkeypatch
):
    monkeypatch.setattr(control, "_FIRST_SECONDS", 20)
    monkeypatch.setattr(output, "_ATTACH_SECONDS", 20)
    sfu.stop()
    webrtc = MediasoupWebrtcOutput(context)
    with ThreadPoolExecutor(1) as pool:
        attached = pool.submit(webrtc.attach, DEVICE, VIDEO)
        wait_until(lambda: webrtc._control._failures > 2, "the SFU is away")
        assert not attached.done()
        sfu.start()
        assert address(attached.result(10))
    assert webrtc.check("d1") is None
    webrtc.close()


def test_the_wait_for_an_sfu_that_does_not_start_is_limited(sfu, context, monkeypatch):
    monkeypatch.setattr(control, "_FIRST_SECONDS", 0.1)
    sfu.stop()
    webrtc = MediasoupWebrtcOutput(context)
    with pytest.raises(SfuUnreachable):
        webrtc.attach(DEVICE, VIDEO)
    webrtc.close()


def test_audio_is_requested_and_sent_if_there_is_any(sfu, webrtc):
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, WITH_AUDIO)
    assert sfu.asked("ingest.open")[0]["audio"] == {"codec": "opus"}
    assert sum(word.startswith("rtp://") for word in arguments.arguments) == 2
    sfu.answers["ingest.open"] = lambda data: sfu._open(data) | {"audio": None}
    assert sum(word.startswith("rtp://") for word in webrtc.attach(DEVICE, WITH_AUDIO).arguments) == 1


def test_the_next_run_requests_the_same_ports(sfu, webrtc):
    connected(webrtc)
    first = webrtc.attach(DEVICE, VIDEO)
    second = webrtc.attach(DEVICE, VIDEO)
    assert address(first) == address(second)
    assert sfu.asked("ingest.open")[1]["ports"] == {
        "video": {"rtp_port": 20000, "rtcp_port": 20001, "source_rtp_port": 21000, "source_rtcp_port": 21001}
    }


def test_without_the_sfu_a_stream_starts_without_this_output_and_is_attached_later(sfu, webrtc):
    connected(webrtc)
    away(webrtc, sfu)
    with pytest.raises(SfuUnreachable):
        webrtc.attach(DEVICE, VIDEO)
    assert webrtc.check("d1") is None, "a new start would not help"
    sfu.start()
    connected(webrtc)
    assert webrtc.check("d1") == "output_changed"
    webrtc.attach(DEVICE, VIDEO)
    assert webrtc.check("d1") is None


def test_with_known_ports_a_run_starts_while_the_sfu_is_away(sfu, webrtc):
    connected(webrtc)
    before = webrtc.attach(DEVICE, VIDEO)
    away(webrtc, sfu)
    during = webrtc.attach(DEVICE, VIDEO)
    assert address(during) == address(before)
    assert "-seq" not in during.arguments, "viewers would refuse packets after an outdated sequence number"
    assert webrtc.check("d1") is None


def test_a_restarted_sfu_gets_the_same_ports_and_ffmpeg_goes_on(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    away(webrtc, sfu)
    sfu.ports.clear()
    sfu.start()
    connected(webrtc)
    assert sfu.asked("resync")[-1] == {"device_ids": ["d1"]}
    assert sfu.asked("ingest.open")[-1]["ports"]["video"]["rtp_port"] == 20000
    assert webrtc.check("d1") is None


def test_changed_ports_need_a_restart(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    away(webrtc, sfu)
    sfu.ports["d1"] = 22000
    sfu.start()
    connected(webrtc)
    assert webrtc.check("d1") == "output_changed"
    assert ":22000?" in address(webrtc.attach(DEVICE, VIDEO))
    assert webrtc.check("d1") is None


def test_a_device_that_the_sfu_refuses_does_not_affect_others(sfu, webrtc):
    connected(webrtc)
    for name in ("d1", "d2", "d3"):
        webrtc.attach(DeviceContext(name, "t1", name), VIDEO)
    away(webrtc, sfu)
    sfu.answers["ingest.open"] = lambda data: RuntimeError("no ports") if data["device_id"] == "d1" else sfu._open(data)
    sfu.start()
    connected(webrtc)
    assert [webrtc.check(name) for name in ("d1", "d2", "d3")] == ["output_changed", None, None]


def test_a_refusal_leaves_the_output_detached(sfu, webrtc):
    connected(webrtc)
    sfu.answers["ingest.open"] = lambda _: RuntimeError("no ports are left")
    with pytest.raises(SfuRefused, match="no ports are left"):
        webrtc.attach(DEVICE, VIDEO)


def test_a_lost_room_needs_a_restart(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    sfu.say('{"event": "ingest.lost", "data": {"device_id": "unknown"}}')
    sfu.say('{"event": "ingest.lost", "data": {"device_id": "d1", "reason": "worker died"}}')
    wait_until(lambda: webrtc.check("d1") == "output_changed", "the loss is told")


def test_missing_rtp_needs_a_restart_with_new_ports(sfu, webrtc, monkeypatch):
    packets = iter(range(1, 1_000_000))
    sfu.answers["ingest.stats"] = lambda _: {"d1": {"viewers": 2, "video": {"packets": next(packets)}}}
    connected(webrtc)
    webrtc._stall_seconds = 0.3
    webrtc.attach(DEVICE, VIDEO)
    wait_until(lambda: webrtc.figures("d1") == {"viewers": 2}, "the figures arrive")
    assert webrtc.check("d1") is None
    sfu.answers["ingest.stats"] = lambda _: {"d1": {"viewers": 2, "video": {"packets": 5}}}
    wait_until(lambda: webrtc.check("d1") == "output_stalled", "the stall is noticed")
    webrtc.attach(DEVICE, VIDEO)
    assert sfu.asked("ingest.open")[-1]["fresh"] is True
    assert webrtc.check("d1") is None
    webrtc.attach(DEVICE, VIDEO)
    assert "fresh" not in sfu.asked("ingest.open")[-1], "once"


def test_invalid_statistics_do_not_end_polling(sfu, webrtc, caplog):
    answers = iter([{"d1": None}, {"d1": {"viewers": "many"}}, {"d1": {"viewers": 1, "video": None}}])
    last = {"d1": {"viewers": 4, "video": {"packets": 9}}}
    sfu.answers["ingest.stats"] = lambda _: next(answers, last)
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    wait_until(lambda: webrtc.figures("d1") == {"viewers": 4}, "the watch goes on")


def test_while_the_sfu_is_away_nothing_counts_as_stalled(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    away(webrtc, sfu)
    webrtc._stall_seconds = 0.0
    webrtc._ingests["d1"].packets_at -= 100
    assert webrtc.check("d1") is None
    watched = webrtc._ingests["d1"]
    old = watched.packets_at
    wait_until(lambda: watched.packets_at > old, "the time away is not counted")


def test_the_number_of_viewers_is_updated_by_events(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    sfu.say('{"event": "viewers", "data": {"device_id": "d1", "viewers": 3}}')
    wait_until(lambda: webrtc.figures("d1") == {"viewers": 3}, "the number of viewers is updated")
    assert webrtc.figures("unknown") == {"viewers": 0}


def test_a_released_device_keeps_its_room(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    webrtc.release("d1")
    webrtc.release("d1")
    assert webrtc.check("d1") is None
    assert "ingest.close" not in sfu.methods()


def test_a_released_device_that_nobody_takes_over_loses_its_room(sfu, webrtc, monkeypatch):
    """It may have been deleted: neither a state nor an owner follows."""
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    webrtc.release("d1")
    wait_until(lambda: {"device_ids": ["d1"]} in sfu.asked("resync"), "its room waits for the next owner")
    monkeypatch.setattr(output, "_RELEASED_SECONDS", 0.0)
    wait_until(lambda: sfu.asked("resync")[-1] == {"device_ids": []}, "its room is closed")


def test_a_room_that_the_sfu_did_not_close_is_closed_later(sfu, webrtc):
    sfu.answers["ingest.close"] = lambda _: None
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    webrtc.close_room("d1")
    webrtc.release("d1")
    wait_until(lambda: "ingest.close" in sfu.methods(), "the request is lost")
    wait_until(lambda: sfu.asked("resync")[-1] == {"device_ids": []}, "its room is closed")
    webrtc.attach(DEVICE, VIDEO)
    wait_until(lambda: sfu.asked("resync")[-1] == {"device_ids": ["d1"]}, "a device that is back keeps its room")


@pytest.fixture
def context(sfu, media_loop) -> OutputContext:
    return OutputContext(make_config(mediasoup_ws_url=sfu.url), media_loop.loop, "host:1")


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
