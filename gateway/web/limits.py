"""The limits of the web process, and the lanes in which requests wait for a thread."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.config import Config

#: The key of `app.extensions` with the WebLimits.
LIMITS = "vas_web"

#: Requests for the health of the service have threads of their own.
HEALTH = "health"
#: Everything that is not in another lane.
SHORT = "short"
#: Live HLS: many requests at the same moment.
LIVE = "live"
#: Footage and other files; each chunk of a file is a turn of its own.
FILES = "files"
#: Pictures that are decoded and scaled.
PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What the front needs to know of the application. Times in seconds."""

    threads: int
    max_connections: int
    max_body_bytes: int
    read_seconds: float
    write_seconds: float
    idle_seconds: float
    #: The lane of a path.
    lane_of: Callable[[str], str]

    @classmethod
    def from_config(cls, config: Config, lane_of: Callable[[str], str]) -> "WebLimits":
        return cls(
            threads=config.web_threads,
            max_connections=config.web_connections,
            max_body_bytes=config.max_body_bytes,
            read_seconds=config.web_read_seconds,
            write_seconds=config.web_write_seconds,
            idle_seconds=config.web_idle_seconds,
            lane_of=lane_of,
        )

    def lane_sizes(self) -> dict[str, int]:
        """The number of threads that each lane may occupy at the same time.

        Lanes of bulk work leave threads, and the interpreter's lock, to short requests. A disk that does not answer
        stops the files only.
        """
        few, some = max(1, self.threads // 8), max(1, self.threads // 4)
        return {SHORT: self.threads, LIVE: few, FILES: some, PICTURES: few}
