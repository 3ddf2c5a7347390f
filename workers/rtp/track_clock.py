"""Maps a track's RTP time to capture time by the arrival of its packets, whatever the camera's clock does.

A unit's capture time is its arrival less its delay beyond the least one. On the usual path a stamp lies on a line whose
offset falls at once (a unit that would be ahead of its arrival proves a smaller delay) and rises slowly. A stamp that
cannot belong to this line is placed by arrival and cadence; several that agree with each other are the clock's new
line. Where stamps say nothing (all the same, random), arrival alone counts until they are good again.
"""

from itertools import pairwise

from workers.rtp.least_delay import BUCKET_SECONDS, LeastDelay

MAX_DELAY = 60.0
MIN_STEP = 0.001
_CROWD_STEP = 0.00002  # a little more than a tick of 90 kHz: between units that arrive at the same moment
_START_ROOM = 0.01  # the first unit is placed so much before its arrival, so that a burst has room to rise
_TOLERANCE = 0.05
_FIRST_STRIDE_LIMIT = 2.0
_MAX_REORDERED = 16
_UNITS_OF_A_STEP = 4
_UNITS_AFTER_A_PAUSE = 6
_UNITS_WITHOUT_SENSE = 8
_UNITS_OF_A_TRIAL = 25
_SETTLE_SECONDS = 20.0
_LEAP_SECONDS = 2.0  # a lasting delay beyond this is not slewed away but taken for a step
_WINDOW_SECONDS = 15.0
_FPS_SECONDS = 5.0
_MIN_SCALE, _MAX_SCALE = 0.4, 2.6
_FAR = 1e15


