"""Peers are found by their environment variables, started with their own configuration, and left without a trace."""

import argparse
import json
import stat
import sys

import pytest

from bench.__main__ import parse_peers
from bench.peers import PEERS, find_peers, go2rtc, mediamtx
from bench.peers.program import PeerProgram, find_program

#: A program that prints a version, or serves nothing until it is ended.
PROGRAM = f"""#!{sys.executable}
import sys, time
if "--version" in sys.argv:
    print("peer version v4.5.6 (abc) linux/amd64")
else:
    print("the peer says why", flush=True)
    time.sleep(60 if "stay" in sys.argv else 0)
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "peer"
    path.write_text(PROGRAM)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def no_peers(monkeypatch):
    for name in ("GO2RTC", "MEDIAMTX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("bench.peers.janus_gateway.shutil.which", lambda _name: None)


def test_a_peer_is_found_by_its_environment_variable_with_its_version(monkeypatch, program):
    monkeypatch.setenv("GO2RTC", str(program))
    assert parse_peers("all") == (go2rtc.Go2rtc,)
    assert go2rtc.Go2rtc.find_version() == "4.5.6"


def test_a_relative_path_is_found_from_any_folder(monkeypatch, program):
    monkeypatch.chdir(program.parent)
    monkeypatch.setenv("GO2RTC", program.name)
    assert find_program("GO2RTC") == str(program)


@pytest.mark.parametrize("value", ["", "/nowhere/go2rtc", "/etc", "/etc/passwd"])
def test_a_variable_that_names_no_program_is_as_good_as_none(monkeypatch, value):
    monkeypatch.setenv("GO2RTC", value)
    assert go2rtc.Go2rtc.find_version() is None


def test_all_takes_the_peers_that_are_there_and_names_the_others(capsys):
    assert parse_peers("all") == ()
    said = capsys.readouterr().out
    assert "the peer go2rtc is not installed: set GO2RTC to the path of its program" in said
    assert "the peer mediamtx is not installed: set MEDIAMTX" in said
    assert "the peer janus is not installed: apt-get install janus" in said


def test_a_peer_that_is_asked_for_by_name_must_be_there(monkeypatch, program):
    monkeypatch.setenv("MEDIAMTX", str(program))
    with pytest.raises(argparse.ArgumentTypeError, match="the peer go2rtc is not installed: set GO2RTC"):
        parse_peers("mediamtx,go2rtc")


@pytest.mark.parametrize("text", ["frigate", "", "go2rtc,", "go2rtc janus"])
def test_an_unknown_peer_is_refused_with_the_known_ones(text):
    with pytest.raises(
        argparse.ArgumentTypeError, match="is not a peer; peers are go2rtc, mediamtx, janus, all or none"
    ):
        parse_peers(text)


def test_none_is_no_peer_and_a_name_twice_is_one(monkeypatch, program):
    monkeypatch.setenv("MEDIAMTX", str(program))
    assert parse_peers("none") == ()
    assert parse_peers("mediamtx,mediamtx") == (mediamtx.MediaMtx,)
    assert find_peers([]) == ([], [])


def test_go2rtc_keeps_reading_every_camera_and_listens_on_loopback_alone():
    built = go2rtc.build_configuration(["rtsp://127.0.0.1:1/a", "rtsp://127.0.0.1:1/b"], 7001, 7002)
    assert built["streams"] == {"camera1": "rtsp://127.0.0.1:1/a", "camera2": "rtsp://127.0.0.1:1/b"}
    assert set(built["preload"]) == set(built["streams"])
    assert built["webrtc"]["ice_servers"] == []
    assert {built[name]["listen"].partition(":")[0] for name in ("api", "rtsp", "webrtc")} == {"127.0.0.1", ""}


@pytest.mark.parametrize("is_recording", [True, False])
def test_mediamtx_reads_over_tcp_records_if_asked_and_listens_on_loopback_alone(tmp_path, is_recording):
    ports = {"api": 7001, "webrtc": 7002, "media": 7003}
    built = mediamtx.build_configuration(["rtsp://127.0.0.1:1/a"], ports, tmp_path, is_recording)
    defaults = built["pathDefaults"]
    assert defaults["rtspTransport"] == "tcp"
    assert defaults["record"] is is_recording
    assert defaults["recordPath"].startswith(str(tmp_path))
    assert all(value.startswith("127.0.0.1:") for name, value in built.items() if name.endswith("Address"))
    assert json.loads(json.dumps(built)) == built


def test_a_peer_that_ends_is_an_error_with_the_end_of_its_log_and_leaves_nothing(program):
    peer = PeerProgram()
    peer.name = "the peer"
    folder = peer.make_folder()
    with pytest.raises(RuntimeError, match=r"the peer does not show cameras \[1, 2\].*\nthe peer says why"):
        peer.launch([str(program)], 2, lambda _camera: False)
    assert not folder.exists()
    assert peer.pids() == []
    peer.close()


def test_a_peer_that_is_missing_leaves_no_folder():
    peer = PeerProgram()
    folder = peer.make_folder()
    with pytest.raises(OSError, match="nowhere"):
        peer.launch(["/nowhere/peer"], 1, lambda _camera: True)
    assert not folder.exists()


def test_a_peer_is_ready_when_every_camera_has_media_and_can_be_closed_twice(program):
    peer = PeerProgram()
    folder, port = peer.make_folder(), peer.take_ports()
    asked = []

    def has_media(camera):
        asked.append(camera)
        if asked == [1]:
            raise KeyError("producers")
        return True

    peer.launch([str(program), "stay"], 2, has_media)
    assert asked == [1, 1, 2]
    assert len(peer.pids()) == 1
    assert port
    peer.close()
    peer.close()
    assert not folder.exists()


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_brings_its_script(name):
    assert "watchPeer" in PEERS[name].script.read_text()
