"""Where the private Redis servers of `make run` listen: at Unix sockets in folders that only their owner may enter."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

#: For queues, leases and figures, which are kept on disk; and for the media bus, which is large and short-lived.
QUEUES, MEDIA = "redis", "redis-media"
#: Variables for the server of the media bus. jemalloc rounds the 250 kB of a part up, by an eighth on average. Memory
#: that is given back at once is not touched beyond the part; with jemalloc's delay, all of it is after one window.
MEDIA_MEMORY = {"MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}

#: Longest path of a Unix socket on Linux, in bytes (unix(7)).
_MAX_PATH_BYTES = 107


def socket_path(var_dir: Path, name: str) -> Path:
    """Return the absolute path of the socket of a private server: below VAR_DIR, or in the folder for temporary files
    if that path is too long for a socket."""
    path = Path(os.path.abspath(var_dir)) / name / "redis.sock"
    if len(os.fsencode(path)) <= _MAX_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"vas-{os.getuid()}-{digest}" / "redis.sock"


def socket_url(var_dir: Path, name: str) -> str:
    """Return the URL of a private server."""
    return f"unix://{quote(os.fsencode(socket_path(var_dir, name)))}?db=0"