class TrackClock:
    """Maps a track's RTP time to capture time (seconds of the monotonic clock), by the arrival of its packets.

    `outliers` counts single stamps that were placed by arrival, `steps` how often the camera's clock was set.
    """

    def __init__(self, clock_rate: int, *, expected_interval: float | None = None, can_reorder: bool = True) -> None:
        """`expected_interval`: seconds between units, if announced. `can_reorder`: False for sound."""
        interval = expected_interval if expected_interval and 0.0 < expected_interval < MAX_DELAY else 0.04
        self.outliers = 0
        self.steps = 0
        self._tick = 1.0 / (clock_rate if clock_rate > 0 else 90_000)
        self._can_reorder = can_reorder
        self._has_reordered = False
        self._leap = 0.0  # by how much a unit may be ahead of those that come after it, as far as seen
        self._lone_stamp, self._lone_leap = _FAR, 0.0  # the last single unit that was ahead by some units
        self._units = 0
        self._marks: list[tuple[float, int]] = []  # arrivals and numbers of units, for `fps`
        # The line: at `_ref_stamp` the capture time is `_ref_time`; below it `_back_scale` counts, for B-frames.
        self._base = 0  # ticks at which a stamp is 0
        self._ref_stamp = self._ref_time = 0.0
        self._scale = self._back_scale = self._clock_scale = 1.0  # real seconds per second of stamps
        # The newest unit on it, and the one before: B-frames lie between the two.
        self._top = self._low = self._top_time = self._top_arrived = 0.0
        self._arrived = self._head = 0.0  # the last arrival, and the latest time that was given out
        self._beat = interval  # seconds between the arrivals of units that are newer than all before
        self._stride = 0.0  # seconds of stamps between them, 0 while unknown
        self._stride_limit = _FIRST_STRIDE_LIMIT
        # The least delay.
        self._least = LeastDelay()
        self._bucket_delay = _FAR
        self._bucket_point = (0.0, 0.0)
        self._bucket_began = self._settled_since = self._fallen = 0.0
        self._buckets = self._slow_buckets = self._fast_buckets = 0
        # The line that may be the next one, in units that agreed with it.
        self._candidate = self._candidate_ticks = 0
        self._candidate_stamp = self._candidate_time = self._candidate_top = self._candidate_arrived = 0.0
        self._senseless = 0.0
        self._repeated = 0
        self._pause_units = 0
        self._pause_stamp = self._pause_arrived = 0.0
        self._is_free = False  # stamps say nothing: arrival alone counts
        self._trial_units = self._trial_tops = 0
        self._trial_stamp = self._trial_top = self._trial_arrived = 0.0

    @property
    def rate(self) -> float:
        """Seconds of media by the stamps per real second."""
        return 1.0 / self._clock_scale

    @property
    def is_by_arrival(self) -> bool:
        """Whether the stamps make no sense at present, so that only arrivals count."""
        return self._is_free

    @property
    def fps(self) -> float | None:
        """Units that really arrive in a second; None before there is a figure."""
        if not self._marks:
            return None
        arrived, number = self._marks[0]
        return (self._units - number) / (self._arrived - arrived) if self._arrived > arrived else None

    def at(self, timestamp: int) -> float:
        """The capture time of a stamp by what is known now, without placing a unit."""
        stamp = self._stamp_of(timestamp) - self._ref_stamp
        return self._ref_time + stamp * (self._scale if stamp >= 0.0 else self._back_scale)

    def place(self, timestamp: int, arrived: float) -> float:
        """Place the next unit in decode order: its unwrapped RTP time, and the arrival of its first packet."""
        units = self._units
        self._units = units + 1
        if not units:
            return self._begin(timestamp, arrived)
        gap = arrived - self._arrived
        if gap < 0.0:
            arrived, gap = self._arrived, 0.0
        self._arrived = arrived
        try:
            stamp = (timestamp - self._base) * self._tick
        except OverflowError:
            stamp = self._stamp_of(timestamp)
        if self._is_free:
            return self._place_freely(timestamp, stamp, arrived, gap)
        advance = stamp - self._top
        if advance > 0.0:
            time = self._ref_time + (stamp - self._ref_stamp) * self._scale
            delay = arrived - time
            if delay >= 0.0:
                if delay <= MAX_DELAY:
                    return self._advance(stamp, arrived, gap, time, advance)
            elif (
                advance <= self._stride_limit + 1.2 * self._stride * (self._candidate + self._repeated)
                or delay >= -_TOLERANCE - 0.02 * gap
                or (advance <= 3.0 * gap and (gap < 4.0 * self._beat + 0.5 or not self._stride))
            ):
                return self._advance(stamp, arrived, gap, time, advance)
        elif self._low < stamp < self._top:
            if self._can_reorder and advance >= -max(self._leap, (_MAX_REORDERED + 0.5) * (self._stride or self._beat)):
                return self._place_reordered(stamp, arrived)
        elif advance >= -0.25 * (self._stride or self._beat):
            return self._place_repeated(arrived, gap)
        return self._place_suspect(timestamp, stamp, arrived, gap)

    def _stamp_of(self, timestamp: int) -> float:
        ticks = timestamp - self._base
        limit = int(_FAR / self._tick)
        return max(-limit, min(limit, ticks)) * self._tick

    def _begin(self, timestamp: int, arrived: float) -> float:
        self._base = timestamp
        self._arrived = self._top_arrived = self._bucket_began = self._settled_since = arrived
        self._head = self._top_time = arrived - _START_ROOM
        self._ref_time = arrived
        self._low = -_MAX_REORDERED * self._beat
        self._marks.append((arrived, 1))
        self._bucket_delay, self._bucket_point = 0.0, (0.0, arrived)
        return self._head

    def _advance(self, stamp: float, arrived: float, gap: float, time: float, advance: float) -> float:
        """Place a unit that is newer than all before, on the line."""
        if stamp > self._lone_stamp:
            self._check_lone(stamp, advance)
        if self._candidate:
            self._drop_candidate()
        if self._senseless:
            self._senseless = max(0.0, self._senseless - 0.5)
        self._repeated = 0
        beat = self._beat
        # No clock that is followed advances less. Stamps that count frames must not collapse time until that is known.
        least = self._head + 0.5 * min(gap, 1.2 * beat)
        if time < least:
            self._ref_time += least - time
            time = least
        delay = arrived - time
        if delay < 0.0:
            self._fallen -= delay
            self._ref_stamp, self._ref_time = stamp, arrived
            is_crowded = gap < MIN_STEP and -delay > 0.5 * advance * self._scale  # a burst of the past
            time = arrived
            self._back_scale = max(0.0, arrived - self._top_time) / advance
            delay = 0.0
        else:
            is_crowded = False
        top_gap = arrived - self._top_arrived
        self._low, self._top, self._top_arrived = self._top, stamp, arrived
        # In a burst the arrivals say nothing about the cadence.
        self._beat = beat + 0.125 * (min(max(top_gap, 0.25 * advance * self._clock_scale), 4.0 * beat) - beat)
        stride = self._stride
        if stride:
            self._stride = stride = stride + 0.125 * (min(advance, 4.0 * stride) - stride)
            self._stride_limit = max((1.6 if self._has_reordered else 2.5) * stride, self._leap, 0.05)
        elif advance <= max(_FIRST_STRIDE_LIMIT, 3.0 * gap):
            self._stride = advance
            self._stride_limit = max(2.5 * advance, _FIRST_STRIDE_LIMIT)
        if delay < self._bucket_delay:
            self._bucket_delay, self._bucket_point = delay, (stamp, arrived)
        if self._pause_units or top_gap > 1.0:
            time = self._watch_pause(stamp, arrived, top_gap, time, 5.0 * beat)
        self._top_time = time = self._crowd() if is_crowded else self._rise(time, arrived)
        if arrived - self._bucket_began >= BUCKET_SECONDS:
            self._close_bucket(stamp, arrived)
        return time

    def _rise(self, time: float, arrived: float) -> float:
        """The time after all that were given out, and not after the arrival."""
        if time < self._head + MIN_STEP:
            time = self._head + MIN_STEP
            if time > arrived:
                return self._crowd()
        self._head = time = max(time, arrived - MAX_DELAY)
        return time

    def _crowd(self) -> float:
        """The time right after the last: of a burst of the past, whose first unit was placed at its arrival."""
        self._head += _CROWD_STEP
        return self._head

    def _place_reordered(self, stamp: float, arrived: float) -> float:
        self._has_reordered = True
        self._leap = max(self._leap, 1.2 * (self._top - stamp) + 0.05)
        if self._candidate:
            self._drop_candidate()
        scale = self._scale if stamp >= self._ref_stamp else self._back_scale
        time = self._ref_time + (stamp - self._ref_stamp) * scale
        return max(min(time, arrived), arrived - MAX_DELAY)

    def _place_repeated(self, arrived: float, gap: float) -> float:
        """Place a unit with the stamp of the one before (or a hair less) before the next one is due."""
        self._repeated += 1
        if self._repeated >= _UNITS_WITHOUT_SENSE:
            self._go_free(arrived)
        time = self._head + (gap if self._repeated > 1 else max(0.25 * self._beat, min(gap, 0.75 * self._beat)))
        return self._rise(min(time, arrived), arrived)

    def _place_suspect(self, timestamp: int, stamp: float, arrived: float, gap: float) -> float:
        """Place a unit whose stamp is not on the line."""
        scale = self._clock_scale
        step = stamp - self._candidate_top
        took = arrived - self._candidate_arrived
        if self._candidate and (
            0.0 < step <= self._stride_limit
            or (step > 0.0 and 0.3 * took <= step * scale <= 3.0 * took)
            or (self._has_reordered and -self._stride_limit <= step < 0.0)
        ):
            self._candidate += 1
            time = self._candidate_time + (stamp - self._candidate_stamp) * scale
            is_crowded = time > arrived and gap < MIN_STEP
            if time > arrived:
                self._candidate_time -= time - arrived
                time = arrived
            self._candidate_top = max(self._candidate_top, stamp)
            self._candidate_arrived = arrived
            if step > 0.0 or not self._has_reordered:
                time = self._crowd() if is_crowded else self._rise(time, arrived)
            if self._candidate >= _UNITS_OF_A_STEP:
                self._adopt_candidate(arrived)
            return max(time, arrived - MAX_DELAY)
        if self._candidate:
            self._drop_candidate()
        self._senseless += 1.0
        # After a pause the clock may be another; a stall that begins with an outlier belongs to cameras that have many.
        if self._has_reordered or (gap > 2.0 * self._beat and self.outliers > 2 + 4 * self.steps):
            gap = self._beat
        time = self._rise(min(arrived, self._head + max(gap, 0.5 * self._beat)), arrived)
        self._candidate, self._candidate_ticks = 1, timestamp
        self._candidate_stamp = self._candidate_top = stamp
        self._candidate_time, self._candidate_arrived = time, arrived
        if self._senseless >= _UNITS_WITHOUT_SENSE:
            self._go_free(arrived)
        return time

    def _drop_candidate(self) -> None:
        self.outliers += self._candidate
        leap = self._candidate_stamp - self._top
        if self._candidate == 1 and self._can_reorder and 0.0 < leap < (_MAX_REORDERED + 1.5) * self._stride:
            self._lone_stamp, self._lone_leap = self._candidate_stamp, leap
        self._candidate = 0

    def _check_lone(self, stamp: float, advance: float) -> None:
        """A stamp that was ahead and that no later unit has is no outlier: the units after it were B-frames."""
        half = 0.5 * self._stride
        if stamp - half > self._lone_stamp > stamp - advance + half:
            self._has_reordered = True
            self._leap = max(self._leap, 1.2 * self._lone_leap)
        self._lone_stamp = _FAR

    def _adopt_candidate(self, arrived: float) -> None:
        units, self._candidate = self._candidate, 0
        if not self._has_reordered:
            self._stride = (self._candidate_top - self._candidate_stamp) / (units - 1)
            self._stride_limit = max(2.5 * self._stride, self._leap, 0.05)
        self._begin_line(
            self._candidate_ticks, self._candidate_time, self._candidate_top - self._candidate_stamp, arrived
        )

    def _begin_line(self, ticks: int, time: float, top: float, arrived: float) -> None:
        """Follow a clock that shows `ticks` at `time` and whose newest unit is `top` seconds later."""
        self.steps += 1
        self._base = ticks
        self._ref_stamp, self._ref_time = 0.0, time
        self._scale = self._back_scale = self._clock_scale
        self._top = top
        self._low = top - _MAX_REORDERED * self._stride if self._has_reordered else top
        self._top_time, self._top_arrived = self._head, arrived
        self._lone_stamp = _FAR
        self._senseless, self._repeated, self._pause_units = 0.0, 0, 0
        self._settle(arrived, 0)

    def _settle(self, arrived: float, keep: int) -> None:
        """Look for the least delay anew, with the last points only."""
        self._least.forget(keep)
        self._settled_since = arrived
        if not keep:
            self._bucket_delay, self._bucket_began = _FAR, arrived
        self._fallen = 0.0
        self._buckets = self._slow_buckets = self._fast_buckets = 0

    def _watch_pause(self, stamp: float, arrived: float, gap: float, time: float, long_gap: float) -> float:
        """A stamp that did not advance over a pause: a stalled network sends the rest at once, a stopped clock not."""
        if gap > max(1.0, long_gap) and arrived - time > 0.25:
            self._pause_units, self._pause_stamp, self._pause_arrived = _UNITS_AFTER_A_PAUSE, stamp, arrived
        elif gap > 3.0 * self._beat:
            self._pause_units = 0
        elif self._pause_units:
            self._pause_units -= 1
            advanced = (stamp - self._pause_stamp) * self._clock_scale
            if not self._pause_units and arrived - self._pause_arrived >= 0.8 * advanced:
                self.steps += 1
                self._ref_stamp, self._ref_time = stamp, arrived
                self._scale = self._back_scale = self._clock_scale
                self._settle(arrived, 0)
                return arrived
        return time

    def _close_bucket(self, stamp: float, arrived: float) -> None:
        """Correct offset and rate by the least delays so far."""
        self._mark(arrived)
        is_longer = False
        if self._bucket_delay < _FAR:
            is_longer = self._least.add(self._bucket_point, self._clock_scale)
            self._check_pace(arrived)
        self._bucket_delay, self._bucket_began = _FAR, arrived
        self._fallen *= 0.85
        self._buckets += 1
        if self._is_free:
            return
        age = min(arrived - self._settled_since, 0.5 * self._buckets)  # cameras of few pictures need more time
        if age > 4.0 and (self._is_upset(stamp, arrived) or (age > _SETTLE_SECONDS and self._fallen > 0.2)):
            self._settle(arrived, 4)
            age = 0.0
        elif age > _SETTLE_SECONDS and not is_longer:
            return
        self._correct(stamp, arrived, age, is_longer)

    def _mark(self, arrived: float) -> None:
        marks = self._marks
        marks.append((arrived, self._units))
        while len(marks) > 2 and marks[1][0] <= arrived - _FPS_SECONDS:
            del marks[0]

    def _correct(self, stamp: float, arrived: float, age: float, is_longer: bool) -> None:
        """Take over the fitted rate, and incline the line so that the least delay becomes none."""
        least, scale = self._least, self._clock_scale
        time = self._ref_time + (stamp - self._ref_stamp) * self._scale
        span = least.span
        fitted = least.fit_scale() if is_longer and span >= 0.35 else None
        if fitted and _MIN_SCALE <= fitted <= _MAX_SCALE:
            change = abs(fitted - scale) * span
            if span > 30.0 or change > (_TOLERANCE if span >= 2.0 else 0.25):
                self._clock_scale = scale = fitted
        beat = self._beat
        window = max(min(_WINDOW_SECONDS, 0.75 + 0.5 * age), 1.5 * beat)
        late = min(least.delays(stamp, time, scale, arrived - window), default=0.0)
        if age < 4.0:
            slew = min(1.0, late / max(0.5, beat))
        elif age < _SETTLE_SECONDS:
            slew = min(0.25 if late < 0.4 else 1.0, late / max(1.0, beat))
        else:
            slew = min(0.01, late / max(4.0, beat))
        if self._ref_stamp != stamp:
            self._back_scale = self._scale
        self._ref_stamp, self._ref_time = stamp, time
        self._scale = scale * (1.0 + max(0.0, slew))

    def _check_pace(self, arrived: float) -> None:
        """Notice a burst of the past, and stamps whose rate is none."""
        recent = self._least.recent
        if len(recent) < 2:
            return
        step, took = recent[-1][0] - recent[-2][0], recent[-1][1] - recent[-2][1]
        is_fast = step > _MAX_SCALE * took + 0.05
        if is_fast and self._fallen > 0.15:
            self._least.forget(1)
        self._fast_buckets = self._fast_buckets + 1 if is_fast else 0
        is_slow = step < 0.35 * took and took < max(0.6, 2.5 * self._beat)
        self._slow_buckets = self._slow_buckets + (2 if step < 0.1 * took else 1) if is_slow else 0
        if self._slow_buckets >= 4 or self._fast_buckets >= 40:
            self._go_free(arrived)

    def _is_upset(self, stamp: float, arrived: float) -> bool:
        """Tell whether all units of the last second came later and later, or all of the last two seconds late."""
        recent = self._least.recent[-8:]
        if len(recent) < 8:
            return False
        scale = self._clock_scale
        time = self._ref_time + (stamp - self._ref_stamp) * self._scale
        delays = [at - time - (on - stamp) * scale for on, at in recent]
        longest = max(0.6, 2.5 * self._beat)
        if any(b[1] - a[1] > longest for a, b in pairwise(recent)):
            return False
        if all(0.15 < a < b - 0.02 for a, b in pairwise(delays[4:])):
            return True
        late = min(delays)
        if late <= 0.4 or delays[-1] <= delays[0] - 0.05:
            return False
        if late > _LEAP_SECONDS:
            self.steps += 1
            self._ref_stamp, self._ref_time = stamp, time + late
            self._scale = self._back_scale = scale
        return True

    def _go_free(self, arrived: float) -> None:
        self._is_free = True
        self._candidate = 0
        self._trial_units = 0

    def _place_freely(self, timestamp: int, stamp: float, arrived: float, gap: float) -> float:
        """Place a unit by arrival alone, evenly; and look whether the stamps make sense again."""
        beat = self._beat
        if gap > max(1.0, 4.0 * beat):
            time = self._head + gap
        else:
            time = self._head + beat
            late = arrived - time
            time = arrived if late < 0.0 else time + (late / 8.0 if late > 0.5 else min(late / 8.0, beat / 2.0))
        self._beat = max(0.0005, beat + (min(gap, 4.0 * beat) - beat) / 16.0)
        time = self._rise(min(time, arrived), arrived)
        if arrived - self._bucket_began >= BUCKET_SECONDS:
            self._bucket_began = arrived
            self._mark(arrived)
        if self._try_stamp(stamp, arrived, gap):
            self._is_free = False
            self._begin_line(timestamp, time, 0.0, arrived)
        return time

    def _try_stamp(self, stamp: float, arrived: float, gap: float) -> bool:
        step = stamp - self._trial_top
        self._trial_units += 1
        can_go_on = step > -0.7 if self._can_reorder and step <= 0.0 else 0.0 < step <= max(10.0, 3.0 * gap)
        if self._trial_units > 4 * _UNITS_OF_A_TRIAL or self._trial_units == 1 or not can_go_on:
            self._trial_units, self._trial_tops = 1, 0
            self._trial_stamp = self._trial_top = stamp
            self._trial_arrived = arrived
            return False
        if step <= 0.0:
            return False
        self._trial_top = stamp
        self._trial_tops += 1
        took = arrived - self._trial_arrived
        if self._trial_tops < _UNITS_OF_A_TRIAL or took < 1.0:
            return False
        ratio = (stamp - self._trial_stamp) / took
        if not 0.45 <= ratio <= 2.2:
            return False
        self._clock_scale = 1.0 / ratio if abs(ratio - 1.0) > 0.1 else 1.0
        return True
