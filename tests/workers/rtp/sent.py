"""RTP packets of sound, sent by a real FFmpeg over loopback, with the track that its SDP describes."""

import re
import socket
import subprocess
import threading
from dataclasses import dataclass

from workers.rtp.units import AUDIO, TrackDescription

_CODECS = {
    "pcma": "pcm_alaw",
    "pcmu": "pcm_mulaw",
    "g722": "adpcm_g722",
    "l16": "pcm_s16be",
    "mpeg4-generic": "aac",
    "mp4a-latm": "aac",
    "mpa": "mp2",
    "opus": "opus",
}

#: Payload types that need no description (RFC 3551, table 4).
_STATIC_TYPES = {
    0: ("pcmu", 8000, 1),
    8: ("pcma", 8000, 1),
    9: ("g722", 8000, 1),
    10: ("l16", 44100, 2),
    11: ("l16", 44100, 1),
    14: ("mpa", 90000, 1),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A track, and time stamp (since the first) and payload of each of its packets."""

    track: TrackDescription
    packets: list[tuple[int, bytes]]


def send_sound(*arguments: str, rate: int = 16000, seconds: float = 2, options: str = "") -> Sent:
    """A sine of 440 Hz; `arguments` select the encoding, `options` are those of FFmpeg's RTP muxer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.1)
        packets: list[bytes] = []
        done = threading.Event()

        def receive() -> None:
            while True:
                try:
                    packets.append(receiver.recv(65536))
                except TimeoutError:
                    if done.is_set():
                        return

        thread = threading.Thread(target=receive)
        thread.start()
        try:
            port = receiver.getsockname()[1]
            command = [
                "ffmpeg",
                "-v",
                "error",
                "-nostdin",
                "-f",
                "lavfi",
                "-i",
                f"sine=frequency=440:sample_rate={rate}",
            ]
            command += ["-t", str(seconds), *arguments, *options.split(), "-f", "rtp"]
            # RTCP goes to a port that nobody reads.
            command += [f"rtp://127.0.0.1:{port}?rtcpport=9&pkt_size=1200"]
            sdp = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True).stdout
        finally:
            done.set()
            thread.join()
    stamped = [(int.from_bytes(packet[4:8], "big"), packet[12:]) for packet in packets]
    first = stamped[0][0]
    return Sent(read_track(sdp), [((stamp - first) & 0xFFFF_FFFF, payload) for stamp, payload in stamped])


def read_track(sdp: str) -> TrackDescription:
    """The only track of an SDP, with the parameters that a session passes on."""
    payload_type = int(re.search(r"m=audio \d+ RTP/AVP (\d+)", sdp)[1])
    found = re.search(rf"a=rtpmap:{payload_type} ([^/\s]+)/(\d+)(?:/(\d+))?", sdp)
    name, clock_rate, channels = _STATIC_TYPES.get(payload_type, ("", 0, 1))
    if found:
        name, clock_rate, channels = found[1].lower(), int(found[2]), int(found[3] or 1)
    parameters = {"encoding": name}
    if fmtp := re.search(rf"a=fmtp:{payload_type} (.*)", sdp):
        pairs = (item.partition("=") for item in fmtp[1].split(";"))
        parameters |= {key.strip().lower(): value.strip() for key, _, value in pairs}
    codec = "adpcm_g726" if "g726" in name else _CODECS[name]
    return TrackDescription(0, AUDIO, codec, payload_type, clock_rate, channels, parameters)
