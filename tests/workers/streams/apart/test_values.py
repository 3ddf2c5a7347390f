"""What passes between a stream worker and the process of a plugin arrives as it was, and nothing else does."""

import json

import pytest

from gateway.media import AudioInfo, SourceInfo, TrackInfo, VideoInfo
from gateway.outputs import Demand, DeviceContext, OutputMode
from gateway.sources.source import SourceTarget
from gateway.sources.tls import TlsTrust
from gateway.sources.tracks import CodecData, Description, TrackDescription
from workers.streams.apart.values import pack, unpack

VALUES = [
    None, True, 7, 2.5, "text", b"\x00\xff", [1, [2]], (1, ("a", b"b")), {"a": (1,)}, {}, OutputMode.SUB_STREAM,
    DeviceContext("d1", "t1", "Gate"),
    SourceInfo(VideoInfo("h264", 640, 360, 25.0), AudioInfo("aac", 8000), (TrackInfo(0, "video", "h264"),), 12, False),
    SourceTarget("strange", "camera", 554, "/a?b", ("user", "pässword"), ("192.0.2.1",), "udp", TlsTrust("pin", "ab")),
    Description((TrackDescription(0, "video", "h264", 96, 90000, 1, {"profile": "x"}, "rtsp://x"),), "server"),
    CodecData("h264", b"extra", (b"sps", b"pps"), 640, 360),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_arrives_as_it_was(value):
    found = unpack(json.loads(json.dumps(pack(value))))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", [object(), Demand(), {1, 2}, lambda: None, TlsTrust, [object()], ({"a": object()},)])
def test_what_the_other_process_cannot_build_is_refused(value):
    with pytest.raises(TypeError, match="cannot be passed"):
        pack(value)


@pytest.mark.parametrize(
    "value",
    [
        {}, {"a": 1, "b": 2}, {"bytes": "?"}, {"bytes": 5}, {"object": ["Popen", {"args": ["true"]}]}, {"object": []},
        {"object": ["DeviceContext", {"id": "x"}]}, {"object": ["DeviceContext", 7]}, {"enum": ["OutputMode", "never"]},
        {"enum": ["Path", "/"]}, {"map": 5}, {"map": [[{"map": []}, 1]]}, {"tuple": 5},
    ],
)  # fmt: skip
def test_what_was_never_packed_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 (of several libraries)
        unpack(value)
