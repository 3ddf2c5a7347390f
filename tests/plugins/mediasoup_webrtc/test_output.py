"""The direct output: it sends while somebody watches, its ports outlive the SFU, and only it is attached again."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.outputs import DeviceContext, OutputMode, PipelineInputs
from plugins.mediasoup_webrtc import audience, control, output
from plugins.mediasoup_webrtc.control import SfuRefused, SfuUnreachable
from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput
from tests.conftest import wait_until
from tests.plugins.mediasoup_webrtc.rtp_packets import Receiver

DEVICE = DeviceContext("d1", "t1", "Gate")
H264 = VideoInfo("h264", 1280, 720)
VIDEO = PipelineInputs(SourceInfo(H264))
WITH_AAC = PipelineInputs(SourceInfo(H264, AudioInfo("aac")))
WITH_G711 = PipelineInputs(SourceInfo(H264, AudioInfo("pcm_alaw", 8000, 1)))
HEVC = PipelineInputs(SourceInfo(VideoInfo("hevc", 1280, 720), AudioInfo("pcm_alaw", 8000, 1)))


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


def say_viewers(sfu, viewers: int, device: str = "d1") -> None:
    sfu.say(json.dumps({"event": "viewers", "data": {"device_id": device, "viewers": viewers}}))


def answer_statistics(sfu, **statistics) -> None:
    """The SFU's figures of each room that it is asked for."""
    sfu.answers["ingest.stats"] = lambda data: dict.fromkeys(data["device_ids"], statistics)


def test_h264_is_passed_packet_by_packet_and_nothing_is_encoded(sfu, webrtc):
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, VIDEO)
    assert sfu.asked("ingest.open") == [{"device_id": "d1", "video": {"codec": "h264"}, "audio": None}]
    assert (arguments.mode, arguments.reason) == (OutputMode.COPY, None)
    assert (arguments.arguments, arguments.packet_kinds, arguments.demand) == ((), ("video",), None)
    assert arguments.packets.is_wanted is False
    assert webrtc.check("d1") is None


@pytest.mark.parametrize("codec", ["pcma", "pcmu"])
def test_sound_that_browsers_play_is_passed_too(sfu, webrtc, codec):
    connected(webrtc)
    name = {"pcma": "pcm_alaw", "pcmu": "pcm_mulaw"}[codec]
    arguments = webrtc.attach(DEVICE, PipelineInputs(SourceInfo(H264, AudioInfo(name, 8000, 1))))
    assert sfu.asked("ingest.open")[0]["audio"] == {"codec": codec}
    assert (arguments.packet_kinds, arguments.arguments) == (("video", "audio"), ())


def test_other_sound_is_encoded_while_somebody_watches(sfu, webrtc):
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, WITH_AAC)
    assert sfu.asked("ingest.open")[0]["audio"] == {"codec": "opus"}
    assert arguments.packet_kinds == ("video",)
    assert arguments.arguments[:4] == ("-map", "0:a:0?", "-c:a", "libopus")
    assert sum(word.startswith("rtp://127.0.0.1:") for word in arguments.arguments) == 1
    assert arguments.demand.is_set is False


def test_video_that_browsers_do_not_play_is_encoded_with_its_sound(sfu, webrtc):
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, HEVC)
    assert (arguments.mode, arguments.packets, arguments.packet_kinds) == (OutputMode.TRANSCODE, None, ())
    assert "hevc" in arguments.reason
    assert sum(word.startswith("rtp://127.0.0.1:") for word in arguments.arguments) == 2
    assert arguments.demand is not None


def test_the_sub_stream_is_passed_in_place_of_video_that_browsers_do_not_play(sfu, webrtc):
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, PipelineInputs(HEVC.main, lambda: SourceInfo(H264)))
    assert (arguments.mode, arguments.arguments) == (OutputMode.SUB_STREAM, ())
    assert arguments.packet_kinds == ("video", "audio")
    assert "sub-stream" in arguments.reason


