"""The media bus: a bounded Redis Stream of parts per device. The only file that knows its keys.

Entries take their ids from the parts (`run-sequence`), so that a reader's position and its de-duplication survive a
loss of Redis, and Redis itself refuses a stale owner: an id must be higher than the last.
"""

import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import redis
from redis.exceptions import RedisError, ResponseError

from gateway.errors import BusUnavailable, LeaseLost
from gateway.media import Part, Position
from gateway.redis_client import RedisErrorsAs
from gateway.redis_values import RefusedValue, accept, is_integer, note_refusal, read_refusals, require
from gateway.streams.numbering import SegmentNumbering

# Adds one part if the bus ends where its writer expects; otherwise returns the actual end.
# XADD refuses an id that is not higher than the last one: that is the fence against a stale owner.
_PUBLISH = """
local last = redis.call('get', KEYS[2]) or ''
if last ~= ARGV[1] then return last end
redis.call('xadd', KEYS[1], 'MINID', ARGV[3], ARGV[2],
  't', ARGV[5], 'u', ARGV[6], 'k', ARGV[7], 'f', ARGV[8], 'm', ARGV[9], 'c', ARGV[10], 'd', ARGV[11])
redis.call('set', KEYS[2], ARGV[2], 'px', ARGV[4])
redis.call('pexpire', KEYS[1], ARGV[4])
redis.call('pexpire', KEYS[3], ARGV[4])
return 'ok'
"""

#: Time that the last parts of a stopped device stay, in multiples of the window.
_IDLE_WINDOWS = 4

#: A reader that has ended leaves its key; it expires by itself.
_WAKE_TTL_MS = 60_000

_KEY, _AUDIO = 1, 2

#: What a position on the bus looks like (Position.entry_id).
_POSITION = re.compile(r"\d{1,19}-\d{1,19}", re.ASCII)
#: Limits of a part that can be right: a time before the year 2100, and far more than any camera's key-frame interval.
_MAX_TIME, _MAX_PART_SECONDS = 4.2e9, 3600.0

_bus_answers = RedisErrorsAs(BusUnavailable, "the media bus does not answer")


#: An entry of the bus as Redis returns it: its id and its fields.
BusEntry = tuple[bytes, dict[bytes, bytes]]

_PREFIX = "vas:bus:"


def _stream_key(device_id: str) -> str:
    return f"{_PREFIX}{device_id}"


def _last_key(device_id: str) -> str:
    return f"{_PREFIX}{device_id}:last"


def _init_key(device_id: str, run: int) -> str:
    return f"{_PREFIX}{device_id}:init:{run}"


class Waker:
    """One reader's way to be woken from a wait: a stream of its own, and what it has read of it."""

    def __init__(self) -> None:
        self.key = f"vas:bus-wake:{secrets.token_hex(8)}"
        self.last_id = "0-0"


