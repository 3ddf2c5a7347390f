"""`python -m bench.fleet_process stream|record|clock FILE`: a worker or the clock process, with counters.

Everything is the product's own except FFmpeg, in whose place a timer makes parts, and the outputs that send RTP. The
counters are written to FILE as JSON twice a second.
"""

import asyncio
import json
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import peewee
import redis.connection

from gateway.errors import BusUnavailable
from gateway.plugin_manager import create_plugin_manager
from workers.ffmpeg.fmp4 import Fragment, InitSegment
from workers.ffmpeg.process import Arrived, Ended

REPORT_SECONDS = 0.5
#: Parts of half a second, with a key frame every second part, as of a camera with 128 kbps.
PART_SECONDS, PART_BYTES, PARTS_PER_KEY, FRAMES = 0.5, 8_000, 2, 12

_WRITE = re.compile(r"\s*(INSERT|UPDATE|DELETE)", re.IGNORECASE)

counts: Counter[str] = Counter()


class FakeFfmpeg:
    """Makes parts on the loop by a timer, with the interface of FfmpegProcess."""

    pid = None
    input_audio = None

    def __init__(
        self, _command: list[str], device_id: str, emit: Callable[[Arrived], None], **_surroundings: Any
    ) -> None:
        self._emit = emit
        self._phase = int(device_id[:4], 16) / 0x10000 * PART_SECONDS
        self._end = asyncio.Event()

    async def run(self) -> None:
        await asyncio.sleep(0.3 + self._phase)
        self._emit(Arrived(InitSegment(b"\0" * 800, ()), time.time()))
        started, number = time.monotonic(), 0
        while not self._end.is_set():
            number += 1
            self._emit(Arrived(self._make_part(number), time.time()))
            await asyncio.sleep(max(0.0, started + number * PART_SECONDS - time.monotonic()))
        self._emit(Arrived(Ended(255, []), time.time()))

    async def stop(self, term_seconds: float = 3.0) -> None:
        self._end.set()

    @staticmethod
    def _make_part(number: int) -> Fragment:
        is_key = number % PARTS_PER_KEY == 1
        return Fragment(b"\0" * PART_BYTES, number * PART_SECONDS, PART_SECONDS, FRAMES, is_key, False, False)


def main() -> int:
    """Run the process that the first argument names until SIGTERM."""
    kind, path = sys.argv[1], Path(sys.argv[2])
    _count_everything()
    threading.Thread(target=_report, args=(path,), daemon=True).start()
    if kind == "stream":
        import workers.middleware
        import workers.streams.loop

        workers.streams.loop.FfmpegProcess = FakeFfmpeg
        workers.middleware.load_plugins = partial(create_plugin_manager, with_installed=False)
    from workers.__main__ import main as run

    sys.argv = ["workers", kind]
    return run()


def _count_everything() -> None:
    """Count SQL statements, commands sent to Redis, and failed reads of the bus."""
    execute, begin = peewee.Database.execute_sql, peewee.SqliteDatabase.begin

    def execute_sql(self: Any, sql: str, *arguments: Any, **options: Any) -> Any:
        counts["statements"] += 1
        counts["writes"] += bool(_WRITE.match(sql))
        return execute(self, sql, *arguments, **options)

    def begin_transaction(self: Any, *arguments: Any, **options: Any) -> None:
        counts["transactions"] += 1
        begin(self, *arguments, **options)

    peewee.Database.execute_sql, peewee.SqliteDatabase.begin = execute_sql, begin_transaction
    base = redis.connection.AbstractConnection
    send, send_many = base.send_command, base.pack_commands

    def send_command(self: Any, *arguments: Any, **options: Any) -> Any:
        counts["redis_calls"] += 1
        counts["redis_" + str(arguments[0]).lower()] += 1
        return send(self, *arguments, **options)

    def pack_commands(self: Any, commands: Any) -> Any:
        commands = list(commands)
        counts["redis_pipelines"] += 1
        counts["redis_pipelined"] += len(commands)
        return send_many(self, commands)

    base.send_command, base.pack_commands = send_command, pack_commands
    create = BusUnavailable.__init__

    def create_error(self: Any, *arguments: Any, **options: Any) -> None:
        counts["failed_reads"] += 1
        create(self, *arguments, **options)

    BusUnavailable.__init__ = create_error


def _report(path: Path) -> None:
    draft = path.with_suffix(".draft")
    while True:
        draft.write_text(json.dumps({"pid": os.getpid(), "at": time.monotonic(), **counts}))
        draft.replace(path)
        time.sleep(REPORT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
