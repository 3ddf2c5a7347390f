"""The lane of each path: which kind of work a request is, for the threads of the web process."""

import re

from gateway.web.limits import FILES, HEALTH, LIVE, PICTURES, SHORT

#: The first match counts. This decides the order of work only; what is allowed is decided by endpoint.
_LANES = (
    (re.compile(r"/api/v1/health(/.*)?"), HEALTH),
    (re.compile(r"/api/v1/recordings/devices/[^/]+/(playlist|live/.*)"), LIVE),
    (re.compile(r"/api/v1/recordings/devices/[^/]+/segments/.*"), FILES),
    (re.compile(r"/api/v1/devices/[^/]+/poster\.jpg"), LIVE),
    (re.compile(r"/api/v1/(snapshots/[^/]+/image|bookmarks/[^/]+/poster)(\..*)?"), PICTURES),
    (re.compile(r"/api/v1/(jobs/[^/]+/result|bookmarks/[^/]+/clip)(\..*)?"), FILES),
)


def lane_of(path: str) -> str:
    """The lane of a request's path."""
    if not path.startswith("/api/"):
        return SHORT
    return next((lane for pattern, lane in _LANES if pattern.fullmatch(path)), SHORT)
