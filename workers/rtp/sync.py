"""Shifts sound to the picture by the sender reports of both (RFC 3550, 6.4.1). They serve no other purpose.

Each track is placed by the arrival of its packets, so that a delay between the two in the camera remains. A report ties
a track's capture time to the camera's own clock; what the two tracks differ by there is the shift of the sound. Reports
that cannot be true are ignored: then the tracks stay as they arrive.
"""

import math
from collections import deque
from statistics import median

from workers.rtp.units import AUDIO, VIDEO

MAX_SHIFT_SECONDS = 10.0
MAX_SLEW = 0.01
_MIN_NTP_SECONDS = 365 * 86_400.0  # since 1900: cameras without a clock send 0 or the time since they were switched on
_MAX_NTP_SECONDS = 2.0**32
_JUMP_SECONDS = 0.1
_MAX_RATE_ERROR = 0.02
_MAX_DRIFT_SECONDS = 0.04  # between the two tracks, within the kept reports
_MAX_CHANGE_SECONDS = 0.25  # of the shift, in all
_REPORTS = 7
_MIN_REPORTS = 2
_EQUAL_SECONDS = 0.5


class _Reports:
    """The last reports of one track that agree with each other."""

    def __init__(self) -> None:
        self.kept: deque[tuple[float, float]] = deque(maxlen=_REPORTS)  # the camera's time and capture time
        self.timestamp = 0

    def add(self, ntp: float, timestamp: int, capture_time: float) -> bool:
        """Add a report; False if it contradicts the ones before, which are forgotten."""
        is_good = True
        if self.kept:
            last_ntp, last_capture_time = self.kept[-1]
            passed, by_capture = ntp - last_ntp, capture_time - last_capture_time
            if timestamp == self.timestamp or -1.0 < by_capture <= 0.0:
                return True  # the same one again, or one that was overtaken
            if by_capture < 0.0 or abs(passed - by_capture) > _JUMP_SECONDS + _MAX_RATE_ERROR * by_capture:
                is_good = False
        if not is_good:
            self.kept.clear()
        self.kept.append((ntp, capture_time))
        self.timestamp = timestamp
        return is_good

    @property
    def offset(self) -> float:
        """Capture time less the camera's time."""
        return median(capture_time - ntp for ntp, capture_time in self.kept)

    @property
    def drift(self) -> float:
        """The change of the offset from the first kept report to the last."""
        (first_ntp, first), (last_ntp, last) = self.kept[0], self.kept[-1]
        return (last - last_ntp) - (first - first_ntp)


class TrackSync:
    """Synchronises a source's sound with its picture: `shift("audio")` seconds belong to each capture time of sound."""

    def __init__(self) -> None:
        self._reports = {VIDEO: _Reports(), AUDIO: _Reports()}
        self._first: float | None = None
        self._is_distrusted = False
        self._wanted = self._shift = 0.0
        self._shifted_at: float | None = None

    def report(self, kind: str, ntp_seconds: float, rtp_timestamp_unwrapped: int, capture_time: float) -> None:
        """Take a sender report: its NTP time (seconds since 1900), RTP time, and the capture time of that RTP time."""
        reports = self._reports.get(kind)
        if reports is None or self._is_distrusted or not math.isfinite(capture_time):
            return
        if not _MIN_NTP_SECONDS <= ntp_seconds < _MAX_NTP_SECONDS:
            self._forget()
        elif reports.add(ntp_seconds, rtp_timestamp_unwrapped, capture_time):
            self._choose()
        else:
            kept = reports.kept[-1]
            self._forget()  # the camera's clock was set: the other track's reports are of the old time
            reports.kept.append(kept)

    def shift(self, kind: str, capture_time: float | None = None) -> float:
        """Seconds to add to the capture times of a track; always 0 for the picture.

        It changes by at most 1 % of the capture time that passes: pass that of the unit. Without it, the capture time
        of the last report counts.
        """
        if kind != AUDIO:
            return 0.0
        if capture_time is None:
            kept = self._reports[AUDIO].kept
            capture_time = kept[-1][1] if kept else None
        if capture_time is None:
            return self._shift
        if self._shifted_at is None:
            self._shifted_at = capture_time
        passed = capture_time - self._shifted_at
        if passed > 0.0:
            most = MAX_SLEW * passed
            self._shift += max(-most, min(most, self._wanted - self._shift))
            self._shifted_at = capture_time
        return self._shift

    def _forget(self) -> None:
        for reports in self._reports.values():
            reports.kept.clear()

    def _choose(self) -> None:
        video, audio = self._reports[VIDEO], self._reports[AUDIO]
        if len(video.kept) < _MIN_REPORTS or len(audio.kept) < _MIN_REPORTS:
            return
        wanted = video.offset - audio.offset
        is_steady = abs(video.drift - audio.drift) <= _MAX_DRIFT_SECONDS
        if not is_steady or abs(wanted) >= MAX_SHIFT_SECONDS or self._are_copied(video, audio):
            return
        if self._first is None:
            self._first = wanted
        if abs(wanted - self._first) > _MAX_CHANGE_SECONDS:
            # It drifts slowly: the camera derives the reports of a track from that track's clock.
            self._is_distrusted, wanted = True, self._first
        self._wanted = wanted

    @staticmethod
    def _are_copied(video: _Reports, audio: _Reports) -> bool:
        """Tell whether both tracks report the same times although they were taken at different ones."""
        times = dict(video.kept)
        return video.timestamp == audio.timestamp or any(
            abs(times.get(ntp, capture_time) - capture_time) > _EQUAL_SECONDS for ntp, capture_time in audio.kept
        )
