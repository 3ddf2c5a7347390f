"""The report of a pass of retention."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.footage.segments import StoredSegment
from gateway.storage.clock_trust import TrustedTime
from gateway.storage.deletion_order import size_on_disk


@dataclass(slots=True)
class PassReport:
    """What a pass deleted, by device. `is_more`: another pass should follow at once. `is_stuck`: too little could be
    freed.

    By device, with their tenants: `held` have footage that is too old by the clock and not by the trusted time;
    `waiting` have footage beyond their limits that waits for a copy; `unarchived` lost footage without a copy, because
    the disk was full.
    """

    segments: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reasons: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    held: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    unarchived: dict[str, str] = field(default_factory=dict)
    time: TrustedTime | None = None
    is_more: bool = False
    is_stuck: bool = False

    def add(self, device_id: str, marked: Iterable[StoredSegment], why: str) -> None:
        """Count deleted segments, or local files, of a device."""
        for segment in marked:
            self.segments[device_id] += 1
            self.bytes[device_id] += size_on_disk(segment)
            self.reasons[device_id].add(why)

    @property
    def total_segments(self) -> int:
        return sum(self.segments.values())

    @property
    def total_bytes(self) -> int:
        return sum(self.bytes.values())
