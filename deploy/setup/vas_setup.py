"""`make run`, `make test`, `make lint`, `make bench`: set up the requirements of a command, then run it.

Runs under Python 3.9 or newer with only the standard library; safe to repeat and quick the second time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import environments
import model
import system_packages
import testing
from steps import REPOSITORY, SetupError, read_setting

BIN = environments.VENV / "bin"


def run() -> int:
    needs = [system_packages.RUN]
    if read_setting("DEMO", "1") != "0":
        needs.append(system_packages.DEMO)
    system_packages.install(*needs)
    environments.make_venv("run")
    set_up_node()
    model.provide_model()
    environments.build_ui()
    sys.stdout.flush()
    # Replaces this process, so that Ctrl-C and signals reach the stack itself.
    python = str(BIN / "python")
    os.execv(python, [python, str(REPOSITORY / "deploy/local/stack.py")])  # noqa: S606


def test() -> int:
    set_up_for_tests()
    return testing.run_suites()


def lint() -> int:
    environments.make_venv("test")
    set_up_node(with_worker=False)
    return testing.run_lint()


def bench() -> int:
    set_up_for_tests()
    system_packages.install(system_packages.BENCH)
    command = [str(BIN / "python"), "-m", "bench", *sys.argv[2:]]
    return subprocess.run(command, env={**os.environ, **testing.environment()}, check=False).returncode


def setup() -> int:
    set_up_for_tests()
    return 0


def set_up_for_tests() -> None:
    system_packages.install(system_packages.RUN, system_packages.DEMO, system_packages.TEST)
    environments.make_venv("test")
    set_up_node()
    model.provide_model()
    environments.build_ui()


def set_up_node(with_worker: bool = True) -> None:
    environments.check_node()
    environments.install_node_modules("sfu")
    if with_worker:
        os.environ["MEDIASOUP_WORKER_BIN"] = str(environments.provide_worker())
    environments.install_node_modules("ui")


COMMANDS: dict[str, Callable[[], int]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "bench": bench,
    "setup": setup,
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: vas_setup.py {'|'.join(COMMANDS)}", file=sys.stderr)
        return 64
    started = time.monotonic()
    os.chdir(REPOSITORY)
    try:
        status = COMMANDS[sys.argv[1]]()
    except SetupError as error:
        print(f"\n  {error.message}", file=sys.stderr)
        if error.remedy:
            print(f"  What to do: {error.remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"make {sys.argv[1]}: {'passed' if status == 0 else 'failed'} ({time.monotonic() - started:.0f} s)")
    return status


if __name__ == "__main__":
    sys.exit(main())