def test_an_sfu_without_sound_gets_video_only(sfu, webrtc):
    connected(webrtc)
    sfu.answers["ingest.open"] = lambda data: sfu._open(data) | {"audio": None}
    assert webrtc.attach(DEVICE, WITH_AAC).arguments == ()
    assert webrtc.attach(DEVICE, WITH_G711).packet_kinds == ("video",)


def test_packets_are_sent_to_the_ports_of_the_sfu_as_soon_as_somebody_watches(sfu, webrtc, media_loop):
    receiver = Receiver()
    sfu.answers["ingest.open"] = lambda data: {"video": sfu._open(data)["video"] | {"rtp_port": receiver.port}}
    connected(webrtc)
    taker = webrtc.attach(DEVICE, VIDEO).packets
    say_viewers(sfu, 1)
    wait_until(lambda: taker.is_wanted, "the packets are wanted")

    async def take() -> None:
        taker.take("video", b"\x41\x9aabc", 5.0, ends_unit=True)
        taker.flush()

    media_loop.run(take(), timeout_seconds=5)
    assert receiver.read(1)[0].payload == b"\x41\x9aabc"
    receiver.close()


def test_encoding_and_sending_follow_the_viewers(sfu, webrtc, monkeypatch):
    monkeypatch.setattr(audience, "LINGER_SECONDS", 0.1)
    connected(webrtc)
    arguments = webrtc.attach(DEVICE, WITH_AAC)
    changes = []
    arguments.demand.listen(lambda: changes.append(arguments.demand.is_set))
    for viewers in (1, 2, 0, 1, 0):
        say_viewers(sfu, viewers)
    wait_until(lambda: changes == [True, False], "nobody watches any more")
    assert not arguments.packets.is_wanted
    assert webrtc.figures("d1") == {"viewers": 0}


def test_viewers_whose_event_was_lost_are_seen_in_the_figures(sfu, webrtc):
    connected(webrtc)
    taker = webrtc.attach(DEVICE, VIDEO).packets
    answer_statistics(sfu, viewers=2, video=None)
    wait_until(lambda: taker.is_wanted, "the packets are wanted")
    assert webrtc.figures("d1") == {"viewers": 2}


def test_a_room_that_has_viewers_when_it_is_opened_gets_packets_at_once(sfu, webrtc):
    sfu.viewers = 1
    connected(webrtc)
    assert webrtc.attach(DEVICE, VIDEO).packets.is_wanted


def test_viewers_keep_their_packets_while_the_sfu_is_silent_but_not_for_ever(sfu, webrtc, monkeypatch):
    """The Workers of a server that stands still go on; those of one that is gone do not."""
    monkeypatch.setattr(audience, "LINGER_SECONDS", 0.05)
    connected(webrtc)
    taker = webrtc.attach(DEVICE, VIDEO).packets
    say_viewers(sfu, 1)
    wait_until(lambda: taker.is_wanted, "the packets are wanted")
    away(webrtc, sfu)
    polls = len(sfu.requests)
    assert taker.is_wanted
    monkeypatch.setattr(output, "_NOBODY_SECONDS", 0.2)
    wait_until(lambda: not taker.is_wanted, "nobody can watch any more")
    assert len(sfu.requests) == polls


def test_a_worker_that_starts_before_the_sfu_waits_for_it(sfu, context, monkeypatch):
    monkeypatch.setattr(control, "_FIRST_SECONDS", 20)
    monkeypatch.setattr(output, "_ATTACH_SECONDS", 20)
    sfu.stop()
    webrtc = MediasoupWebrtcOutput(context)
    with ThreadPoolExecutor(1) as pool:
        attached = pool.submit(webrtc.attach, DEVICE, VIDEO)
        wait_until(lambda: webrtc._control._failures > 2, "the SFU is away")
        assert not attached.done()
        sfu.start()
        assert attached.result(10).packets
    assert webrtc.check("d1") is None
    webrtc.close()


