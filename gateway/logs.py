"""Logging of every process: one line per event on standard error, with secrets redacted in every message."""

import logging

from gateway.config import Config
from gateway.redaction import redact_text

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class RedactingFormatter(logging.Formatter):
    """Redacts the complete line, traceback included, so that no message escapes redaction."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_text(super().format(record))


def setup_logging(config: Config) -> None:
    """Send all loggers to standard error at LOG_LEVEL; replaces any earlier set-up."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.log_level)
    for name in ("websockets", "dramatiq.worker.ConsumerThread", "peewee"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
