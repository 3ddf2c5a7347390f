"""A request to stop is never lost: not one before the wait, in another thread, or of a volley of signals."""

import signal
import subprocess
import sys
import textwrap

import pytest

from tests.contracts.repository import ROOT

PROGRAM = """
    import os, signal, sys, threading, time
    from workers.stop_signal import StopSignal

    stop = StopSignal()
    signal.signal(signal.SIGUSR1, lambda *_: None)
    {body}
"""


def run(body: str) -> subprocess.CompletedProcess:
    code = textwrap.dedent(PROGRAM).replace("{body}", textwrap.dedent(body))
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_before_the_wait_ends_it(name):
    done = run(f"os.kill(os.getpid(), signal.{name})\nprint(stop.wait(), stop.wait(0))")
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_a_signal_that_another_thread_receives_ends_the_wait():
    """The kernel gives it to any thread that does not block it."""
    done = run("""
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        def receive():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            while True:
                time.sleep(0.01)
        threading.Thread(target=receive, daemon=True).start()
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
        print(stop.wait(20))
    """)
    assert done.stdout.split() == ["True"], done.stderr


def test_a_volley_of_signals_at_every_moment_ends_the_wait():
    done = run("""
        pid = os.getpid()
        if os.fork() == 0:
            for _ in range(20_000):
                os.kill(pid, signal.SIGHUP)
                os.kill(pid, signal.SIGTERM)
            os._exit(0)
        print(stop.wait(20))
        os.wait()
        print(stop.wait(0))
    """)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_another_signal_is_no_request_to_stop():
    done = run("""
        os.kill(os.getpid(), signal.SIGUSR1)
        print(stop.wait(0.2))
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        print(stop.wait(20))
    """)
    assert done.stdout.split() == ["False", "True"], done.stderr


def test_children_start_with_the_default_handlers():
    """FFmpeg is stopped by SIGTERM."""
    done = run("""
        import subprocess
        child = subprocess.Popen(["sleep", "60"])
        child.terminate()
        print(child.wait(20))
    """)
    assert done.stdout.split() == [str(-signal.SIGTERM)], done.stderr


def test_a_wait_ends_early_when_something_can_be_read():
    done = run("""
        reader, writer = os.pipe()
        threading.Timer(0.2, os.write, (writer, b"0")).start()
        print(stop.wait(20, also=[reader]))
        os.kill(os.getpid(), signal.SIGTERM)
        print(stop.wait(20, also=[reader]))
    """)
    assert done.stdout.split() == ["False", "True"], done.stderr
