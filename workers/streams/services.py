"""The services that every stream supervisor of a worker process shares."""

from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from gateway.clock import Clock, SystemClock
from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.outputs import DirectOutput
from gateway.secrets import SecretBox
from gateway.sources.registry import SourceRegistry
from gateway.streams.messages import Messages
from gateway.streams.try_now import TryNow
from workers.lease_keeper import LeaseKeeper
from workers.streams.loop import MediaLoop
from workers.streams.output_calls import OutputCalls


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
    calls: OutputCalls
    secrets: SecretBox
    logins: LoginBudget
    try_now: TryNow
    messages: Messages
    on_state: Callable[[str, str, str | None], None]
    sources: SourceRegistry = field(default_factory=SourceRegistry)
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state
