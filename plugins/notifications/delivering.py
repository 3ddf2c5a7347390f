"""Sends what is due: takes deliveries, gives them to the sender of their channel's kind, and writes the outcomes.

A receiver that hangs holds its own share of the attempts, never those of other channels.
"""

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.plugin_api import EVERY_TENANT, DatabaseUnavailable, database
from plugins.notifications.channels.model import MAIL, Channel, note_failure, note_success
from plugins.notifications.deliveries import model as deliveries
from plugins.notifications.deliveries.model import Delivery
from plugins.notifications.senders.mail import MAX_MESSAGES
from plugins.notifications.senders.outcome import Outcome
from plugins.notifications.waiting import pause

log = logging.getLogger(__name__)

#: Attempts at the same time, of a channel.
PER_CHANNEL = 4
#: Longest time without a look for due deliveries.
POLL_SECONDS = 1.0

#: Sends deliveries of one channel together (one, but for mail), and returns what became of them.
Send = Callable[[Channel, Sequence[Delivery]], Awaitable[Outcome]]


@dataclass
class DeliveryLoop:
    """The loop for channels of some kinds. `send` makes one attempt; it should not raise."""

    kinds: Sequence[str]
    send: Send
    give_up_days: Callable[[], int]
    now: Callable[[], datetime]
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    share: Callable[[], float] = random.random
    _running: dict[str, set[asyncio.Task]] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; what is under way then is finished."""
        try:
            while not stop.is_set():
                try:
                    started = await self.run_once()
                except DatabaseUnavailable as error:
                    log.warning("deliveries wait: %s", error)
                    started = 0
                if not started:
                    await pause(stop, POLL_SECONDS)
        finally:
            await self.finish()

    async def run_once(self) -> int:
        """Start attempts for what is due and has a free place; returns how many."""
        started = 0
        for channel in await asyncio.to_thread(deliveries.due_channels, self.kinds, self.now()):
            running = self._running.setdefault(channel.id, set())
            size = MAX_MESSAGES if channel.kind == MAIL else 1
            for _ in range(PER_CHANNEL - len(running)):
                taken = await asyncio.to_thread(
                    deliveries.take,
                    channel.id,
                    self.owner,
                    self.now(),
                    size,
                    with_waiting=channel.kind == MAIL,
                )
                if not taken:
                    break
                task = asyncio.create_task(self._attempt(channel, taken))
                running.add(task)
                task.add_done_callback(running.discard)
                started += 1
        return started

    async def finish(self) -> None:
        """Wait for the attempts under way, and give back what was taken."""
        tasks = [task for running in self._running.values() for task in running]
        if tasks:
            await asyncio.wait(tasks, timeout=8)
        # Otherwise they are taken again once their time is over.
        with contextlib.suppress(DatabaseUnavailable):
            await asyncio.to_thread(deliveries.let_go, self.owner)

    async def _attempt(self, channel: Channel, taken: Sequence[Delivery]) -> None:
        try:
            outcome = await self.send(channel, taken)
        except Exception as error:
            log.exception("sending to channel '%s' failed", channel.name)
            outcome = Outcome(ok=False, reason="sender_failed", error=f"the sender failed: {type(error).__name__}")
        try:
            await asyncio.to_thread(self._write, channel, taken, outcome)
        except DatabaseUnavailable as error:
            # The message is sent again, with the same id, once the time of the taker is over.
            log.warning("the outcome of a delivery is not written: %s", error)

    def _write(self, channel: Channel, taken: Sequence[Delivery], outcome: Outcome) -> None:
        now = self.now()
        with database.transaction():
            written = [deliveries.finish(delivery, self.owner, outcome, now, self.share()) for delivery in taken]
            if not any(written):
                return
            if outcome.ok:
                note_success(EVERY_TENANT, channel.id, now)
                return
            is_disabled = note_failure(
                EVERY_TENANT,
                channel.id,
                outcome.error,
                now,
                is_gone=outcome.is_gone,
                give_up_days=self.give_up_days(),
            )
        log.warning("channel '%s' failed: %s", channel.name, outcome.error)
        if is_disabled:
            log.error("channel '%s' is disabled: %s", channel.name, outcome.error)
