"""Reads archived footage in blocks: from memory, from the disk cache, or from the archive in threads of its own.

Readers of one block share one fetch. An archive that fails is left alone for some seconds, and nobody waits longer than
`READ_SECONDS` for it: its own threads may be stuck in it, and no other thread is.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

from gateway.archive.cache import BlockCache
from gateway.archive.checksums import BLOCK_BYTES, is_block_right
from gateway.archives import Archive
from gateway.errors import NotFound, PluginError, Unavailable
from gateway.footage.copies import FoundCopy
from gateway.storage.interface import StorageUnavailable

log = logging.getLogger(__name__)

#: How long a reader waits for a block.
READ_SECONDS = 20.0
#: Threads that read from archives, in each process.
_THREADS = 8
#: Blocks that one request to the archive reads at most.
_BLOCKS_AT_ONCE = 4
#: Blocks that are requested before the one that is being read, and the most that `prefetch` waits for.
AHEAD = 8
#: Blocks that are kept in memory, where the disk cache cannot have them.
_IN_MEMORY = 2 * AHEAD
#: How long an archive that has failed is not asked again.
_PAUSE_SECONDS = 5.0

Ranges = Sequence[tuple[int, int]]


class ArchivedFootageUnavailable(StorageUnavailable):
    """The footage is in an archive only, which cannot be read now."""

    reason = "archive_unavailable"


class _Block(NamedTuple):
    archive: str
    key: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.archive}\n{self.key}\n{self.number}"


class ArchiveReader:
    """Reads copies. `collect` returns the archives of this process; it is called at the first read.

    Thread-safe. Every method raises ArchivedFootageUnavailable, and NotFound for an object that is gone or damaged.
    """

    def __init__(
        self, collect: Callable[[], list[Archive]], cache: BlockCache, *, read_seconds: float = READ_SECONDS
    ) -> None:
        self._collect = collect
        self._cache = cache
        self._read_seconds = read_seconds
        self._archives: dict[str, Archive] | None = None
        self._threads = _Threads(_THREADS)
        self._lock = threading.Lock()
        self._fetches: dict[_Block, Future[bytes]] = {}
        self._memory: OrderedDict[_Block, bytes] = OrderedDict()
        self._paused_until: dict[str, float] = {}

    def read(self, copy: FoundCopy, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read a copy in chunks, to its end or up to `length` bytes; fails at the call itself if it cannot begin."""
        end = copy.size if length is None else min(copy.size, offset + length)
        chunks = self._read(copy, offset, end)
        first = next(chunks, None)
        return iter(()) if first is None else _chain(first, chunks)

    def prefetch(self, copy: FoundCopy, ranges: Ranges) -> Future[None]:
        """Begin to fetch the first blocks of ranges `(offset, length)`; done when they can be read at once.

        The future has the error if one cannot be fetched. Returns without waiting.
        """
        numbers: list[int] = []
        for offset, length in ranges:
            end = min(copy.size, offset + length)
            numbers += [number for number in _numbers(offset, end)[:AHEAD] if number not in numbers]
        return _all(self._request(copy, numbers))

    def presign(self, copy: FoundCopy, seconds: int) -> Future[str | None]:
        """Ask for a URL at which the copy can be read for some time; None if there is none, or the archive fails."""
        future: Future[str | None] = Future()

        def ask() -> None:
            try:
                self._refuse_paused(copy.archive)
                future.set_result(self._find(copy.archive).presign(copy.object_key, seconds))
            except BaseException as error:
                log.warning("the archive '%s' gives no URL: %s", copy.archive, error)
                future.set_result(None)

        self._threads.submit(ask)
        return future

    # ---- blocks ------------------------------------------------------------------------------------------------

    def _read(self, copy: FoundCopy, offset: int, end: int) -> Iterator[bytes]:
        numbers = _numbers(offset, end)
        for place, number in enumerate(numbers):
            block = self._request(copy, numbers[place : place + AHEAD])[0]
            try:
                data = block.result(self._read_seconds)
            except FutureTimeout:
                raise self.too_slow(copy) from None
            start = number * BLOCK_BYTES
            yield data[max(offset - start, 0) : end - start]

    def _request(self, copy: FoundCopy, numbers: Sequence[int]) -> list[Future[bytes]]:
        """The futures of blocks. What neither memory nor the disk cache has, and nobody has requested yet, is fetched.

        The disk is read here and not in the threads, which may be stuck in an archive.
        """
        found = self._find_requested(copy, numbers)
        for number in numbers:
            if number not in found:
                data = self._cache.get(_Block(copy.archive, copy.object_key, number).name)
                if data is not None and len(data) == _length(copy, number):
                    found[number] = _done(data)
                    self._remember(_Block(copy.archive, copy.object_key, number), data)
        wanted = []
        with self._lock:
            for number in numbers:
                if number not in found:
                    block = _Block(copy.archive, copy.object_key, number)
                    if block not in self._fetches:
                        self._fetches[block] = Future()
                        wanted.append(number)
                    found[number] = self._fetches[block]
        for group in _groups(wanted):
            fetch = partial(self._fetch, copy, group)
            if self._is_paused(copy.archive):
                fetch()  # fails at once, also while all threads are stuck
            else:
                self._threads.submit(fetch)
        return [found[number] for number in numbers]

    def _find_requested(self, copy: FoundCopy, numbers: Sequence[int]) -> dict[int, Future[bytes]]:
        """The blocks that are in memory or on the way."""
        found = {}
        with self._lock:
            for number in numbers:
                block = _Block(copy.archive, copy.object_key, number)
                if block in self._memory:
                    self._memory.move_to_end(block)
                    found[number] = _done(self._memory[block])
                elif block in self._fetches:
                    found[number] = self._fetches[block]
        return found

    def _remember(self, block: _Block, data: bytes) -> None:
        with self._lock:
            self._memory[block] = data
            while len(self._memory) > _IN_MEMORY:
                self._memory.popitem(last=False)

    def _fetch(self, copy: FoundCopy, numbers: list[int]) -> None:
        """Fetch consecutive blocks from the archive. Runs in a thread of its own."""
        try:
            self._fetch_from_archive(copy, numbers)
        except BaseException as error:
            failure = self._note_failure(copy, error)
            for number in numbers:
                self._finish(_Block(copy.archive, copy.object_key, number), failure)

    def _fetch_from_archive(self, copy: FoundCopy, numbers: list[int]) -> None:
        self._refuse_paused(copy.archive)
        archive = self._find(copy.archive)
        offset = numbers[0] * BLOCK_BYTES
        length = sum(_length(copy, number) for number in numbers)
        data = bytearray()
        for chunk in archive.read(copy.object_key, offset, length):
            data += chunk
            if len(data) > length:
                break
        if len(data) != length:
            raise NotFound(f"the copy '{copy.object_key}' in the archive is too short", reason="file_damaged")
        at = 0
        for number in numbers:
            block = bytes(memoryview(data)[at : at + _length(copy, number)])
            at += len(block)
            if not is_block_right(copy.blocks, number, block):
                raise NotFound(
                    f"the copy '{copy.object_key}' in the archive is damaged in its block {number}",
                    reason="file_damaged",
                )
            named = _Block(copy.archive, copy.object_key, number)
            self._cache.put(named.name, block)
            self._remember(named, block)
            self._finish(named, block)

    def _finish(self, block: _Block, result: bytes | BaseException) -> None:
        with self._lock:
            future = self._fetches.pop(block, None)
        if future is None:
            return
        if isinstance(result, bytes):
            future.set_result(result)
        else:
            future.set_exception(result)

    # ---- archives and their failures ---------------------------------------------------------------------------

    def _find(self, name: str) -> Archive:
        with self._lock:
            if self._archives is None:
                try:
                    self._archives = {archive.name: archive for archive in self._collect()}
                except PluginError as error:
                    raise ArchivedFootageUnavailable(f"no archive can be read: {error.message}") from error
            archive = self._archives.get(name)
        if archive is None:
            raise ArchivedFootageUnavailable(
                f"the footage is in the archive '{name}', which no installed plugin has: install it, or set it up"
            )
        return archive

    def _is_paused(self, name: str) -> bool:
        return time.monotonic() < self._paused_until.get(name, 0.0)

    def _refuse_paused(self, name: str) -> None:
        if self._is_paused(name):
            raise ArchivedFootageUnavailable(f"the archive '{name}' does not answer: try again in a moment")

    def _note_failure(self, copy: FoundCopy, error: BaseException) -> BaseException:
        """The error that readers get. An archive that does not answer is left alone for some time."""
        if isinstance(error, ArchivedFootageUnavailable):
            return error
        if isinstance(error, NotFound):
            log.error("archived footage cannot be read: %s", error)
            return error if error.reason == "file_damaged" else _gone(copy)
        self._paused_until[copy.archive] = time.monotonic() + _PAUSE_SECONDS
        if isinstance(error, Unavailable):
            log.warning("the archive '%s' cannot be read: %s", copy.archive, error)
            return ArchivedFootageUnavailable(error.message)
        log.error("the archive '%s' failed while reading", copy.archive, exc_info=error)
        return ArchivedFootageUnavailable(f"the archive '{copy.archive}' failed: see the log")

    def too_slow(self, copy: FoundCopy) -> ArchivedFootageUnavailable:
        """The error of a reader that has waited for too long. The next ones do not wait for some seconds."""
        self._paused_until[copy.archive] = time.monotonic() + _PAUSE_SECONDS
        return ArchivedFootageUnavailable(
            f"the archive '{copy.archive}' has not answered within {self._read_seconds:.0f} seconds: "
            "try again in a moment"
        )


