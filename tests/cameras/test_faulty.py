"""FaultyCamera behaves exactly as configured, as the real ffmpeg sees it, and counts its connections."""

import socket
import subprocess
import time

import pytest

from . import faulty
from .faulty import FaultyCamera
from .viewing import probe_streams, read_packets

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def camera():
    with FaultyCamera() as camera:
        yield camera


def view(url: str, seconds: float = 1) -> tuple[int, str]:
    """Exit code and messages of an ffmpeg that waits at most a second for each answer."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-rtsp_transport",
        "tcp",
        "-timeout",
        "1000000",
        "-i",
        url,
    ]
    done = subprocess.run(
        [*command, "-t", str(seconds), "-c", "copy", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (faulty.REFUSES, "Connection refused"),
        (faulty.NEVER_ANSWERS, "Invalid data found"),
        (faulty.CLOSES_AT_ONCE, "Invalid data found"),
        (faulty.SENDS_GARBAGE, "Invalid data found"),
        (faulty.UNAUTHORIZED, "401 Unauthorized"),
        (faulty.FORBIDDEN, "403 Forbidden"),
        (faulty.NOT_FOUND, "404 Not Found"),
        (faulty.BROKEN, "5XX Server Error"),
        (faulty.SENDS_NOTHING, "does not contain any stream"),
    ],
)
def test_each_fault_gives_its_own_error(camera, behaviour, words):
    camera.behave(behaviour)
    code, said = view(camera.url)
    assert code != 0
    assert words in said


@pytest.mark.parametrize("behaviour", [faulty.PLAYS, faulty.PARAMETER_SETS_IN_SDP, faulty.PARAMETER_SETS_IN_BAND])
def test_parameter_sets_can_be_in_the_sdp_or_in_band(camera, behaviour):
    camera.behave(behaviour)
    video = probe_streams(camera.url)["video"]
    assert (video["codec_name"], video["width"], video["has_b_frames"]) == ("h264", 640, 0)


def test_there_is_a_key_frame_each_second(camera):
    camera.behave(faulty.PLAYS)
    keys = [is_key for is_key, _ in read_packets(camera.url, 31)]
    assert [number for number, is_key in enumerate(keys) if is_key] == [0, 15, 30]


def test_parameter_sets_are_in_band_only_if_configured(camera):
    for behaviour, is_in_band in ((faulty.PLAYS, True), (faulty.PARAMETER_SETS_IN_SDP, False)):
        camera.behave(behaviour)
        command = ["ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", camera.url, "-frames:v", "2"]
        # The muxer rawvideo writes packets unchanged; others may add the parameter sets of the SDP.
        command += ["-c", "copy", "-f", "rawvideo", "-"]
        stream = subprocess.run(command, capture_output=True, check=True, timeout=20).stdout
        kinds = [part[0] & 0x1F for part in stream.split(b"\0\0\1")[1:]]
        assert (7 in kinds and 8 in kinds) == is_in_band
        assert 5 in kinds


@pytest.mark.parametrize(
    ("behaviour", "types"),
    [(faulty.HAS_METADATA_TRACK, {"video", "audio", "data"}), (faulty.HAS_ONLY_AUDIO, {"audio"})],
)
def test_the_tracks_are_those_of_the_behaviour(camera, behaviour, types):
    camera.behave(behaviour)
    assert set(probe_streams(camera.url)) == types


def test_an_announced_picture_may_never_arrive(camera):
    camera.behave(faulty.SENDS_ONLY_AUDIO)
    command = [
        "ffprobe",
        "-v",
        "error",
        "-rtsp_transport",
        "tcp",
        "-analyzeduration",
        "500000",
        "-of",
        "csv=p=0",
    ]
    command += ["-show_entries", "packet=codec_type", "-read_intervals", "%+#50", camera.url]
    packets = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.split()
    assert len(packets) == 50
    assert {packet.strip(",") for packet in packets} == {"audio"}


def test_a_redirect_is_followed(camera):
    camera.behave(faulty.PLAYS)
    plays = camera.plays
    with FaultyCamera(faulty.redirects_to(camera.url)) as signpost:
        assert view(signpost.url) == (0, "")
        assert (signpost.connections, signpost.plays) == (1, 0)
    assert camera.plays == plays + 1


def test_a_camera_can_stop_in_the_middle(camera):
    camera.behave(faulty.STALLS)
    assert "Connection timed out" in view(camera.url, seconds=20)[1]
    camera.behave(faulty.CLOSES_WHILE_PLAYING)
    assert view(camera.url, seconds=20) == (0, "")


def test_connections_are_counted_and_can_be_cut():
    with FaultyCamera(faulty.NEVER_ANSWERS) as camera:
        sockets = [socket.create_connection(("127.0.0.1", camera.port), timeout=5) for _ in range(2)]
        sockets[0].sendall(b"OPTIONS rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        deadline = time.monotonic() + 5
        while camera.open_connections < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        camera.cut()
        assert [one.recv(1) for one in sockets] == [b"", b""]
        assert (camera.connections, camera.most_at_once, camera.open_connections) == (2, 2, 0)
        camera.behave(faulty.REFUSES)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", camera.port), timeout=5)
        camera.behave(faulty.PLAYS)
        assert view(camera.url)[0] == 0
        for one in sockets:
            one.close()
