"""Logging of every process: one line per event on standard error, with secrets redacted in every message."""

import logging

from gateway.config import Config
from gateway.redaction import redact_text, shorten

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: Longest line, and longest event with its traceback, in characters.
_MAX_LINE, _MAX_EVENT = 8_000, 64_000


class RedactingFormatter(logging.Formatter):
    """Cuts long lines and redacts all of them, traceback included, so that no message escapes redaction."""

    def format(self, record: logging.LogRecord) -> str:
        lines = shorten(super().format(record), _MAX_EVENT).split("\n")
        return redact_text("\n".join(shorten(line, _MAX_LINE) for line in lines))


def setup_logging(config: Config, *, label: str = "") -> None:
    """Send all loggers to standard error at LOG_LEVEL; replaces any earlier set-up. Each line names the `label`."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(_FORMAT.replace("%(name)s", f"{label} %(name)s") if label else _FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.log_level)
    for name in ("websockets", "dramatiq.worker.ConsumerThread", "peewee"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
