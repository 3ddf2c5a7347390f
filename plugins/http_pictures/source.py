"""The source of http and https URLs."""

from gateway.plugin_api import Config, Follow, SessionSource, SourceSession, SourceTarget
from plugins.http_pictures.session import HttpSession


class HttpPictures(SessionSource):
    """Opens one session a camera."""

    schemes = ("http", "https")
    default_ports = {"http": 80, "https": 443}  # noqa: RUF012 - it is read only

    def __init__(self, config: Config) -> None:
        self._seconds = config.connect_timeout_seconds

    def open(self, target: SourceTarget, follow: Follow) -> SourceSession:
        return HttpSession(target, follow, seconds=self._seconds)
