"""Setting the clock moves the wall clock of running processes, and nothing else."""

import os
import subprocess
import sys

import pytest

from .skewed_clock import NoCompilerError, SkewedClock

PROGRAM = """
import sys, time
from datetime import UTC, datetime
for _ in sys.stdin:
    before = time.monotonic()
    time.sleep(0.01)
    print(time.time(), datetime.now(UTC).timestamp(), time.monotonic(), time.monotonic() - before, flush=True)
"""


def test_a_running_process_sees_the_clock_that_was_set(tmp_path):
    try:
        clock = SkewedClock(tmp_path)
    except NoCompilerError as error:
        pytest.skip(str(error))
    env = os.environ | {name: str(value) for name, value in clock.settings.items()}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:

        def ask() -> list[float]:
            process.stdin.write("\n")
            process.stdin.flush()
            return [float(word) for word in process.stdout.readline().split()]

        first = ask()
        clock.set(-3600)
        second = ask()
        process.stdin.close()
    assert second[0] == pytest.approx(first[0] - 3600, abs=5)
    assert second[1] == pytest.approx(first[1] - 3600, abs=5)
    assert 0 < second[2] - first[2] < 5
    assert 0.009 < second[3] < 1
