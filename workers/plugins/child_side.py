"""The inside of a child process of the plugins worker: its end with its parent, its heartbeats, its last words."""

import ctypes
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from gateway import database, sandbox
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.events.bell import hang_bell
from gateway.logs import setup_logging
from gateway.private_files import keep_files_private
from gateway.redaction import redact_text, shorten

log = logging.getLogger(__name__)

#: Heartbeats are this many seconds apart.
BEAT_SECONDS = 2.0
_MAX_ERROR = 500
_PR_SET_PDEATHSIG = 1


class Parent:
    """The pipe to the plugins worker. A message is one line of JSON, short enough to be written in one piece."""

    def __init__(self, descriptor: int, pid: int) -> None:
        self._descriptor = descriptor
        self._pid = pid
        self._beat_at = 0.0
        # Programs that the plugin starts do not keep the pipe open.
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)

    def die_with(self) -> None:
        """Have the kernel kill this process when the worker dies."""
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._pid:
            os._exit(1)

    def beat(self) -> None:
        """Send a heartbeat if one is due."""
        now = time.monotonic()
        if now - self._beat_at >= BEAT_SECONDS:
            self._beat_at = now
            self.tell(beat=1)

    def tell(self, **message: Any) -> None:
        """Send a message; a full pipe belongs to a worker that is stopped itself."""
        try:
            os.write(self._descriptor, json.dumps(message).encode() + b"\n")
        except OSError:
            log.debug("the plugins worker does not read", exc_info=True)


def start_child(label: str, descriptor: str, parent: str) -> tuple[Config, Parent]:
    """Set up a child process: settings, logs with a label in each line, database."""
    told = Parent(int(descriptor), int(parent))
    told.die_with()
    try:
        config = Config.from_environment()
    except ConfigError as error:
        told.tell(error=error.message)
        sys.exit(78)
    setup_logging(config, label=label)
    sandbox.forbid_core_dumps()
    keep_files_private(config)
    database.connect(config)
    hang_bell(config)
    return config, told


def end_child(code: int) -> NoReturn:
    """End the process at once: threads that a plugin left running cannot delay it."""
    database.close()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def describe_error(error: BaseException) -> str:
    """An exception in one line, redacted."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return shorten(redact_text(f"{name}: {text}" if text else name), _MAX_ERROR)


def call_quietly(function: Callable[[], object]) -> None:
    """Call a function whose failure changes nothing any more."""
    try:
        function()
    except Exception:
        log.debug("a step at the end of the process failed", exc_info=True)
