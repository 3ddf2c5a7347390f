"""The body of a reply, taken from the application in pieces of about 64 KiB."""

import time
from collections.abc import Iterable, Iterator

#: Smaller pieces are joined, larger ones split, so that a client that does not read holds little memory.
PIECE_BYTES = 64 << 10
#: What comes slowly, such as lines that are computed one by one, is sent after this time.
_PULL_SECONDS = 0.1


class ReplyBody:
    """A WSGI iterable as pieces. `pull` may read files, so it runs in a thread; `close` may be called twice."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source: Iterable[bytes] | None = source
        self._chunks: Iterator[bytes] | None = iter(source)
        self._held = memoryview(b"")

    @property
    def has_piece(self) -> bool:
        """Whether `take` returns bytes without a `pull`."""
        return len(self._held) > 0

    @property
    def is_exhausted(self) -> bool:
        return self._chunks is None and not self._held

    def pull(self) -> None:
        """Read a piece from the application, a part of it if that takes long, or to its end; at the end, close it."""
        began = time.monotonic()
        parts, size = [self._held] if self._held else [], len(self._held)
        try:
            while self._chunks is not None and size < PIECE_BYTES:
                chunk = next(self._chunks, None)
                if chunk is None:
                    self.close()
                elif chunk:
                    parts.append(memoryview(chunk))
                    size += len(chunk)
                    if time.monotonic() - began > _PULL_SECONDS:
                        break
        except BaseException:
            self.close()
            raise
        self._held = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))

    def take(self) -> bytes:
        """The next piece of what was pulled."""
        piece, self._held = bytes(self._held[:PIECE_BYTES]), self._held[PIECE_BYTES:]
        return piece

    def close(self) -> None:
        """Give the application's iterable back; what was pulled stays."""
        source, self._source, self._chunks = self._source, None, None
        close = getattr(source, "close", None)
        if close is not None:
            close()
