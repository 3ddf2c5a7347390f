"""The Transport header of RTSP (RFC 2326, section 12.39) and RTP-Info, as cameras write them."""

import re
from dataclasses import dataclass

from workers.rtp.units import SourceError
from workers.rtsp.target import TCP, UDP


@dataclass(frozen=True, slots=True)
class TransportReply:
    """What a camera answers to SETUP. Pairs are those of RTP and RTCP; None where the camera does not say."""

    channels: tuple[int, int] | None = None
    server_ports: tuple[int, int] | None = None
    ssrc: bytes | None = None


def build_tcp(channel: int) -> str:
    """The Transport header of a SETUP over the RTSP connection."""
    return f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"


def build_udp(port: int) -> str:
    """The Transport header of a SETUP by UDP."""
    return f"RTP/AVP;unicast;client_port={port}-{port + 1}"


def parse_transport(text: str | None, transport: str) -> TransportReply:
    """Read the camera's Transport header; raises SourceError if it means another transport than was asked for."""
    if not text:
        return TransportReply()
    first = text.split(",")[0]
    words = [word.strip() for word in first.split(";")]
    parameters = {name.strip().lower(): value.strip() for name, _, value in (word.partition("=") for word in words)}
    is_tcp = words[0].upper().endswith("/TCP") or "interleaved" in parameters
    if "multicast" in parameters:
        raise SourceError("transport_refused", "the camera sends by multicast only, which is not supported")
    if transport == TCP and not is_tcp and "server_port" in parameters:
        raise SourceError("transport_refused", "the camera answers with UDP when TCP is asked for")
    if transport == UDP and is_tcp:
        raise SourceError("transport_refused", "the camera answers with TCP when UDP is asked for")
    return TransportReply(
        channels=_read_pair(parameters.get("interleaved"), 255),
        server_ports=_read_pair(parameters.get("server_port"), 65535),
        ssrc=_read_ssrc(parameters.get("ssrc")),
    )


def _read_pair(text: str | None, limit: int) -> tuple[int, int] | None:
    found = re.match(r"\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?", text or "")
    if not found:
        return None
    first = int(found[1])
    second = int(found[2]) if found[2] else first + 1
    return (first, second) if first <= limit and second <= limit else None


def _read_ssrc(text: str | None) -> bytes | None:
    if not text or not re.fullmatch(r"(0x)?[0-9A-Fa-f]{1,8}", text):
        return None
    number = int(text, 16)
    # Cameras that do not know it yet write 0.
    return number.to_bytes(4, "big") if number else None


def parse_rtp_info(text: str | None) -> list[tuple[str, int | None]]:
    """URL and first sequence number of each track in an RTP-Info header; cameras that do not know it write 0."""
    found: list[tuple[str, int | None]] = []
    # A URL may contain commas: an entry begins with `url=`.
    for entry in re.split(r",\s*(?=url\s*=)", (text or "")[:8192], flags=re.IGNORECASE)[:64]:
        url = re.match(r"\s*(?:url\s*=\s*)?([^;]*)", entry, re.IGNORECASE)[1].strip()
        sequence = re.search(r";\s*seq\s*=\s*(\d{1,5})\b", entry, re.IGNORECASE)
        found.append((url, int(sequence[1]) & 0xFFFF or None if sequence else None))
    return found
