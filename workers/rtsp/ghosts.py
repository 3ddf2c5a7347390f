"""The SSRCs of sessions that broke off: a camera may go on sending them on the next connection for a while."""

_SECONDS = 120.0
_MAX_CAMERAS = 2000


class RecentSources:
    """By camera: the SSRCs of its last session that ended without TEARDOWN, for two minutes."""

    def __init__(self) -> None:
        self._sources: dict[str, tuple[float, frozenset[bytes]]] = {}

    def remember(self, camera: str, ssrcs: frozenset[bytes], now: float) -> None:
        """A session with these SSRCs broke off."""
        self._sources.pop(camera, None)
        if ssrcs:
            self._sources[camera] = (now, ssrcs)
        while len(self._sources) > _MAX_CAMERAS:
            del self._sources[next(iter(self._sources))]

    def forget(self, camera: str) -> None:
        """The camera has ended its session in order."""
        self._sources.pop(camera, None)

    def recall(self, camera: str, now: float) -> frozenset[bytes]:
        """The SSRCs that a new session must not take for its own without need."""
        at, ssrcs = self._sources.get(camera, (0.0, frozenset()))
        return ssrcs if now - at < _SECONDS else frozenset()