def test_the_wait_for_an_sfu_that_does_not_start_is_limited(sfu, context, monkeypatch):
    monkeypatch.setattr(control, "_FIRST_SECONDS", 0.1)
    sfu.stop()
    webrtc = MediasoupWebrtcOutput(context)
    with pytest.raises(SfuUnreachable):
        webrtc.attach(DEVICE, VIDEO)
    webrtc.close()


def ports_of(webrtc, device: str = "d1"):
    return webrtc._ingests[device].sender.video.ports


def test_attaching_again_keeps_ports_packets_and_demand(sfu, webrtc):
    connected(webrtc)
    first = webrtc.attach(DEVICE, WITH_AAC)
    ports = ports_of(webrtc)
    second = webrtc.attach(DEVICE, WITH_AAC)
    assert ports_of(webrtc) == ports
    assert second.arguments == first.arguments
    assert second.packets is first.packets
    assert second.demand is first.demand
    assert sfu.asked("ingest.open")[1]["ports"]["video"] == ports.to_request()


def test_sound_that_changes_its_codec_is_opened_anew(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, WITH_G711)
    assert webrtc.attach(DEVICE, WITH_AAC).packet_kinds == ("video",)
    assert webrtc.attach(DEVICE, VIDEO).arguments == ()
    asked = [request["audio"] for request in sfu.asked("ingest.open")]
    assert asked == [{"codec": "pcma"}, {"codec": "opus"}, None]


def test_without_the_sfu_a_stream_starts_without_this_output_and_is_attached_later(sfu, webrtc):
    connected(webrtc)
    away(webrtc, sfu)
    with pytest.raises(SfuUnreachable):
        webrtc.attach(DEVICE, VIDEO)
    assert webrtc.check("d1") is None, "attaching it would not help yet"
    sfu.start()
    connected(webrtc)
    assert webrtc.check("d1") == "output_changed"
    webrtc.attach(DEVICE, VIDEO)
    assert webrtc.check("d1") is None


def test_with_known_ports_it_is_attached_while_the_sfu_is_away(sfu, webrtc):
    connected(webrtc)
    before = webrtc.attach(DEVICE, WITH_G711)
    away(webrtc, sfu)
    assert webrtc.attach(DEVICE, WITH_G711) == before
    assert webrtc.check("d1") is None
    with pytest.raises(SfuUnreachable):
        webrtc.attach(DEVICE, WITH_AAC)


def test_an_answer_that_came_too_late_is_asked_for_again(sfu, webrtc, monkeypatch):
    """A server that stood still obeys then: the ports of the sound may differ."""
    connected(webrtc)
    webrtc.attach(DEVICE, WITH_G711)
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.1)
    sfu.answers["ingest.open"] = sfu.answers["ingest.stats"] = lambda _: None
    webrtc.attach(DEVICE, WITH_G711)
    sfu.rooms["d1"]["audio"]["rtp_port"] = 23_000
    sfu.answers["ingest.open"], sfu.answers["ingest.stats"] = sfu._open, sfu._stats
    audio = webrtc._ingests["d1"].sender.audio
    wait_until(lambda: audio.ports.rtp_port == 23_000, "the sound goes to its new port")
    opened = len(sfu.asked("ingest.open"))
    wait_until(lambda: len(sfu.asked("ingest.stats")) > 8, "it is asked several times")
    assert len(sfu.asked("ingest.open")) == opened, "once"
    assert webrtc.check("d1") is None


