"""A cache of recent pictures: two hundred simultaneous requests for the same picture cost one decoding."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from workers.captures.pictures import Picture


class PictureCache:
    """The most recently used pictures, up to `max_bytes`; one thread makes a picture while the others wait for it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Picture] = OrderedDict()
        self._bytes = 0
        self._making: dict[Hashable, Future[Picture]] = {}

    def get(self, key: Hashable, make: Callable[[], Picture]) -> Picture:
        """The picture of a key, made if it is missing; an exception of `make` is raised in all waiting threads."""
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
            future = self._making.get(key)
            is_maker = future is None
            if future is None:
                future = self._making[key] = Future()
        if is_maker:
            self._make(key, make, future)
        return future.result()

    def _make(self, key: Hashable, make: Callable[[], Picture], future: "Future[Picture]") -> None:
        try:
            picture = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            future.set_exception(error)
            return
        with self._lock:
            del self._making[key]
            self._kept[key] = picture
            self._bytes += len(picture.jpeg)
            while self._bytes > self._max_bytes and len(self._kept) > 1:
                _, evicted = self._kept.popitem(last=False)
                self._bytes -= len(evicted.jpeg)
        future.set_result(picture)
