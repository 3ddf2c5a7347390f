"""`python -m tests.workers.slow_owner KIND DATABASE_URL REDIS_URL DEVICE_ID FILE STOP_SECONDS`: one of two workers.

KIND is `stream` or `record`. The process tries to own the device until it has owned it once. It appends to FILE when
its fake FFmpeg or output begins, is asked to stop, and has ended. SIGTERM shuts it down as Dramatiq does.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path

from dramatiq.middleware import Shutdown
from dramatiq.threading import raise_thread_exception

from gateway import database
from gateway.config import Config
from gateway.devices.login_budget import LoginBudget
from gateway.outputs import ConsumerOutput, Consumption
from gateway.redis_client import connect_redis
from gateway.secrets import SecretBox
from gateway.streams.bus import MediaBus
from gateway.streams.sub_bus import SubBus
from gateway.streams.try_now import TryNow
from tests.factories import make_config
from workers.ingest.ingest import IngestFacts, IngestSettings
from workers.lease_keeper import LeaseKeeper
from workers.outputs.bus_feed import BusFeed
from workers.outputs.consumer import ConsumerServices, ConsumerSupervisor
from workers.streams import loop as media_loop
from workers.streams import supervisor
from workers.streams.output_calls import OutputThreads
from workers.streams.services import Services

LEASE_SECONDS = 1.0


class Messages:
    def start_taken(self, device_id: str) -> None:
        pass

    def consumer_taken(self, output_name: str, device_id: str) -> None:
        pass


class Marks:
    """The life of the fake, appended to a file that the test reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.has_begun = False

    def add(self, what: str) -> None:
        self.has_begun = True
        with self.path.open("a") as file:
            file.write(f"{what} {os.getpid()}\n")


def build_ingest(marks: Marks, stop_seconds: float) -> type:
    class SlowIngest:
        epoch = 0.0
        facts = IngestFacts()

        def __init__(self, _device_id: str, _settings: IngestSettings, **_surroundings: object) -> None:
            self._done, self._is_stopping = asyncio.Event(), False
            marks.add("begun")

        async def stop(self) -> None:
            if not self._is_stopping:
                self._is_stopping = True
                marks.add("asked")
                await asyncio.sleep(stop_seconds)
                marks.add("ended")
                self._done.set()
            await self._done.wait()

    return SlowIngest


class SlowOutput(ConsumerOutput):
    name = "slow"

    def __init__(self, marks: Marks, stop_seconds: float) -> None:
        self._marks, self._stop_seconds = marks, stop_seconds

    def wanted(self) -> list[str]:
        return []

    def attach(self, device: object) -> Consumption:
        marks, stop_seconds = self._marks, self._stop_seconds
        marks.add("begun")

        class Slow(Consumption):
            position = None

            def take(self, part: object, init_segment: bytes) -> None:
                pass

            def close(self, reason: str) -> None:
                marks.add("asked")
                time.sleep(stop_seconds)
                marks.add("ended")

        return Slow()


def main() -> None:
    kind, database_url, redis_url, device_id, path, stop_seconds = sys.argv[1:]
    config: Config = make_config(
        database_url=database_url, redis_url=redis_url, lease_seconds=LEASE_SECONDS, stall_seconds=60.0
    )
    database.connect(config)
    client, marks = connect_redis(redis_url), Marks(Path(path))
    leases = LeaseKeeper(client, LEASE_SECONDS)
    closing = threading.Event()
    if kind == "stream":
        media_loop.Ingest = build_ingest(marks, float(stop_seconds))
        services = Services(
            config=config,
            worker="worker",
            redis=client,
            media_redis=client,
            leases=leases,
            loop=media_loop.MediaLoop(),
            outputs=[],
            calls=OutputThreads(),
            secrets=SecretBox.from_config(config),
            logins=LoginBudget.from_config(client, config),
            try_now=TryNow(client),
            messages=Messages(),
            on_state=lambda *_: None,
        )
    else:
        output = SlowOutput(marks, float(stop_seconds))
        services = ConsumerServices(
            worker="worker",
            bus=MediaBus(client),
            feed=BusFeed(MediaBus(client), devices=1),
            sub_bus=SubBus(client),
            sub_feed=BusFeed(SubBus(client), devices=1),
            leases=leases,
            messages=Messages(),
            outputs={output.name: output},
            is_closing=closing.is_set,
        )

    def own_once() -> None:
        try:
            while not marks.has_begun:
                if kind == "stream":
                    supervisor.StreamSupervisor(device_id, services).run()
                else:
                    ConsumerSupervisor(output, device_id, services).run()
                time.sleep(0.02)
        except Shutdown:
            pass

    owner = threading.Thread(target=own_once)

    def shut_down(*_: object) -> None:
        closing.set()
        raise_thread_exception(owner.ident, Shutdown)

    signal.signal(signal.SIGTERM, shut_down)
    owner.start()
    while owner.is_alive():
        owner.join(0.1)


if __name__ == "__main__":
    main()