def test_a_restarted_sfu_gets_the_same_ports_and_sending_goes_on(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    ports = ports_of(webrtc)
    away(webrtc, sfu)
    sfu.rooms.clear()
    sfu.start()
    connected(webrtc)
    assert sfu.asked("resync")[-1] == {"device_ids": ["d1"]}
    assert sfu.asked("ingest.open")[-1]["ports"]["video"] == ports.to_request()
    assert ports_of(webrtc) == ports
    assert webrtc.check("d1") is None


def test_other_ports_of_a_restarted_sfu_are_used_without_attaching_again(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    away(webrtc, sfu)
    sfu.rooms["d1"]["video"]["rtp_port"] = 22_000
    sfu.start()
    connected(webrtc)
    assert ports_of(webrtc).rtp_port == 22_000
    assert webrtc.check("d1") is None


def test_a_source_port_of_another_process_is_changed(sfu, webrtc):
    """The worker that had the device before may hang with its sockets open."""
    thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    thief.bind(("0.0.0.0", 0))
    taken = thief.getsockname()[1]

    def answer(data):
        opened = sfu._open(data)
        if not data.get("fresh"):
            opened["video"]["source_rtp_port"] = taken
        return opened

    sfu.answers["ingest.open"] = answer
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    assert ports_of(webrtc).source_rtp_port != taken
    assert [request.get("fresh", False) for request in sfu.asked("ingest.open")] == [False, False, True]
    assert webrtc.check("d1") is None
    thief.close()


def test_a_source_port_that_is_given_up_a_moment_later_is_used(sfu, webrtc):
    """Viewers notice nothing of a worker that hands over its devices."""
    thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    thief.bind(("0.0.0.0", 0))
    taken = thief.getsockname()[1]

    def answer(data):
        if len(sfu.asked("ingest.open")) == 2:
            thief.close()
        return {"video": sfu._open(data)["video"] | {"source_rtp_port": taken}}

    sfu.answers["ingest.open"] = answer
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    assert ports_of(webrtc).source_rtp_port == taken
    assert not any("fresh" in request for request in sfu.asked("ingest.open"))


@pytest.mark.parametrize(
    "answer", [{}, {"video": None}, {"video": {"ip": "127.0.0.1"}}, {"video": {"ip": "x", "rtp_port": "many"}}]
)
def test_an_answer_without_ports_leaves_the_output_detached(sfu, webrtc, answer):
    connected(webrtc)
    sfu.answers["ingest.open"] = lambda _: answer
    with pytest.raises(SfuRefused, match="cannot be used"):
        webrtc.attach(DEVICE, VIDEO)
    assert webrtc.check("d1") == "output_changed"


def test_a_device_that_the_sfu_refuses_or_does_not_answer_for_does_not_affect_others(sfu, webrtc, monkeypatch):
    connected(webrtc)
    names = ("d1", "d2", "d3", "d4")
    for name in names:
        webrtc.attach(DeviceContext(name, "t1", name), VIDEO)
    away(webrtc, sfu)
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.3)
    special = {"d1": lambda _: RuntimeError("no ports"), "d3": lambda _: None}
    sfu.answers["ingest.open"] = lambda data: special.get(data["device_id"], sfu._open)(data)
    sfu.start()
    connected(webrtc)
    assert [webrtc.check(name) for name in names] == ["output_changed", None, "output_changed", None]


def test_a_refusal_leaves_the_output_detached(sfu, webrtc):
    connected(webrtc)
    sfu.answers["ingest.open"] = lambda _: RuntimeError("no ports are left")
    with pytest.raises(SfuRefused, match="no ports are left"):
        webrtc.attach(DEVICE, VIDEO)


def test_a_lost_room_is_attached_again(sfu, webrtc):
    answer_statistics(sfu, viewers=0, video=None)
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    sfu.say('{"event": "ingest.lost", "data": {"device_id": "unknown"}}')
    sfu.say('{"event": "ingest.lost", "data": {"device_id": "d1", "reason": "worker died"}}')
    wait_until(lambda: webrtc.check("d1") == "output_changed", "the loss is told")
    webrtc.attach(DEVICE, VIDEO)
    assert webrtc.check("d1") is None


def test_a_room_that_the_sfu_does_not_know_is_attached_again(sfu, webrtc):
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    sfu.answers["ingest.stats"] = lambda _: {"d2": {}}
    wait_until(lambda: webrtc.check("d1") == "output_changed", "the loss is seen")


class Sent:
    """Packets that were sent, in place of the sender's count: more each time."""

    def __init__(self) -> None:
        self.count = 0

    def __get__(self, *_) -> int:
        self.count += 1
        return self.count


def test_packets_that_are_sent_and_do_not_arrive_need_new_ports(sfu, webrtc, monkeypatch):
    answer_statistics(sfu, viewers=2, video={"packets": 5})
    connected(webrtc)
    webrtc._stall_seconds = 0.3
    webrtc.attach(DEVICE, VIDEO)
    wait_until(lambda: webrtc.figures("d1") == {"viewers": 2}, "the figures arrive")
    assert webrtc.check("d1") is None
    monkeypatch.setattr(type(webrtc._ingests["d1"].sender), "sent", Sent())
    wait_until(lambda: webrtc.check("d1") == "output_stalled", "the stall is noticed")
    webrtc.attach(DEVICE, VIDEO)
    assert sfu.asked("ingest.open")[-1]["fresh"] is True
    assert webrtc.check("d1") is None
    webrtc.attach(DEVICE, VIDEO)
    assert "fresh" not in sfu.asked("ingest.open")[-1], "once"


@pytest.mark.parametrize(
    "answer",
    [
        lambda data: None,
        lambda data: RuntimeError("busy"),
        lambda data: {name: {"viewers": 1, "answered": False, "video": None} for name in data["device_ids"]},
    ],
    ids=["no answer", "a refusal", "the Worker of the room does not answer"],
)
def test_an_sfu_that_does_not_answer_is_no_stalled_output(sfu, webrtc, monkeypatch, answer):
    connected(webrtc)
    webrtc._stall_seconds = 0.05
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.02)
    sfu.answers["ingest.stats"] = answer
    webrtc.attach(DEVICE, VIDEO)
    monkeypatch.setattr(type(webrtc._ingests["d1"].sender), "sent", Sent())
    asked = len(sfu.asked("ingest.stats"))
    wait_until(lambda: len(sfu.asked("ingest.stats")) > asked + 8, "it was asked several times")
    assert webrtc.check("d1") is None


