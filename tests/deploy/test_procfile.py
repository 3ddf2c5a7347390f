"""The options with which the Procfile starts the web server."""

import re
import shlex

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser

from gateway.web.worker import WebWorker
from tests.contracts.repository import ROOT


@pytest.fixture
def settings() -> Config:
    """gunicorn's settings, with the defaults of HOST and PORT."""
    (line,) = re.findall(r"^web: gunicorn (.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE)
    settings = Config()
    options = settings.parser().parse_args(shlex.split(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", line)))
    for name, value in vars(options).items():
        if name != "args" and value is not None:
            settings.set(name, value)
    return settings


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /nothing", "SCRIPT_NAME: /api", "script_name: api", "PATH_INFO: /"])
def test_no_header_moves_the_path_of_a_request(settings, header):
    """Not even from this machine, which gunicorn trusts as a proxy."""
    request = f"GET /api/v1/devices HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()
    received = next(RequestParser(settings, iter([request]), ("127.0.0.1", 1)))
    environ = wsgi.create(received, None, ("127.0.0.1", 1), ("127.0.0.1", 8000), settings)[1]
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/api/v1/devices")


def test_the_web_server_runs_our_worker_with_the_parser_that_is_tested(settings):
    """gunicorn would use another parser where that is installed."""
    assert settings.worker_class is WebWorker
    assert settings.http_parser == "python"
