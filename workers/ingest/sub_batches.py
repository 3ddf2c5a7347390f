"""Gathers the pictures of a sub-stream in batches, for those who analyse them."""

import asyncio
from collections.abc import Callable

from workers.ingest.events import SubBatch
from workers.rtp.units import CodecData, MediaUnit

#: A batch is passed on so long after its first picture; each costs a call of Redis and wakes a reader.
BATCH_SECONDS = 0.4
_MAX_BYTES = 1 << 20


class SubBatches:
    """Begins with a key frame. Use it on the loop only."""

    def __init__(self, emit: Callable[[SubBatch], None]) -> None:
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._codec: CodecData | None = None
        self._units: list[MediaUnit] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, unit: MediaUnit, codec: CodecData | None) -> None:
        """The next picture, and the format that is known by now."""
        if codec is None:
            return
        if self._codec is None or unit.is_key:
            if not unit.is_key:
                return
            if codec != self._codec:
                self._flush()
                self._codec = codec
        self._units.append(unit)
        self._size += len(unit.data)
        if self._size > _MAX_BYTES:
            self._flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(BATCH_SECONDS, self._flush)

    def restart(self) -> None:
        """Pictures are missing: go on with the next key frame."""
        self._flush()
        self._codec = None

    def close(self) -> None:
        """Pass nothing on any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._units, self._size = [], 0

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        units, self._units, self._size = self._units, [], 0
        if units and self._codec is not None:
            self._emit(SubBatch(self._codec, tuple(units)))
