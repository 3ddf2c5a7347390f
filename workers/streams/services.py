"""The services that every stream supervisor of a worker process shares."""

from collections.abc import Callable
from dataclasses import dataclass

import redis

from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.outputs import DirectOutput
from gateway.secrets import SecretBox
from gateway.streams.messages import Messages
from workers.lease_keeper import LeaseKeeper
from workers.streams.loop import MediaLoop


@dataclass(frozen=True, slots=True)
class Services:
    """The services of stream supervisors; one set for all devices of a worker process."""

    config: Config
    worker: str
    redis: redis.Redis
    media_redis: redis.Redis
    leases: LeaseKeeper
    loop: MediaLoop
    outputs: list[DirectOutput]
    secrets: SecretBox
    messages: Messages
    on_state: Callable[[str, str, str | None], None]
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state
