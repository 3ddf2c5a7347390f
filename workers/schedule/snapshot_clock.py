"""Takes the snapshots of schedules on time: requests each from a snapshot worker, and records the outcome."""

import logging
from dataclasses import dataclass

from gateway.captures.due_schedules import (
    claim_slot,
    due_schedules,
    is_taken,
    next_due_ms,
    record_reason,
    record_taken,
    repair_times,
    snapshot_id_for,
    unanswered_slots,
)
from gateway.captures.files import CaptureFiles
from gateway.captures.queue import KEY_FRAME, SCHEDULED, CaptureQueue, CaptureRequest
from gateway.captures.schedules import MISSED, NO_WORKER, SnapshotSchedule
from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.errors import Unavailable
from gateway.schedules.snapshot_plan import SnapshotPlan, missed_moments, next_moment

log = logging.getLogger(__name__)

#: A moment that passed longer ago is skipped: a picture of noon is not taken at one.
LATE_MS = 30_000
#: Workers skip a request after the first time; after the second, no answer is expected any more.
KEEP_SECONDS = 10.0
ANSWER_SECONDS = 15.0
#: The longest pause, after which a new schedule is noticed, and the pause while answers are awaited.
_IDLE_SECONDS = 2.0
_LOOK_SECONDS = 0.25
_REPAIR_SECONDS = 600.0
#: Schedules stop before the disk is too full for snapshots taken by hand.
_DISK_RESERVE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A requested picture, awaited until the monotonic time `until`.

    `has_reason`: an earlier clock process has recorded a reason for it.
    """

    slot_ms: int
    until: float
    has_reason: bool = False


class SnapshotClock:
    """One pass is `turn()`; several processes may run it, each moment is taken by one of them."""

    def __init__(self, config: Config, queue: CaptureQueue, clock: Clock | None = None) -> None:
        self._config = config
        self._queue = queue
        self._files = CaptureFiles.from_config(config)
        self._clock = clock or SystemClock()
        self._awaited: dict[int, _Awaited] = {}
        self._repair_at = 0.0
        self._is_fresh = True

    def turn(self) -> float:
        """Request due pictures and record answers; returns the seconds until the next pass."""
        if self._is_fresh:
            self._recover_awaited()
        now_ms = self._now_ms()
        if self._clock.monotonic() >= self._repair_at:
            repair_times(now_ms)
            self._repair_at = self._clock.monotonic() + _REPAIR_SECONDS
        self._take_due(now_ms)
        self._collect()
        due_ms = next_due_ms()
        wait = _IDLE_SECONDS if due_ms is None else (due_ms - self._now_ms()) / 1000
        return max(0.0, min(wait, _LOOK_SECONDS if self._awaited else _IDLE_SECONDS))

    def _recover_awaited(self) -> None:
        """Await the requests whose outcome an earlier process has not recorded."""
        until = self._clock.monotonic() + ANSWER_SECONDS
        for schedule_id, slot_ms, reason in unanswered_slots():
            self._awaited[schedule_id] = _Awaited(slot_ms, until, has_reason=reason is not None)
        self._is_fresh = False

    def _take_due(self, now_ms: int) -> None:
        schedules = due_schedules(now_ms)
        if not schedules:
            return
        obstacle = self._find_obstacle()
        for schedule in schedules:
            slot_ms = self._claim(schedule, now_ms)
            if slot_ms is None:
                continue
            if obstacle is None:
                obstacle = self._request(schedule, slot_ms)
            if obstacle is not None:
                self._awaited.pop(schedule.id, None)
                record_reason(schedule.id, slot_ms, *obstacle)

    def _claim(self, schedule: SnapshotSchedule, now_ms: int) -> int | None:
        """Claim the moment to be taken now; None if there is none, or another clock process has it."""
        first_ms = schedule.next_at_ms
        slot_ms, following_ms = _newest_moment(schedule.plan, first_ms, now_ms)
        if slot_ms is not None:
            if not claim_slot(schedule, slot_ms, following_ms):
                return None
            missed = missed_moments(schedule.plan, first_ms, slot_ms - 1)[0]
            if missed:
                log.warning("schedule %d: %d pictures were not taken in time", schedule.id, missed)
            return slot_ms
        missed, last_ms = missed_moments(schedule.plan, first_ms, now_ms)
        if claim_slot(schedule, last_ms, following_ms):
            what = "a picture was" if missed == 1 else f"{missed} pictures were"
            message = f"{what} not taken: the clock process was away"
            log.warning("schedule %d: %s", schedule.id, message)
            self._awaited.pop(schedule.id, None)
            record_reason(schedule.id, last_ms, MISSED, message)
        return None

    def _find_obstacle(self) -> tuple[str, str] | None:
        """Reason and message if no picture can be stored now."""
        try:
            self._files.check_space(_DISK_RESERVE_BYTES, floor_bytes=self._config.free_bytes_floor)
        except Unavailable as error:
            return error.reason, error.message
        return None

    def _request(self, schedule: SnapshotSchedule, slot_ms: int) -> tuple[str, str] | None:
        """Send a request to a snapshot worker; returns reason and message of a failure."""
        request = CaptureRequest(
            id=snapshot_id_for(schedule.id, slot_ms),
            tenant_id=schedule.tenant_id,
            device_id=schedule.device_id,
            kind=SCHEDULED,
            accuracy=KEY_FRAME,
            tags=schedule.tag_list,
            created_by=schedule.name or "schedule",
            schedule_id=schedule.id,
        )
        try:
            self._queue.send(request, keep_seconds=KEEP_SECONDS)
        except Unavailable as error:
            return NO_WORKER, error.message
        self._awaited[schedule.id] = _Awaited(slot_ms, self._clock.monotonic() + ANSWER_SECONDS)
        return None

    def _collect(self) -> None:
        now = self._clock.monotonic()
        for schedule_id, awaited in list(self._awaited.items()):
            answer = self._answer(schedule_id, awaited)
            if answer is None and now < awaited.until:
                continue
            if answer is not None and answer[0] is not None:
                record_reason(schedule_id, awaited.slot_ms, answer[0], answer[1])
            elif answer is not None or is_taken(schedule_id, awaited.slot_ms):
                record_taken(schedule_id, awaited.slot_ms)
            elif not awaited.has_reason:
                record_reason(schedule_id, awaited.slot_ms, NO_WORKER)
            del self._awaited[schedule_id]

    def _answer(self, schedule_id: int, awaited: _Awaited) -> tuple[str | None, str | None] | None:
        """Reason and message of the answer; None if there is no answer yet."""
        try:
            answer = self._queue.collect(snapshot_id_for(schedule_id, awaited.slot_ms))
        except Unavailable:
            # The outcome is known from the row of the snapshot in the end.
            return None
        return None if answer is None else (answer.reason, answer.message)

    def _now_ms(self) -> int:
        return int(self._clock.wall() * 1000)


def _newest_moment(plan: SnapshotPlan, first_ms: int, now_ms: int) -> tuple[int | None, int | None]:
    """The newest moment of a plan that is not too late (None if all are), and the first one after now."""
    moment = first_ms if now_ms - first_ms <= LATE_MS else next_moment(plan, now_ms - LATE_MS - 1)
    newest = None
    while moment is not None and moment <= now_ms:
        newest, moment = moment, next_moment(plan, moment)
    return newest, moment
