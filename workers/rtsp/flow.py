"""The packets of one track in a session: which SSRC is the camera's, what it reports, and what it is told.

A camera may go on sending the packets of an older session on the channels of the new one. What it sends before PLAY
was asked is of that kind, and what bears the SSRC of a session that broke off is suspected to be. Then one SSRC
counts: the one that the camera has announced, or the first; another takes its place only when it is silent, or at the
beginning, if it is by far the more frequent.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from workers.rtsp import rtcp
from workers.rtsp.reorder import Reorder

#: How long the SSRC in use must be silent before another one takes its place.
TAKEOVER_SECONDS = 2.0
#: How long packets wait for those that the camera announced, if the first ones do not look like them.
SETTLE_SECONDS = 0.2
_SETTLE_PACKETS = 256
#: How long the most frequent SSRC may still take the place of the first, and from how many packets on.
RIVAL_SECONDS = 1.0
_LEAST_RIVAL = 8
_MAX_SEQUENCE_STEP = 1000
_MAX_HELD = 4096
_MAX_STRANGERS = 64

#: Called with the track's index, a packet, and the moment of its arrival.
PacketCallback = Callable[[int, bytes, float], None]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the camera's answers say of a track's packets: SSRC and first sequence number, None where unknown."""

    ssrc: bytes | None = None
    sequence: int | None = None


