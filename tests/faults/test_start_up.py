"""Missing programs and invalid settings are reported at start-up, with a non-zero exit code."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.stack import Stack
from tests.stack.stack import ROOT


@pytest.fixture(scope="module")
def unstarted() -> Iterator[Stack]:
    """The settings and command lines of a product that does not run."""
    stack = Stack()
    yield stack
    stack.close()


@pytest.mark.parametrize(
    ("line", "settings", "says"),
    [
        pytest.param("stream", {"FFMPEG_BIN": "/nowhere/ffmpeg"}, ["/nowhere/ffmpeg", "FFMPEG_BIN"], id="ffmpeg"),
        pytest.param(
            "sfu",
            {"MEDIASOUP_WORKER_BIN": "/nowhere/mediasoup-worker"},
            ["/nowhere/mediasoup-worker", "MEDIASOUP_WORKER_BIN"],
            id="mediasoup worker",
        ),
        pytest.param("stream", {"STREAM_SLOTS": "many"}, ["STREAM_SLOTS", "many"], id="setting of the stream worker"),
        pytest.param("clock", {"LEASE_SECONDS": "0"}, ["LEASE_SECONDS"], id="setting of the clock"),
        pytest.param("web", {"WEB_THREADS": "8", "DATABASE_URL": "mysql://x"}, ["DATABASE_URL"], id="setting of web"),
        pytest.param("sfu", {"SFU_INGEST_PORTS": "1-2-3"}, ["SFU_INGEST_PORTS"], id="setting of the SFU"),
    ],
)
def test_missing_programs_and_invalid_settings_are_reported_at_start_up(unstarted, line, settings, says):
    done = subprocess.run(
        ["sh", "-c", f"exec {unstarted.lines[line]}"],
        cwd=ROOT,
        env=unstarted.env | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    for word in says:
        assert word in done.stdout + done.stderr
