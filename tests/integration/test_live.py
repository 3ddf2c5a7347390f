"""Live video with the real SFU and players that are not ours: packets of a camera, and of encoders that are killed."""

import asyncio
import base64
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from aiortc import RTCPeerConnection, RTCSessionDescription
from playwright.sync_api import Page, sync_playwright

from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.outputs import DeviceContext, OutputContext, PacketTaker, PipelineInputs
from gateway.testing.ports import free_block, free_port, give_back
from plugins.mediasoup_webrtc import audience, control, output
from plugins.mediasoup_webrtc.output import MediasoupWebrtcOutput
from plugins.mediasoup_webrtc.tokens import control_key, mint_viewer_token
from tests.conftest import wait_until
from tests.factories import SFU_SECRET, make_config
from tests.stack.stack import ROOT, find_worker_bin
from tests.stack.viewer import launch_browser
from workers.streams.loop import MediaLoop

DEVICE = DeviceContext("cam-1", "tenant-1", "Gate")
COPIED = PipelineInputs(SourceInfo(VideoInfo("h264", 320, 180), AudioInfo("pcm_alaw", 8000, 1)))
ENCODED = PipelineInputs(SourceInfo(VideoInfo("hevc", 320, 180), AudioInfo("aac", 16_000, 1)))
PICTURE = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"]
TONE = ["-re", "-f", "lavfi", "-i", "sine=sample_rate=8000"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(output, "_POLL_SECONDS", 0.2)
    monkeypatch.setattr(audience, "LINGER_SECONDS", 0.5)


@pytest.fixture
def loop() -> Iterator[MediaLoop]:
    loop = MediaLoop()
    yield loop
    # What was cancelled ends before the loop does.
    loop.run(asyncio.sleep(0.1), timeout_seconds=5)
    loop.close()


class Sfu:
    """The real server, with one Worker."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._blocks = [(free_block(64), 64), (free_block(64), 64)]
        (ingest, _), (source, _) = self._blocks
        env = {
            "SFU_SECRET": SFU_SECRET,
            "SFU_PORT": self.port,
            "SFU_WORKERS": 1,
            "SFU_WEBRTC_PORT": free_port(),
            "SFU_INGEST_PORTS": f"{ingest}-{ingest + 63}",
            "SFU_SOURCE_PORTS": f"{source}-{source + 63}",
            "MEDIASOUP_WORKER_BIN": find_worker_bin(),
        }
        self._log = (folder / "sfu.log").open("wb")
        self._process = subprocess.Popen(
            ["node", ROOT / "sfu/server.js"],
            cwd=folder,
            env={"PATH": os.environ["PATH"]} | {name: str(value) for name, value in env.items()},
            stdout=self._log,
            stderr=self._log,
        )
        wait_until(self._answers, "the SFU has started", seconds=20)

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=1).ok
        except requests.ConnectionError:
            return False

    def signal(self, number: int) -> None:
        """Send a signal to the server, not to its Worker."""
        self._process.send_signal(number)

    def status(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {control_key(SFU_SECRET)}"}
        return requests.get(f"http://127.0.0.1:{self.port}/control/status", headers=headers, timeout=5).json()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()
        for block in self._blocks:
            give_back(*block)


@pytest.fixture(scope="module")
def sfu(tmp_path_factory) -> Iterator[Sfu]:
    sfu = Sfu(tmp_path_factory.mktemp("sfu"))
    yield sfu
    sfu.close()


@pytest.fixture
def start_worker(sfu, loop) -> Iterator[Callable[[], MediasoupWebrtcOutput]]:
    """Start the output of one more stream worker process."""
    started = []

    def start() -> MediasoupWebrtcOutput:
        config = make_config(mediasoup_ws_url=f"ws://127.0.0.1:{sfu.port}")
        webrtc = MediasoupWebrtcOutput(OutputContext(config, loop.loop, f"host:{secrets.token_hex(4)}"))
        started.append(webrtc)
        wait_until(lambda: webrtc._control.is_connected, "the SFU is connected")
        return webrtc

    yield start
    for webrtc in started:
        webrtc.close_room(DEVICE.id)
        wait_until(lambda: sfu.status()["rooms"] == 0, "the room is closed")
        webrtc.close()


class Camera:
    """RTP of a real FFmpeg, passed to `taker` as the ingest does: parameter sets are only in its description."""

    def __init__(self, loop: MediaLoop, folder: Path) -> None:
        self.taker: PacketTaker | None = None
        self.sets: tuple[bytes, ...] = ()
        self._loop = loop
        self._times: dict[str, tuple[int, float]] = {}
        self._sockets = {kind: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for kind in ("video", "audio")}
        for one in self._sockets.values():
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            one.bind(("127.0.0.1", 0))
        loop.run(self._listen(), timeout_seconds=5)
        sdp = folder / "camera.sdp"
        to = {kind: f"rtp://127.0.0.1:{one.getsockname()[1]}?pkt_size=1472" for kind, one in self._sockets.items()}
        coding = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-pix_fmt", "yuv420p"]
        command = ["ffmpeg", "-v", "error", "-nostdin", *PICTURE, *TONE, "-map", "0:v", *coding]
        command += ["-b:v", "3M", "-flags", "+global_header", "-f", "rtp", to["video"]]
        command += ["-map", "1:a", "-c:a", "pcm_alaw", "-f", "rtp", to["audio"], "-sdp_file", str(sdp)]
        self._process = subprocess.Popen(command)
        wait_until(lambda: sdp.exists() and "sprop" in sdp.read_text(), "the camera describes itself", seconds=20)
        found = re.search(r"sprop-parameter-sets=([^;\s]+)", sdp.read_text())
        self.sets = tuple(base64.b64decode(text) for text in found[1].split(","))

    async def _listen(self) -> None:
        for kind, one in self._sockets.items():
            asyncio.get_running_loop().add_reader(one, self._read, kind, one)

    def _read(self, kind: str, one: socket.socket) -> None:
        while True:
            try:
                packet = one.recv(4000)
            except BlockingIOError:
                break
            stamp = int.from_bytes(packet[4:8], "big")
            if 192 <= packet[1] <= 223 or self.taker is None or not self.taker.is_wanted:
                continue
            if self._times.get(kind, (None,))[0] != stamp:
                self._times[kind] = (stamp, time.monotonic())
            self.taker.take(kind, packet[12:], self._times[kind][1], ends_unit=packet[1] > 127)
        if self.taker is not None:
            self.taker.flush()

    def pass_to(self, taker: PacketTaker | None) -> None:
        async def change() -> None:
            self.taker = taker
            if taker is not None:
                taker.begin("video", "h264", self.sets)

        self._loop.run(change(), timeout_seconds=5)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)

        async def end() -> None:
            for one in self._sockets.values():
                asyncio.get_running_loop().remove_reader(one)
                one.close()

        self._loop.run(end(), timeout_seconds=5)


@pytest.fixture
def camera(loop, tmp_path) -> Iterator[Camera]:
    camera = Camera(loop, tmp_path)
    yield camera
    camera.close()


@dataclass
class Player:
    """A WHEP player (aiortc), from its offer on."""

    pictures: int = 0
    sounds: int = 0
    codecs: set[str] = field(default_factory=set)
    asked_at: float = 0.0
    first_picture_at: float | None = None
    connection: RTCPeerConnection | None = None
    tasks: list = field(default_factory=list)
    is_broken: bool = False

    async def play(self, sfu: Sfu) -> None:
        connection = self.connection = RTCPeerConnection()
        connection.on("track", lambda track: self.tasks.append(asyncio.ensure_future(self._watch(track))))
        for kind in ("video", "audio"):
            connection.addTransceiver(kind, direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        token = mint_viewer_token(SFU_SECRET, device_id=DEVICE.id, tenant_id="tenant-1", lifetime_seconds=60).token
        url = f"http://127.0.0.1:{sfu.port}/whep/{DEVICE.id}"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        self.asked_at = time.monotonic()
        answer = await asyncio.to_thread(
            requests.post, url, data=connection.localDescription.sdp, headers=headers, timeout=10
        )
        assert answer.status_code == 201, answer.text
        self.codecs = set(re.findall(r"a=rtpmap:\d+ ([A-Za-z0-9]+)/", answer.text))
        self.session = requests.compat.urljoin(url, answer.headers["Location"])
        await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))

    async def _watch(self, track) -> None:
        try:
            while True:
                await track.recv()
                if track.kind == "video":
                    self.pictures += 1
                    self.first_picture_at = self.first_picture_at or time.monotonic()
                else:
                    self.sounds += 1
        except asyncio.CancelledError:
            raise
        except Exception:
            self.is_broken = True

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.to_thread(requests.delete, self.session, timeout=10)
        await self.connection.close()


@pytest.fixture
def play(sfu) -> Iterator[Callable[[], Player]]:
    """Let a WHEP player watch, on a loop of its own; it leaves at the end, or by `leave`."""
    loop, players = MediaLoop(), []

    def start() -> Player:
        player = Player()
        loop.run(player.play(sfu), timeout_seconds=30)
        players.append(player)
        player.go = lambda: (players.remove(player), loop.run(player.leave(), timeout_seconds=15))
        return player

    yield start
    for player in list(players):
        player.go()
    loop.close()


def test_a_player_sees_and_hears_a_camera_whose_packets_nobody_got_before(sfu, start_worker, camera, play, note):
    webrtc = start_worker()
    arguments = webrtc.attach(DEVICE, COPIED)
    camera.pass_to(arguments.packets)
    assert arguments.packet_kinds == ("video", "audio")
    sender = arguments.packets
    assert sender.sent == 0

    player = play()
    wait_until(lambda: player.pictures > 40 and player.sounds > 40, "picture and sound", seconds=30)
    assert player.codecs == {"H264", "PCMA"}
    note(f"first picture after {player.first_picture_at - player.asked_at:.2f} s, with a key frame each second")
    assert webrtc.figures(DEVICE.id) == {"viewers": 1}
    assert webrtc.check(DEVICE.id) is None

    player.go()
    wait_until(lambda: not sender.is_wanted, "nobody needs packets")
    sent = sender.sent
    again = play()
    wait_until(lambda: again.pictures > 10, "picture of the next viewer", seconds=30)
    assert sender.sent > sent


def test_a_player_notices_nothing_of_another_worker(sfu, start_worker, camera, play):
    first, second = start_worker(), start_worker()
    sender = first.attach(DEVICE, COPIED).packets
    camera.pass_to(sender)
    player = play()
    wait_until(lambda: player.pictures > 40, "picture", seconds=30)
    for before, after in ((first, second), (second, first)) * 2:
        camera.pass_to(None)
        before.release(DEVICE.id)
        taker = after.attach(DEVICE, COPIED).packets
        assert taker.is_wanted, "the room has a viewer"
        camera.pass_to(taker)
        pictures, sounds = player.pictures, player.sounds
        # aiortc shows the next key frame at once only if the sequence goes on.
        wait_until(
            lambda pictures=pictures, sounds=sounds: player.pictures > pictures + 30 and player.sounds > sounds + 30,
            "picture and sound go on",
            seconds=15,
        )
    assert not player.is_broken
    assert player.connection.connectionState == "connected"
    assert sfu.status()["viewers"] == 1


def test_a_player_notices_nothing_of_a_server_that_stands_still(sfu, start_worker, camera, play, monkeypatch):
    """The Worker goes on without it; the output is neither stalled nor attached again."""
    webrtc = start_worker()
    taker = webrtc.attach(DEVICE, COPIED).packets
    camera.pass_to(taker)
    player = play()
    wait_until(lambda: player.pictures > 20, "picture", seconds=30)
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.2)
    webrtc._stall_seconds = 0.5
    arrivals = webrtc._ingests[DEVICE.id].arrivals
    sfu.signal(signal.SIGSTOP)
    try:
        pictures = player.pictures
        wait_until(lambda: player.pictures > pictures + 50, "pictures go on", seconds=15)
        assert webrtc.check(DEVICE.id) is None
        assert taker.is_wanted
        assert webrtc.attach(DEVICE, COPIED).packets is taker
    finally:
        sfu.signal(signal.SIGCONT)
    wait_until(lambda: arrivals._before is not None, "the SFU answers again")
    pictures = player.pictures
    wait_until(lambda: player.pictures > pictures + 20, "pictures go on", seconds=15)
    assert not player.is_broken
    assert (sfu.status()["rooms"], sfu.status()["viewers"]) == (1, 1)


def test_a_player_notices_little_of_encoders_that_are_killed(sfu, start_worker, play):
    webrtc = start_worker()
    arguments = webrtc.attach(DEVICE, ENCODED)
    assert arguments.packets is None
    assert not arguments.demand.is_set
    wanted: Future[None] = Future()
    arguments.demand.listen(lambda: wanted.done() or wanted.set_result(None))
    player = play()
    wanted.result(5)

    def encode() -> subprocess.Popen:
        inputs = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25[out0];sine=sample_rate=16000[out1]"]
        return subprocess.Popen(["ffmpeg", "-v", "error", "-nostdin", *inputs, *arguments.arguments])

    for _ in range(3):
        encoder = encode()
        pictures, sounds = player.pictures, player.sounds
        try:
            wait_until(
                lambda pictures=pictures, sounds=sounds: (
                    player.pictures > pictures + 40 and player.sounds > sounds + 60
                ),
                "picture and sound",
                seconds=30,
            )
        finally:
            encoder.kill()
            encoder.wait(10)
    assert player.codecs == {"H264", "opus"}
    assert not player.is_broken
    assert webrtc.check(DEVICE.id) is None


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        yield browser.new_page()
        browser.close()


WATCH = """async ([url, token]) => {
  const connection = new RTCPeerConnection();
  for (const kind of ['video', 'audio']) connection.addTransceiver(kind, { direction: 'recvonly' });
  const video = document.body.appendChild(document.createElement('video'));
  const stream = new MediaStream();
  connection.ontrack = ({ track }) => stream.addTrack(track);
  video.muted = true;
  video.srcObject = stream;
  await connection.setLocalDescription(await connection.createOffer());
  const answer = await fetch(url, {
    method: 'POST',
    body: connection.localDescription.sdp,
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
  });
  await connection.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  await video.play();
  window.readFigures = async () => {
    const figures = {};
    const report = await connection.getStats();
    for (const entry of report.values()) {
      if (entry.type === 'inbound-rtp')
        figures[entry.kind] = { ...entry, codec: report.get(entry.codecId)?.mimeType };
    }
    return figures;
  };
}"""


def test_a_browser_plays_every_picture_of_a_camera_and_its_sound_as_it_is(sfu, start_worker, camera, page, note):
    webrtc = start_worker()
    camera.pass_to(webrtc.attach(DEVICE, COPIED).packets)
    page.goto(f"http://127.0.0.1:{sfu.port}/health")
    token = mint_viewer_token(SFU_SECRET, device_id=DEVICE.id, tenant_id="tenant-1", lifetime_seconds=60).token
    page.evaluate(WATCH, [f"http://127.0.0.1:{sfu.port}/whep/{DEVICE.id}", token])
    page.wait_for_timeout(6_000)
    before = page.evaluate("readFigures()")
    page.wait_for_timeout(4_000)
    after = page.evaluate("readFigures()")
    assert (after["video"]["codec"], after["audio"]["codec"]) == ("video/H264", "audio/PCMA")
    assert after["video"]["framesDecoded"] - before["video"]["framesDecoded"] > 85
    assert after["video"]["packetsLost"] == after["audio"]["packetsLost"] == 0
    heard = after["audio"]["totalSamplesReceived"] - before["audio"]["totalSamplesReceived"]
    note(f"browser: {after['video']['framesDecoded']} pictures decoded, {after['video'].get('framesDropped')} dropped")
    concealed = after["audio"]["concealedSamples"] - before["audio"]["concealedSamples"]
    assert heard > 0
    assert concealed < 0.05 * heard