class MediaBus:
    """The parts of all devices. Reading raises BusUnavailable when Redis is away."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def ping(self) -> None:
        """Raise BusUnavailable if the bus does not answer."""
        with _bus_answers:
            self._redis.ping()

    def read(self, device_id: str, after: Position | None, *, count: int = 32, wait_seconds: float = 0) -> list[Part]:
        """Parts after a position, oldest first; waits up to `wait_seconds` for the first one.

        `after=None` starts with the oldest part on the bus.
        """
        while True:
            entries = self.read_many({device_id: after}, count=count, wait_seconds=wait_seconds).get(device_id, [])
            parts = self.decode(device_id, entries)
            if parts or not entries:
                return parts
            # All of them were refused: a caller would ask for them again.
            after, wait_seconds = Position.parse(entries[-1][0]), 0

    def decode(self, device_id: str, entries: Iterable[BusEntry]) -> list[Part]:
        """The parts that `read_many` has found of a device; entries that are no parts are refused."""
        return _decode_all(self._redis, device_id, entries)

    def read_many(
        self,
        positions: Mapping[str, Position | None],
        *,
        count: int = 32,
        wait_seconds: float = 0,
        waker: Waker | None = None,
    ) -> dict[str, list[BusEntry]]:
        """As `read` for several devices in one call: for `decode`, the entries of those that have new parts.

        It waits for the first part of any of them, or for `wake(waker)`. `count` is the limit for each device.
        """
        keys = {_stream_key(device_id): after.entry_id if after else "0-0" for device_id, after in positions.items()}
        if waker is not None:
            keys[waker.key] = waker.last_id
        block = max(1, int(wait_seconds * 1000)) if wait_seconds > 0 else None
        with _bus_answers:
            answer = self._redis.xread(keys, count=count, block=block)
        # RESP2 answers with a list of pairs, RESP3 with a mapping; both are empty without new parts.
        pairs = answer.items() if isinstance(answer, dict) else answer or ()
        found = {_text(key): _flatten(entries) for key, entries in pairs}
        if waker is not None and (woken := found.pop(waker.key, None)):
            waker.last_id = _text(woken[-1][0])
        return {key.removeprefix(_PREFIX): entries for key, entries in found.items()}

    def wake(self, waker: Waker) -> None:
        """End the wait of the `read_many` in progress with this waker, or that of the next one."""
        with _bus_answers:
            pipeline = self._redis.pipeline()
            pipeline.xadd(waker.key, {"wake": 1}, maxlen=1)
            pipeline.pexpire(waker.key, _WAKE_TTL_MS)
            pipeline.execute()

    def counts(self, device_ids: list[str]) -> dict[str, int]:
        """As `count` for several devices, by their ids."""
        if not device_ids:
            return {}
        with _bus_answers:
            pipeline = self._redis.pipeline(transaction=False)
            for device_id in device_ids:
                pipeline.xlen(_stream_key(device_id))
            return dict(zip(device_ids, pipeline.execute(), strict=True))

    def count(self, device_id: str) -> int:
        """The number of parts of a device on the bus."""
        with _bus_answers:
            return self._redis.xlen(_stream_key(device_id))

    def last_position(self, device_id: str) -> Position | None:
        """The position of the newest part; None without any."""
        with _bus_answers:
            last = _text(self._redis.get(_last_key(device_id)))
        return Position.parse(last) if _POSITION.fullmatch(last) else None

    def read_range(self, device_id: str, first: Position, last: Position) -> list[Part]:
        """The parts between two positions, both included, that are still on the bus; oldest first."""
        with _bus_answers:
            entries = self._redis.xrange(_stream_key(device_id), min=first.entry_id, max=last.entry_id)
        return self.decode(device_id, entries)

    def init_segment(self, device_id: str, run: int) -> bytes | None:
        """The init segment (`ftyp`+`moov`) of a run; None once it has expired."""
        with _bus_answers:
            return self._redis.get(_init_key(device_id, run))

    def latest_group(self, device_id: str) -> tuple[bytes, list[Part]] | None:
        """The init segment and the parts since the newest key frame, oldest first; None if there are none."""
        newest_first: list[Part] = []
        end = "+"
        while True:
            with _bus_answers:
                entries = self._redis.xrevrange(_stream_key(device_id), max=end, min="-", count=4)
            for part in self.decode(device_id, entries):
                if newest_first and part.run != newest_first[0].run:
                    return None
                newest_first.append(part)
                if part.is_key:
                    init = self.init_segment(device_id, part.run)
                    return (init, newest_first[::-1]) if init else None
            if len(entries) < 4:
                return None
            end = "(" + entries[-1][0].decode()

    def read_refusals(self) -> dict[str, int]:
        """The number of refused values of late, by their kind."""
        with _bus_answers:
            return read_refusals(self._redis)

    def forget(self, device_id: str) -> None:
        """Delete everything on the bus that belongs to a device."""
        with _bus_answers:
            keys = list(self._redis.scan_iter(match=f"vas:bus:{device_id}*", count=500))
            if keys:
                self._redis.delete(*keys)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A part that is on the bus or waits for it, without its bytes."""

    position: Position
    start: float
    size: int


