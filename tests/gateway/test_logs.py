"""No log line contains secrets."""

import io
import logging

import pytest

from gateway.logs import RedactingFormatter, setup_logging
from tests.factories import PASSWORD, SOURCE_URL, make_config


@pytest.fixture
def root():
    """The root logger, restored after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_password_is_redacted_in_message_arguments_and_traceback(root):
    setup_logging(make_config(log_level="INFO"))
    shown = root.handlers[0].stream = io.StringIO()
    log = logging.getLogger("vas.test")
    log.warning("opening %s", SOURCE_URL)
    try:
        raise ValueError(f"cannot open {SOURCE_URL}")
    except ValueError:
        log.exception("failed")
    text = shown.getvalue()
    assert "opening rtsp://***@192.168.7.20:554/stream1" in text
    assert "Traceback" in text
    assert PASSWORD not in text


def test_setting_up_twice_writes_each_line_once(root):
    setup_logging(make_config())
    setup_logging(make_config(log_level="WARNING"))
    assert len(root.handlers) == 1
    assert isinstance(root.handlers[0].formatter, RedactingFormatter)
    assert root.level == logging.WARNING
    assert logging.getLogger("websockets").level == logging.WARNING
