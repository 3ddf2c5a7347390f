"""How many pictures of a device are analysed: fewer when the analysis falls behind, and more again later."""

from collections import deque
from collections.abc import Callable

#: A picture that is older than this when its turn comes says that the analysis is behind. Batches of the sub-stream and
#: parts take up to a second.
BEHIND_SECONDS = 2.5
#: Time between two steps down, and without delay before a step up.
_DOWN_SECONDS, _UP_SECONDS = 3.0, 20.0
#: Each level analyses half of the pictures of the one before it; the last one decodes key frames only.
LEVELS = 4
_WINDOW_SECONDS = 10.0


class Pace:
    """Chooses pictures by their capture times. `now()`: seconds since 1970."""

    def __init__(self, fps: float, now: Callable[[], float]) -> None:
        self.fps = fps
        self._now = now
        self._next_at = 0.0
        self._stepped = self._late = now()
        self._given: deque[tuple[float, float]] = deque()
        self._began: float | None = None
        self.level = 0

    @property
    def only_keys(self) -> bool:
        """Whether only key frames are to be decoded."""
        return self.level == LEVELS - 1

    def wants(self, at: float) -> bool:
        """Whether the picture captured `at` is to be analysed. Call it for each picture, in order."""
        self._adapt(at)
        interval = 2**self.level / self.fps
        if self._next_at - at > 2 * interval + 1:
            # The clock was set back.
            self._next_at = 0.0
        # Half a picture early is on time: cameras are not exact.
        if at < self._next_at - 0.3 * interval:
            return False
        self._next_at = max(self._next_at + interval, at + 0.5 * interval)
        return True

    def note(self, seconds: float) -> None:
        """A picture was analysed in this time."""
        now = self._now()
        if self._began is None or now < self._began:
            self._began = now
        self._given.append((now, seconds))
        self._forget(now)

    @property
    def given_fps(self) -> float:
        """Pictures analysed in a second, over the last ten seconds, or since the first picture."""
        now = self._now()
        self._forget(now)
        if self._began is None:
            return 0.0
        return len(self._given) / min(_WINDOW_SECONDS, max(1.0, now - self._began))

    @property
    def ms_per_picture(self) -> float:
        """Mean time of an analysed picture, in milliseconds."""
        return sum(seconds for _, seconds in self._given) / len(self._given) * 1000 if self._given else 0.0

    def _adapt(self, at: float) -> None:
        now = self._now()
        if now - at > BEHIND_SECONDS:
            if now - at < 60:
                self._late = now
            if self.level < LEVELS - 1 and now - self._stepped > _DOWN_SECONDS and now - at < 60:
                self.level += 1
                self._stepped = now
        elif self.level and now - self._late > _UP_SECONDS and now - self._stepped > _UP_SECONDS:
            self.level -= 1
            self._stepped = now

    def _forget(self, now: float) -> None:
        while self._given and not 0 <= now - self._given[0][0] <= _WINDOW_SECONDS:
            self._given.popleft()