def test_invalid_statistics_do_not_end_polling(sfu, webrtc):
    answers = iter([{"d1": None}, {"d1": {"viewers": "many"}}, {"d1": {"viewers": 1, "video": None}}, []])
    last = {"d1": {"viewers": 4, "video": {"packets": 9}}}
    sfu.answers["ingest.stats"] = lambda _: next(answers, last)
    connected(webrtc)
    webrtc.attach(DEVICE, VIDEO)
    wait_until(lambda: webrtc.figures("d1") == {"viewers": 4}, "the watch goes on")


def test_figures_of_an_unknown_device_are_empty(webrtc):
    assert webrtc.figures("unknown") == {"viewers": 0}
    assert webrtc.check("unknown") is None


def test_a_released_device_keeps_its_room_and_frees_its_ports(sfu, webrtc):
    connected(webrtc)
    taker = webrtc.attach(DEVICE, WITH_AAC).packets
    port = ports_of(webrtc).source_rtp_port
    webrtc.release("d1")
    webrtc.release("d1")
    assert webrtc.check("d1") is None
    assert "ingest.close" not in sfu.methods()
    wait_until(lambda: taker.video is None, "the sender is closed")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", port))


def test_a_device_that_is_released_while_it_is_attached_stays_released(sfu, webrtc):
    def answer(data):
        webrtc.release("d1")
        return sfu._open(data)

    sfu.answers["ingest.open"] = answer
    connected(webrtc)
    with pytest.raises(SfuRefused, match="released"):
        webrtc.attach(DEVICE, WITH_AAC)
    assert webrtc._ingests == {}


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
