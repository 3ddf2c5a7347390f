#!/usr/bin/env python3
"""Finds or builds mediasoup's worker program, and prints its path.

    python3 sfu/worker/provide.py

In this order: the program in the cache; mediasoup's prebuilt program, if it can be downloaded and starts;
a program built from the npm package's source (build.py). The cache, ~/.cache/vas/mediasoup-worker, lies
outside the checkout and is keyed by mediasoup's version, this recipe, the compiler and the libraries. A .json
file next to the program holds its version, its origin and the time of the build, for the SFU's status.

Needs `npm ci --ignore-scripts` in sfu/ first. Progress goes to stderr, only the path to stdout.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import build

HERE = Path(__file__).resolve().parent
NAME = "mediasoup-worker"
# Exit status of the worker when it is started without mediasoup's Node side (its main.cpp).
STARTS_STATUS = 41
ANSWER_SECONDS = 6
DOWNLOAD_SECONDS = 120


class NoWorkerError(Exception):
    """There is no worker; the message contains the reason and the remedy."""


class BuildNeeded(Exception):
    """There is no worker yet, and building was not allowed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--mediasoup",
        type=Path,
        default=HERE.parent / "node_modules/mediasoup",
        help="folder of the npm package (default: sfu/node_modules/mediasoup)",
    )
    parser.add_argument("--no-download", action="store_true", help="do not try to download a prebuilt worker")
    parser.add_argument("--no-build", action="store_true", help="do not build; exit with status 1 if one is needed")
    options = parser.parse_args()
    try:
        print(provide_worker(options.mediasoup, not options.no_download, not options.no_build))
    except BuildNeeded:
        return 1
    except NoWorkerError as error:
        print(f"mediasoup's worker: {error}", file=sys.stderr)
        return 1
    return 0


def provide_worker(mediasoup: Path, may_download: bool = True, may_build: bool = True) -> Path:
    """Return the path of a worker that starts here. Raises NoWorkerError or BuildNeeded."""
    try:
        version = json.loads((mediasoup / "package.json").read_text())["version"]
    except OSError as error:
        raise NoWorkerError(f"{str(mediasoup)!r} is missing; run `npm ci --ignore-scripts` in sfu/ first") from error
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoWorkerError(f"cannot write its cache: {error}; set XDG_CACHE_HOME to another folder") from error
    prebuilt = cache / f"{version}-prebuilt-{platform.machine()}" / NAME
    built = cache / f"{version}-{build_key()}" / NAME
    with only_one_at_a_time(cache / "lock"):
        for binary in (prebuilt, built):
            if starts(binary):
                return binary
        if may_download and (downloaded := download_prebuilt(mediasoup)):
            return keep(downloaded, prebuilt, version, "prebuilt")
        if not may_build:
            raise BuildNeeded
        return build_from_source(mediasoup, built, version)


def cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "vas" / NAME


def build_key() -> str:
    """Return a short hash of all inputs of a build: the recipe, the compiler, the libraries."""
    content = hashlib.sha256()
    for path in sorted([HERE / "build.py", HERE / "grouping.py", *build.RECIPE.rglob("*")]):
        if path.is_file():
            content.update(f"{path.relative_to(HERE)}\n".encode() + path.read_bytes())
    for command in (["c++", "--version"], ["pkg-config", "--modversion", *build.LIBRARIES]):
        with contextlib.suppress(OSError):
            content.update(subprocess.run(command, capture_output=True, check=False).stdout)
    return f"{platform.machine()}-{content.hexdigest()[:16]}"


def starts(binary: Path) -> bool:
    """Whether the program exists and starts with the libraries of this machine."""
    try:
        started = subprocess.run([str(binary)], env={}, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return started.returncode == STARTS_STATUS


def keep(program: Path, binary: Path, version: str, origin: str) -> Path:
    """Move a program into the cache atomically, after its .json, so that other processes can use it immediately."""
    binary.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "version": version,
        "origin": origin,
        "built_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    binary.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n")
    arriving = binary.with_suffix(".new")
    shutil.copy2(program, arriving)
    arriving.chmod(0o755)
    arriving.replace(binary)
    return binary


def download_prebuilt(mediasoup: Path) -> Path | None:
    """Let mediasoup's install step download its prebuilt worker; None when that fails.

    The step would continue with a build that downloads sources: it is stopped before that, or when there was no
    response within a few seconds.
    """
    step = Step("looking for mediasoup's prebuilt worker")
    release = mediasoup / "worker/out/Release"
    shutil.rmtree(release, ignore_errors=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MEDIASOUP_")}
    try:
        process = subprocess.Popen(
            ["node", "npm-scripts.mjs", "postinstall"],
            cwd=mediasoup,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise NoWorkerError(f"cannot run node: {error}; install Node.js 20.19 or newer") from error

    gave_up = threading.Event()

    def watch() -> None:
        for line in process.stdout:
            if "building it locally" in line:
                gave_up.set()

    threading.Thread(target=watch, daemon=True).start()
    started = time.monotonic()
    while process.poll() is None and not gave_up.wait(0.1):
        # The folder appears with the first bytes of the response.
        limit = DOWNLOAD_SECONDS if release.exists() else ANSWER_SECONDS
        if time.monotonic() - started > limit:
            break
    finished = process.poll() == 0
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if finished and not gave_up.is_set() and starts(release / NAME):
        step.done("downloaded")
        return release / NAME
    step.done("not available")
    return None


def build_from_source(mediasoup: Path, binary: Path, version: str) -> Path:
    """Build the worker into the cache; on failure the error names the remedy and the log, which is kept."""
    log = cache_folder() / "build.log"
    step = Step(f"building mediasoup's worker {version} (1 to 5 minutes)")
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache_folder()) as folder:
        try:
            program = build.build_worker(mediasoup / "worker", Path(folder), log, step.say)
        except build.BuildError as error:
            step.done("failed")
            raise NoWorkerError(
                f"the build {error}; on Debian or Ubuntu install its requirements with `apt-get install "
                f"{build.PACKAGES}`, "
                f"on other systems the same libraries, then run this again. The log is {str(log)!r}"
            ) from error
        if not starts(program):
            step.done("failed")
            raise NoWorkerError(f"the built program does not start; the log is {str(log)!r}")
        step.done("built")
        return keep(program, binary, version, "built from source")


@contextlib.contextmanager
def only_one_at_a_time(lock: Path) -> Iterator[None]:
    """Let a second set-up wait for the build of the first instead of repeating it."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  another set-up is building mediasoup's worker; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Step:
    """One line of progress on stderr: rewritten in place on a terminal, repeated every 15 s elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = self.said = time.monotonic()
        self.write("")

    def say(self, detail: str) -> None:
        if sys.stderr.isatty() or time.monotonic() - self.said > 15:
            self.said = time.monotonic()
            self.write(detail)

    def done(self, result: str) -> None:
        self.write(result, end="\n")

    def write(self, detail: str, end: str = "") -> None:
        terminal = sys.stderr.isatty()
        seconds = time.monotonic() - self.started
        line = f"  {self.title} … {detail} ({seconds:.0f} s)" if detail else f"  {self.title} …"
        print(
            f"\r\033[K{line}" if terminal else line,
            end=end if terminal else "\n",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
