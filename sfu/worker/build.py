"""Builds mediasoup's worker from the npm package's source against the system's libraries.

The package's own build downloads the sources of its libraries and compiles 150 files, each of which
parses the same headers; this takes five minutes on two cores. Here the system's libraries are used
(the folders in recipe/subprojects replace mediasoup's downloads) and the sources are compiled in a
few groups, which takes one minute.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from grouping import group_sources

RECIPE = Path(__file__).resolve().parent / "recipe"
TOOLS = ["meson==1.12.1", "ninja==1.13.0"]
SETUP_OPTIONS = [
    "--buildtype=release",
    "-Db_ndebug=true",
    "-Dms_disable_liburing=true",
    "--wrap-mode=nodownload",
]
# pkg-config's names of the libraries that the recipe links; provide.py keys the cache by their versions.
LIBRARIES = ["openssl", "libuv", "libsrtp2", "usrsctp", "flatbuffers", "absl_flat_hash_map"]
PACKAGES = (
    "g++ pkg-config libssl-dev libuv1-dev libsrtp2-dev libusrsctp-dev libabsl-dev "
    "libflatbuffers-dev flatbuffers-compiler"
)

# With eight groups each compiler process stays below 700 MB, and four cores are busy.
GROUPS = 8
# mediasoup's own SCTP stack is unfinished and unused unless `ms_sctp_stack` is set.
UNUSED = "src/RTC/SCTP/"

Progress = Callable[[str], None]


class BuildError(Exception):
    """The build failed; the message names the step."""


def build_worker(source: Path, folder: Path, log: Path, progress: Progress) -> Path:
    """Build in `folder` (emptied first) from a mediasoup package's `worker` folder; return the binary.

    The output of all tools goes to `log`. Raises BuildError.
    """
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "worker"
    with log.open("w") as output:
        progress("installing meson and ninja")
        tools = install_tools(folder / "tools", output)
        for grouped in (True, False):
            prepare_sources(source, tree, grouped)
            try:
                return compile_worker(tree, tools, output, progress)
            except BuildError as error:
                # Grouping assumes that no two files of a group define the same name; another compiler may disagree.
                if not grouped or "could not compile" not in str(error):
                    raise
                progress("the grouped sources did not compile; building again, file by file")
    raise AssertionError("unreachable")


def install_tools(folder: Path, output) -> Path:
    """Install meson and ninja from PyPI; the meson of distributions from two years ago is too old."""
    python = folder / "bin" / "python"
    run([sys.executable, "-m", "venv", str(folder)], "create a Python environment", output)
    run(
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *TOOLS],
        "install meson and ninja",
        output,
    )
    return python.parent


def prepare_sources(source: Path, tree: Path, grouped: bool) -> None:
    """Copy mediasoup's sources and add the recipe to them."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(source, tree, ignore=shutil.ignore_patterns("*.wrap", "out", "prebuild"))
    shutil.copytree(RECIPE / "subprojects", tree / "subprojects", dirs_exist_ok=True)
    if grouped:
        guard_headers(tree / "include")
        group_sources(tree / "meson.build", "common_sources", GROUPS, without=UNUSED)
        group_sources(tree / "deps/libwebrtc/meson.build", "libwebrtc_sources", GROUPS // 4)


def guard_headers(folder: Path) -> None:
    """Add an include guard to every header, because one has none and groups include headers repeatedly."""
    for header in folder.rglob("*.hpp"):
        header.write_text("#pragma once\n" + header.read_text())


def compile_worker(tree: Path, tools: Path, output, progress: Progress) -> Path:
    """Run meson and ninja in `tree`; return the binary."""
    env = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "NINJA_STATUS": "[%f/%t] "}
    progress("configuring")
    run(
        ["meson", "setup", "out", *SETUP_OPTIONS],
        "configure",
        output,
        cwd=tree,
        env=env,
    )
    # The headers are generated first, because meson does not know that the sources include them.
    run(["ninja", "-C", "out", "fbs/FBS"], "generate the message headers", output, cwd=tree, env=env)
    run(["ninja", "-C", "out", "mediasoup-worker"], "compile", output, cwd=tree, env=env, progress=progress)
    return tree / "out" / "mediasoup-worker"


def run(
    command: list[str],
    step: str,
    output,
    *,
    cwd: Path | None = None,
    env=None,
    progress: Progress | None = None,
) -> None:
    """Run a command with its output in the log; ninja's counters (`[3/12]`) are passed to `progress`."""
    output.write(f"\n$ {' '.join(command)}\n")
    output.flush()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise BuildError(f"could not {step}: {error}") from error
    message = ""
    with process:
        for line in process.stdout:
            output.write(line)
            if "ERROR: " in line:
                message = f" ({line.partition('ERROR: ')[2].strip()})"
            counter = re.match(r"\[(\d+)/(\d+)\] ", line)
            if progress and counter:
                progress(f"compiling, {counter[1]} of {counter[2]} steps")
    if process.returncode != 0:
        raise BuildError(f"could not {step}{message}")