class TrackFlow:
    """Packets of one track; `observe`, then `hold`, then `take` is the handler of its RTP, `take_rtcp` of its RTCP."""

    def __init__(
        self,
        index: int,
        on_packet: PacketCallback,
        on_rtcp: PacketCallback,
        *,
        is_unordered: bool = False,
        suspects: frozenset[bytes] = frozenset(),
        takeover_seconds: float = TAKEOVER_SECONDS,
    ) -> None:
        self.index = index
        self.ssrc: bytes | None = None
        self.packets = 0
        self.foreign_packets = 0
        self.heard_at = 0.0
        self.has_ended = False
        self.reorder = Reorder(lambda packet, arrived: on_packet(index, packet, arrived)) if is_unordered else None
        self._on_packet = on_packet
        self._on_rtcp = on_rtcp
        self._takeover_seconds = takeover_seconds
        self._announced = Announcement()
        self._suspects = suspects
        self._ghosts: set[bytes] = set()
        # Packets of other SSRCs in the first second after one was chosen without a proof.
        self._rivals: dict[bytes, int] = {}
        self._chosen_at = 0.0
        self._packets_before = 0
        self._strangers: set[bytes] = set()
        self._held: list[tuple[bytes, float]] = []
        self._began_at = 0.0
        # For receiver reports.
        self._own_ssrc = random.getrandbits(32)
        self._last_packet = b""
        self._highest = -1
        self._reported_packets = 0
        self._received = 0
        self._first = 0
        self._expected_before = 0
        self._last_report = (0, 0.0)

    @property
    def passed(self) -> int:
        """Packets passed on, or waiting for a missing one."""
        return self.packets - (self.reorder.dropped if self.reorder else 0)

    # Before PLAY is asked, between the question and the answer, and afterwards.

    def observe(self, packet: bytes, now: float) -> None:
        """A packet before PLAY was asked belongs to an older session."""
        if len(packet) >= 12 and len(self._ghosts) < _MAX_STRANGERS:
            self._ghosts.add(packet[8:12])
        self.foreign_packets += 1

    def suspect(self, ssrcs: Iterable[bytes]) -> None:
        """Packets with these came before the track was set up: they belong to an older session."""
        self._ghosts.update(ssrcs)

    def hold(self, packet: bytes, now: float) -> None:
        """A packet between the question and the answer: kept until the answer tells whose it is."""
        if len(self._held) < _MAX_HELD:
            self._held.append((packet, now))

    def begin(self, announced: Announcement, now: float) -> None:
        """The camera has answered PLAY."""
        self._announced = announced
        self._ghosts.discard(announced.ssrc)
        self._began_at = now
        held, self._held = self._held, []
        for packet, arrived in held:
            self.take(packet, arrived)

    def take(self, packet: bytes, now: float) -> None:
        """A packet on the track's channel or port."""
        if packet[8:12] == self.ssrc:
            self.heard_at = now
            self.packets += 1
            self._last_packet = packet
            if self.reorder is None:
                self._on_packet(self.index, packet, now)
            else:
                self.reorder.take(packet, now)
        else:
            self._take_other(packet, now)

    def _take_other(self, packet: bytes, now: float) -> None:
        if rtcp.is_rtcp(packet):
            self.take_rtcp(packet, now)
            return
        if len(packet) < 12 or packet[0] >> 6 != 2:
            self.foreign_packets += 1
            return
        ssrc = packet[8:12]
        if self.ssrc is None:
            self._settle(packet, now)
        elif self.has_ended or now - self.heard_at >= self._takeover_seconds or self._is_better(ssrc, now):
            self._pin(ssrc, now)
            self.take(packet, now)
        else:
            self._reject(ssrc)

    def _is_better(self, ssrc: bytes, now: float) -> bool:
        """Whether another SSRC is rather the camera's than the one in use, which sends as well."""
        if self._announced.ssrc in (ssrc, self.ssrc) and self._announced.ssrc:
            return ssrc == self._announced.ssrc
        if ssrc in self._ghosts or ssrc in self._suspects:
            return False
        if self.ssrc in self._suspects:
            return True
        # The packets of an older session that come in between are fewer.
        if now - self._chosen_at > RIVAL_SECONDS or len(self._rivals) >= _MAX_STRANGERS:
            return False
        count = self._rivals[ssrc] = self._rivals.get(ssrc, 0) + 1
        return count >= _LEAST_RIVAL and count > 2 * (self.packets - self._packets_before)

    def _settle(self, packet: bytes, now: float) -> None:
        """Choose the first SSRC."""
        ssrc = packet[8:12]
        if ssrc in self._ghosts:
            if now - self._began_at < self._takeover_seconds:
                self._reject(ssrc)
                return
            # Nothing else flows: it was no ghost, the camera just began early.
            self._ghosts.discard(ssrc)
        self._held.append((packet, now))
        announced = self._announced
        is_announced = announced.ssrc == ssrc if announced.ssrc else self._is_near(packet)
        if not announced.ssrc and ssrc in self._suspects:
            is_announced = False
        if is_announced:
            self._release(ssrc, now)
        elif now - self._held[0][1] >= SETTLE_SECONDS or len(self._held) >= _SETTLE_PACKETS:
            seen = [held[8:12] for held, _ in self._held]
            self._release(max(dict.fromkeys(seen), key=lambda one: (one not in self._suspects, seen.count(one))), now)

    def _is_near(self, packet: bytes) -> bool:
        """Whether a packet's number is about the one that the camera announced, if it did."""
        sequence = self._announced.sequence
        return sequence is None or ((packet[2] << 8 | packet[3]) - sequence + 64) & 0xFFFF < _MAX_SEQUENCE_STEP

    def _release(self, ssrc: bytes, now: float) -> None:
        held, self._held = self._held, []
        self._pin(ssrc, now)
        for packet, arrived in held:
            if packet[8:12] == ssrc:
                self.take(packet, arrived)
            else:
                self._reject(packet[8:12])

    def _pin(self, ssrc: bytes, now: float) -> None:
        self.ssrc = ssrc
        self.heard_at = self._chosen_at = now
        self.has_ended = False
        self._rivals.clear()
        self._packets_before = self.packets
        self._strangers.discard(ssrc)
        self._ghosts.discard(ssrc)
        self._highest = -1
        self._last_packet = b""
        self._last_report = (0, 0.0)

    def _reject(self, ssrc: bytes) -> None:
        self.foreign_packets += 1
        if len(self._strangers) < _MAX_STRANGERS:
            self._strangers.add(ssrc)

    # Reports.

    def take_rtcp(self, packet: bytes, now: float) -> None:
        """A compound RTCP packet on the track's channel or port."""
        if not rtcp.is_rtcp(packet):
            return
        sender = packet[4:8]
        if sender != self.ssrc and (sender in self._strangers or sender in self._ghosts):
            return
        for kind, part in rtcp.split_compound(packet):
            if kind == rtcp.SENDER_REPORT and len(part) >= 28:
                self._last_report = (int.from_bytes(part[10:14], "big"), now)
            elif kind == rtcp.BYE and self.ssrc in (None, part[4:8]):
                self.has_ended = self.ssrc is not None
        self._on_rtcp(self.index, packet, now)

    def build_report(self, now: float) -> bytes | None:
        """The next receiver report; None while nothing was received."""
        if not self._last_packet or self.ssrc is None:
            return None
        sequence = self._last_packet[2] << 8 | self._last_packet[3]
        received = self.packets - self._reported_packets
        self._reported_packets = self.packets
        if self._highest < 0:
            self._highest = sequence
            self._received, self._first, self._expected_before = 0, sequence - received + 1, 0
        else:
            step = (sequence - self._highest) & 0xFFFF
            # More than one turn of the numbers since the last report: as many as fit what was received.
            turns = round((received - step) / 0x10000)
            self._highest += step + 0x10000 * max(0, turns) if step < 0x8000 or turns > 0 else 0
        self._received += received
        expected = self._highest - self._first + 1
        lost = max(0, expected - self._received)
        lately = max(0, expected - self._expected_before)
        fraction = min(255, 256 * max(0, lately - received) // lately) if lately else 0
        self._expected_before = expected
        report, at = self._last_report
        return rtcp.build_report(
            self._own_ssrc,
            self.ssrc,
            highest=self._highest,
            lost=lost,
            fraction=fraction,
            last_report=report,
            since_report=now - at,
        )