class _Threads:
    """Daemon threads that run functions: a hanging archive must not keep a process from ending."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0

    def submit(self, function: Callable[[], object]) -> None:
        """Run a function, which must not raise."""
        with self._lock:
            self._waiting.put(function)
            if self._started < self._count:
                self._started += 1
                threading.Thread(target=self._run, name=f"archive {self._started}", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._waiting.get()()


def _gone(copy: FoundCopy) -> NotFound:
    return NotFound(f"the copy '{copy.object_key}' is no longer in the archive", reason="file_missing")


def _numbers(offset: int, end: int) -> range:
    return range(offset // BLOCK_BYTES, -(-end // BLOCK_BYTES)) if end > offset else range(0)


def _length(copy: FoundCopy, number: int) -> int:
    return min(BLOCK_BYTES, copy.size - number * BLOCK_BYTES)


def _groups(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Consecutive numbers, at most `_BLOCKS_AT_ONCE` together."""
    group: list[int] = []
    for number in numbers:
        if group and (number != group[-1] + 1 or len(group) == _BLOCKS_AT_ONCE):
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _done(data: bytes) -> Future[bytes]:
    future: Future[bytes] = Future()
    future.set_result(data)
    return future


def _all(futures: Sequence[Future[bytes]]) -> Future[None]:
    """A future that is done when all of them are, or one has failed."""
    result: Future[None] = Future()
    left = len(futures)
    lock = threading.Lock()

    def note(future: Future[bytes]) -> None:
        nonlocal left
        error = future.exception()
        with lock:
            left -= 1
            is_last = left == 0
        with suppress(Exception):  # it is done already
            if error is not None:
                result.set_exception(error)
            elif is_last:
                result.set_result(None)

    if not futures:
        result.set_result(None)
    for future in futures:
        future.add_done_callback(note)
    return result