class BusWriter:
    """The only writer of a device: publishes parts, and keeps them in memory while the bus is away.

    `publish` never raises because the bus is away: the part stays in memory, bounded by age and bytes like the bus
    itself, and is published when the bus is back. If the bus lost its data, the last `resend_seconds` of published
    parts are published again before them (None: the whole window). Keeping more would hold each camera's footage twice.
    `min_start()` is as in SegmentNumbering.
    """

    def __init__(
        self,
        client: redis.Redis,
        device_id: str,
        *,
        window_seconds: float,
        max_bytes: int,
        resend_seconds: float | None = None,
        min_start: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.device_id = device_id
        self._redis = client
        self._script = client.register_script(_PUBLISH)
        self._window_seconds = window_seconds
        self._max_bytes = max_bytes
        self._resend_seconds = window_seconds if resend_seconds is None else resend_seconds
        self._ttl_ms = int(window_seconds * _IDLE_WINDOWS * 1000)
        self._window: deque[_Entry] = deque()
        self._window_bytes = 0
        self._kept: deque[Part] = deque()
        self._inits: dict[int, bytes] = {}
        self._numbering = SegmentNumbering(min_start)
        self._published: Position | None = None
        self._known_last: str | None = None
        self._floor: str | None = None
        self.is_away = False

    def open_run(self, run: int, init_segment: bytes) -> None:
        """Publish a run's init segment; to be called before its first part."""
        # The init segments of runs without any part are dropped: a camera may keep failing this way for weeks.
        held = {part.run for part in self._kept}
        self._inits = {known: data for known, data in self._inits.items() if known in held}
        self._inits[run] = init_segment
        try:
            self._set_init(run)
        except RedisError:
            self.is_away = True

    def publish(self, part: Part) -> bool:
        """Publish a part and all parts waiting before it; returns whether they are on the bus.

        Raises LeaseLost if the bus holds parts of a later run: another worker owns the device.
        """
        self._window.append(_Entry(part.position, part.start, len(part.data)))
        self._window_bytes += len(part.data)
        self._kept.append(part)
        self._trim(part.start)
        is_published = self.flush()
        if is_published:
            self._release(part.start)
        return is_published

    def flush(self) -> bool:
        """Publish all waiting parts; returns whether they are on the bus. Raises LeaseLost as `publish` does."""
        try:
            if self._known_last is None:
                self._adopt(_text(self._redis.get(_last_key(self.device_id))))
            for part in self._waiting():
                answer = self._add(self._numbered(part))
                if answer != "ok":
                    self._adopt(answer)
                    return self.flush()
        except ResponseError as error:
            if "equal or smaller" in str(error):
                raise LeaseLost(f"the bus of device '{self.device_id}' is ahead: another worker writes") from error
            self.is_away = True
        except RedisError:
            self.is_away = True
        else:
            self.is_away = False
        return not self.is_away

    def _add(self, part: Part) -> str:
        entry_id = part.position.entry_id
        answer = self._script(
            keys=[_stream_key(self.device_id), _last_key(self.device_id), _init_key(self.device_id, part.run)],
            args=[
                self._known_last,
                entry_id,
                self._floor or "0",
                self._ttl_ms,
                repr(part.start),
                repr(part.duration),
                _KEY * part.is_key | _AUDIO * part.has_audio,
                part.frames,
                part.segment,
                part.discontinuity,
                part.data,
            ],
        )
        text = _text(answer)
        if text == "ok":
            self._known_last = entry_id
            self._published = part.position
        return text

    def _adopt(self, last: str) -> None:
        """Continue from the end of the bus: an empty bus gets the window again, a later run is another owner's."""
        if last and not _POSITION.fullmatch(last):
            note_refusal(self._redis, "end of the bus", "it is not a position")
            self._redis.delete(_last_key(self.device_id))
            last = ""
        self._known_last = last
        if last:
            self._numbering.continue_from(self._newest_on_bus())
        if not last:
            self._published = None
        else:
            position = Position.parse(last)
            newest = self._kept[-1].position if self._kept else None
            if newest is not None and position.run > newest.run:
                raise LeaseLost(f"the bus of device '{self.device_id}' is at a later run: another worker writes")
            self._published = position
        for run in self._inits:
            self._set_init(run)

    def _numbered(self, part: Part) -> Part:
        """The part with its numbers, which it keeps when it is published again."""
        if part.segment:
            return part
        numbered = self._numbering.number(part)
        self._kept[self._kept.index(part)] = numbered
        return numbered

    def _newest_on_bus(self) -> Part | None:
        entries = self._redis.xrevrange(_stream_key(self.device_id), count=1)
        return next(iter(_decode_all(self._redis, self.device_id, entries)), None)

    def _set_init(self, run: int) -> None:
        self._redis.set(_init_key(self.device_id, run), self._inits[run], px=self._ttl_ms)

    def _waiting(self) -> Iterator[Part]:
        published = self._published
        return iter([p for p in self._kept if published is None or p.position > published])

    def _trim(self, now: float) -> None:
        """Drop parts that are older than the window or exceed its bytes, but never the newest part.

        The bus is trimmed to the same first part. Parts of earlier owners have lower ids and are trimmed as soon as the
        first part of this writer's window is dropped.
        """
        # A part far ahead of `now` was placed by a clock that has been set back since.
        while len(self._window) > 1 and (
            abs(now - self._window[0].start) > self._window_seconds or self._window_bytes > self._max_bytes
        ):
            dropped = self._window.popleft()
            self._window_bytes -= dropped.size
            self._floor = self._window[0].position.entry_id
            if self._kept[0].position == dropped.position:
                self._forget_oldest()

    def _release(self, now: float) -> None:
        """Drop the bytes of parts that need not be published again, now that all parts are on the bus."""
        while len(self._kept) > 1 and abs(now - self._kept[0].start) > self._resend_seconds:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        run = self._kept.popleft().run
        if self._kept[0].run != run:
            self._inits.pop(run, None)


def _flatten(entries: list) -> list:
    """RESP3 wraps the entries of one stream in another list."""
    return entries[0] if entries and isinstance(entries[0], list) else entries


def _text(value: bytes | str | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _decode_all(client: redis.Redis, device_id: str, entries: Iterable[BusEntry]) -> list[Part]:
    """The parts of entries; those that are no parts are refused."""
    found = [accept(client, "part on the bus", lambda e=entry: _decode(device_id, *e)) for entry in entries]
    return [part for part in found if part is not None]


def _decode(device_id: str, entry_id: bytes, fields: dict[bytes, bytes]) -> Part:
    """Decode a part. Raises RefusedValue."""
    try:
        part = _parse(device_id, entry_id, fields)
    except (KeyError, TypeError, ValueError):
        raise RefusedValue("it has not the fields of a part") from None
    require(0 < part.start < _MAX_TIME, "its time is out of range")
    require(0 <= part.duration <= _MAX_PART_SECONDS, "its duration is out of range")
    numbers = (part.frames, part.segment, part.discontinuity)
    require(all(map(is_integer, numbers)) and len(part.data) > 0, "its numbers are out of range, or it is empty")
    return part


def _parse(device_id: str, entry_id: bytes, fields: dict[bytes, bytes]) -> Part:
    position = Position.parse(entry_id)
    flags = int(fields[b"k"])
    return Part(
        device_id=device_id,
        run=position.run,
        sequence=position.sequence,
        start=float(fields[b"t"]),
        duration=float(fields[b"u"]),
        is_key=bool(flags & _KEY),
        frames=int(fields[b"f"]),
        data=fields[b"d"],
        has_audio=bool(flags & _AUDIO),
        segment=int(fields[b"m"]),
        discontinuity=int(fields[b"c"]),
    )
