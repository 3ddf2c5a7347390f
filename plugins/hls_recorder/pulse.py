"""Reports once a second when each device's footage was last written, and which recorders began and ended."""

import logging
import threading
from collections.abc import Callable, Mapping

import redis

from gateway.footage.recorder_pulse import RecorderPulse
from gateway.plugin_api import Clock
from plugins.hls_recorder.footage import AttachmentState

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
#: Older footage is not reported any more.
_OLD_SECONDS = 30.0


class PulseSender:
    """The pulse of the recorders of a process. A Redis that is away delays no recorder but one that begins or ends."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Clock,
        states: Mapping[str, AttachmentState],
        *,
        is_threaded: bool,
    ) -> None:
        self._pulse = RecorderPulse(client)
        self._clock = clock
        self._states = states
        self._is_threaded = is_threaded
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def attached(self, device_id: str, token: int) -> None:
        """A recorder begins: a process that dies from its first part must have left this behind."""
        self._call(self._pulse.attached, device_id, token)
        with self._lock:
            if self._thread is None and self._is_threaded and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="recording-pulse", daemon=True)
                self._thread.start()

    def detached(self, device_id: str, token: int) -> None:
        """A recorder has ended in order, or could not begin."""
        self._call(self._pulse.detached, device_id, token)

    def send(self) -> None:
        """Report the age of the newest written footage of each device. Never raises."""
        now = self._clock.monotonic()
        ages = {
            device_id: now - state.written_at
            for device_id, state in list(self._states.items())
            if state.written_at is not None and now - state.written_at < _OLD_SECONDS
        }
        self._call(self._pulse.beat, ages)

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._closing.wait(BEAT_SECONDS):
            self.send()

    @staticmethod
    def _call(function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        except redis.RedisError as error:
            log.debug("the pulse of recorders cannot be sent now: %s", error)
        except Exception:
            log.exception("the pulse of recorders cannot be sent")
