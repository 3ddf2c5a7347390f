"""The suites of `make test`, in order of their duration, and their environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import environments
from steps import REPOSITORY

BIN = environments.VENV / "bin"
PYTEST = [str(BIN / "python"), "-m", "pytest"]
FAST = "not integration and not e2e and not faults"
# Each pytest worker starts its own servers. Files are not reordered by their number of tests: tests/order.py has
# sorted them by their seconds. Tests that observe or break a whole stack mostly wait, and their time limits allow for a
# second test in parallel. Precise measurements are benchmarks, which run alone.
PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]

LINT = [
    ("ruff", [str(BIN / "ruff"), "check", "."], "."),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."], "."),
    ("import rules", [str(BIN / "lint-imports"), "--no-logo"], "."),
    ("OpenAPI document", [str(BIN / "python"), "-m", "tests.contracts.lint_openapi"], "."),
    ("eslint and prettier, sfu", ["npm", "run", "--silent", "lint"], "sfu"),
    ("eslint and tsc, ui", ["npm", "run", "--silent", "lint"], "ui"),
]
SUITES = [
    ("Python, fast", [*PYTEST, *PARALLEL, "-m", FAST], "."),
    ("ui", ["npm", "test", "--silent"], "ui"),
    ("sfu", ["npm", "test", "--silent"], "sfu"),
    # The database fixtures run each of these tests on SQLite and on PostgreSQL.
    ("Python, with services", [*PYTEST, *PARALLEL, "-m", "integration and not e2e and not faults"], "."),
    ("browser", [*PYTEST, *PARALLEL, "-m", "e2e and not faults"], "."),
    ("faults", [*PYTEST, *PARALLEL, "-m", "faults"], "."),
]


def environment() -> dict[str, str]:
    """Environment variables of the tests: the paths of programs. The tests start their own servers."""
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "VAS_TEST_POSTGRES_BIN": postgres_folder(),
        "VAS_TEST_CHROMIUM": shutil.which("chromium") or "",
    }


def postgres_folder() -> str:
    """Find the folder of `initdb`, which Debian does not put on the path: one for each version."""
    if found := shutil.which("initdb"):
        return str(Path(found).parent)
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return str(versions[-1].parent) if versions else ""


def run_lint() -> int:
    return run_stages(LINT)


def run_suites() -> int:
    return run_stages([*LINT, *SUITES])


def run_stages(stages: list[tuple[str, list[str], str]]) -> int:
    """Run all stages, even after a failure, and list the results; return the exit status."""
    results = []
    for name, command, folder in stages:
        print(f"\n── {name} " + "─" * (70 - len(name)), flush=True)
        env = {**os.environ, **environment()}
        started = time.monotonic()
        status = subprocess.run(
            command, cwd=REPOSITORY / folder, env=env, stdin=subprocess.DEVNULL, check=False
        ).returncode
        results.append((name, status, time.monotonic() - started))
    print("\n── results " + "─" * 63)
    for name, status, seconds in results:
        print(f"  {'passed' if status == 0 else 'FAILED'} {name} ({seconds:.0f} s)")
    return int(any(status for _, status, _ in results))
