"""FaultyCamera: a camera with configurable faults at the RTSP level, which counts its connections."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Iterable
from dataclasses import dataclass

from .encoded import EncodedLoop, LoopSettings, load_loop
from .rtp import VIDEO_CLOCK, VIDEO_PAYLOAD_TYPE, PacketTemplate, build_video_templates
from .rtsp import Connection, Reply, Request, RtspServer

PICTURE = LoopSettings(width=640, height=360, fps=15, bitrate_kbps=500, gop_seconds=1)
SILENT_ALAW = bytes([0xD5]) * 160  # 20 ms
METADATA = (
    b'<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">'
    b"<tt:VideoAnalytics/></tt:MetadataStream>"
)


@dataclass(frozen=True)
class Behaviour:
    """The behaviour of the camera. The defaults are those of a good one; each field introduces one fault.

    `greeting`: "serve", "silence" (accepts, never answers), "close" or "garbage" (bytes that are not RTSP).
    `status` answers every DESCRIBE, after `describe_delay_seconds`; 302 redirects the client to `location`.
    `tracks` are listed in the SDP, of "video", "audio" (PCMA) and "metadata" (ONVIF); only those in `sent` send.
    `parameter_sets`: "both", "in_band" (none in the SDP) or "sdp" (none in band). `payload` "garbage" sends noise.
    After `stop_after_seconds` of media, `stop` follows: "silence" or "close".
    """

    is_listening: bool = True
    greeting: str = "serve"
    status: int = 200
    location: str = ""
    describe_delay_seconds: float = 0.0
    tracks: tuple[str, ...] = ("video",)
    sent: tuple[str, ...] = ("video", "audio", "metadata")
    parameter_sets: str = "both"
    payload: str = "video"
    stop_after_seconds: float | None = None
    stop: str = "silence"


PLAYS = Behaviour()
REFUSES = Behaviour(is_listening=False)
NEVER_ANSWERS = Behaviour(greeting="silence")
CLOSES_AT_ONCE = Behaviour(greeting="close")
SENDS_GARBAGE = Behaviour(greeting="garbage")
UNAUTHORIZED = Behaviour(status=401)
FORBIDDEN = Behaviour(status=403)
NOT_FOUND = Behaviour(status=404)
BROKEN = Behaviour(status=500)
SLOW_SDP = Behaviour(describe_delay_seconds=3.0)
SENDS_NOTHING = Behaviour(sent=())
SENDS_ONLY_AUDIO = Behaviour(tracks=("video", "audio"), sent=("audio",))
HAS_ONLY_AUDIO = Behaviour(tracks=("audio",))
HAS_METADATA_TRACK = Behaviour(tracks=("video", "audio", "metadata"))
PARAMETER_SETS_IN_SDP = Behaviour(parameter_sets="sdp")
PARAMETER_SETS_IN_BAND = Behaviour(parameter_sets="in_band")
GARBAGE_PAYLOAD = Behaviour(payload="garbage")
STALLS = Behaviour(stop_after_seconds=2.0)
CLOSES_WHILE_PLAYING = Behaviour(stop_after_seconds=2.0, stop="close")


def redirects_to(location: str) -> Behaviour:
    """Answers 302, which redirects to the URL `location`."""
    return Behaviour(status=302, location=location)


class FaultyCamera(RtspServer):
    """A camera on a free loopback port with a configurable behaviour, in a thread of this process.

        with FaultyCamera(SENDS_NOTHING) as camera:
            ...                       # camera.url
            camera.behave(PLAYS)      # for connections from now on; camera.cut() ends the open ones
            assert camera.most_at_once == 1

    `requests` holds the methods of all requests so far, `plays` counts the granted PLAYs.
    """

    def __init__(self, behaviour: Behaviour = PLAYS, port: int = 0) -> None:
        """The picture is 640x360 H.264 without B-frames, 15 fps, a key frame each second."""
        super().__init__(port)
        self.behaviour = behaviour
        self.plays = 0
        self._video = load_loop(PICTURE)

    @property
    def url(self) -> str:
        """The camera's URL, also while it does not listen."""
        return f"rtsp://127.0.0.1:{self.port}/camera"

    def start(self) -> None:
        """Take a port, and listen if the behaviour says so."""
        super().start()
        self.behave(self.behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Use this behaviour for new connections and new requests; `cut()` ends the open ones."""
        self.behaviour = behaviour
        self._call(self._listen() if behaviour.is_listening else self._stop_listening())

    async def greet(self, connection: Connection) -> bool:
        """Serve, keep silent, or send garbage and close."""
        match self.behaviour.greeting:
            case "silence":
                while await connection.reader.read(4096):
                    pass
            case "garbage":
                connection.writer.write(random.Random(1).randbytes(4096))
                await connection.writer.drain()
        return self.behaviour.greeting == "serve"

    async def describe(self, request: Request) -> Reply:
        """The SDP, or the error of the behaviour."""
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.describe_delay_seconds)
        if behaviour.status == 401:
            return Reply(401, {"WWW-Authenticate": 'Digest realm="camera", nonce="5f2b6c"'})
        if behaviour.status == 302:
            return Reply(302, {"Location": behaviour.location})
        if behaviour.status != 200:
            return Reply(behaviour.status)
        base = request.url.rstrip("/") + "/"
        sdp = build_sdp(self._video, behaviour.tracks, has_parameter_sets=behaviour.parameter_sets != "in_band")
        return Reply(headers={"Content-Type": "application/sdp", "Content-Base": base}, body=sdp)

    async def send_media(self, connection: Connection) -> None:
        """Send every track that was set up and is to be sent, until the behaviour says to stop."""
        behaviour = self.behaviour
        self.plays += 1
        senders = {"video": self._send_video, "audio": self._send_audio, "metadata": self._send_metadata}
        sending = [senders[track](connection) for track in connection.channels if track in behaviour.sent]
        try:
            async with asyncio.timeout(behaviour.stop_after_seconds):
                await asyncio.gather(*sending)
        except TimeoutError:
            if behaviour.stop == "close":
                connection.writer.close()

    async def _send_video(self, connection: Connection) -> None:
        channel = connection.channels["video"]
        templates = build_video_templates(self._video, channel, self.behaviour.parameter_sets != "sdp")
        if self.behaviour.payload == "garbage":
            dice = random.Random(2)
            templates = [PacketTemplate([dice.randbytes(900)], channel, VIDEO_PAYLOAD_TYPE) for _ in range(50)]
        await _pace(connection, templates, 1 / PICTURE.fps, VIDEO_CLOCK // PICTURE.fps, ssrc=0x11)

    async def _send_audio(self, connection: Connection) -> None:
        templates = [PacketTemplate([SILENT_ALAW], connection.channels["audio"], 8)]
        await _pace(connection, templates, 0.02, 160, ssrc=0x22)

    async def _send_metadata(self, connection: Connection) -> None:
        templates = [PacketTemplate([METADATA], connection.channels["metadata"], 107)]
        await _pace(connection, templates, 0.5, 45_000, ssrc=0x33)


def build_sdp(loop: EncodedLoop, tracks: Iterable[str], has_parameter_sets: bool = True) -> str:
    """The SDP of a camera; each track has the control `track=NAME`."""
    sprop = ",".join(base64.b64encode(nal).decode() for nal in (loop.sps, loop.pps))
    fmtp = f"packetization-mode=1;profile-level-id={loop.sps[1:4].hex()}"
    if has_parameter_sets:
        fmtp += f";sprop-parameter-sets={sprop}"
    media = {
        "video": [f"m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}", "a=rtpmap:96 H264/90000", f"a=fmtp:96 {fmtp}"],
        "audio": ["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/8000"],
        "metadata": ["m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000"],
    }
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
    for track in tracks:
        lines += [*media[track], f"a=control:track={track}"]
    return "\r\n".join([*lines, ""])


async def _pace(connection: Connection, templates: list[PacketTemplate], seconds: float, ticks: int, ssrc: int) -> None:
    """Send the templates in turn for ever, one each `seconds`, each with an RTP time `ticks` later than the last."""
    clock = asyncio.get_running_loop()
    start, sequence, number = clock.time(), random.randrange(1 << 16), 0
    while True:
        template = templates[number % len(templates)]
        connection.writer.write(template.fill(sequence, number * ticks, ssrc))
        await connection.writer.drain()
        sequence += len(template)
        number += 1
        await asyncio.sleep(start + number * seconds - clock.time())
