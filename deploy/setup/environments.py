"""Installations in the checkout: .venv and node_modules from their lock files, the mediasoup worker, the built UI.

Each is rebuilt only when its inputs have changed; a stamp file in it contains their hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import system_packages
from steps import REPOSITORY, SetupError, Step, read_setting, report, run_logged

VENV = REPOSITORY / ".venv"
STAMP = ".vas-made-from"
PYTHON_VERSION = (3, 11)
NODE_VERSION = (20, 19)


def hash_of(paths: Iterable[Path]) -> str:
    """Return one hash of the names and contents of files and folders."""
    content = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                content.update(f"{file.relative_to(REPOSITORY)}\n".encode() + file.read_bytes() + b"\n")
    return content.hexdigest()


def is_made_from(folder: Path, content: str) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text() == content


def find_python() -> str:
    """Return a suitable Python with the module venv; installs one with apt if necessary. Raises SetupError."""
    found = next((path for path in candidates() if is_new_enough(path)), None)
    if found is None and system_packages.has_apt():
        system_packages.install_packages(["python3.11", "python3.11-venv"])
        found = shutil.which("python3.11")
    if found is None:
        raise SetupError(
            f"there is no Python {format_version(PYTHON_VERSION)} or newer",
            "install one so that `python3` or `python3.12` is on the path",
        )
    if subprocess.run([found, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode != 0:
        version = subprocess.run([found, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
        package = f"python{'.'.join(version.split('.')[:2])}-venv"
        if not system_packages.has_apt():
            raise SetupError(f"{found} does not have the module venv", "install it with your package manager")
        system_packages.install_packages([package])
    return found


def candidates() -> Iterable[str]:
    yield sys.executable
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        if path := shutil.which(name):
            yield path


def is_new_enough(python: str) -> bool:
    check = f"import sys; sys.exit(sys.version_info < {PYTHON_VERSION})"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def format_version(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def make_venv(lock: str) -> None:
    """Install requirements/LOCK.txt and the project itself into .venv; the lock `test` contains the lock `run`."""
    sources = ["setup.cfg", "pyproject.toml", "requirements/run.txt"]
    levels = {"run": hash_of(REPOSITORY / name for name in sources)}
    levels["test"] = hash_of(REPOSITORY / name for name in [*sources, "requirements/test.txt"])
    enough = [levels["test"]] if lock == "test" else list(levels.values())
    if any(is_made_from(VENV, level) for level in enough) and works(VENV / "bin/python"):
        report("Python packages", "up to date")
        return
    python = find_python()
    with Step("Python packages") as step:
        if not works(VENV / "bin/python"):
            shutil.rmtree(VENV, ignore_errors=True)
            run_logged([python, "-m", "venv", str(VENV)], "venv", "remove .venv and run this again")
        pip = [str(VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        remedy = "check that pip can reach its package index (`pip config list` shows it), then run this again"
        run_logged([*pip, "-r", f"requirements/{lock}.txt"], "python-packages", remedy, cwd=REPOSITORY)
        run_logged([*pip, "--no-deps", "--editable", "."], "python-project", remedy, cwd=REPOSITORY)
        (VENV / STAMP).write_text(levels[lock])
        step.note = "installed"


def works(python: Path) -> bool:
    """Whether the interpreter exists, runs, and has pip, which a moved or incomplete .venv does not."""
    return python.exists() and is_new_enough(str(python)) and (VENV / "bin/pip").exists()


def check_node() -> None:
    """Check that Node.js and npm are installed and new enough. Raises SetupError."""
    remedy = f"install Node.js {format_version(NODE_VERSION)} or newer with npm (https://nodejs.org/en/download)"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SetupError("Node.js or npm is not installed", remedy)
    text = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    if version < NODE_VERSION:
        raise SetupError(f"Node.js is {format_version(version)}, which is too old", remedy)


def install_node_modules(room: str) -> None:
    """Run `npm ci` in sfu/ or ui/ when its lock has changed."""
    folder = REPOSITORY / room
    content = hash_of([folder / "package-lock.json"])
    with Step(f"npm packages of {room}/") as step:
        if is_made_from(folder / "node_modules", content):
            step.note = "up to date"
            return
        # Without install scripts: mediasoup's would download and build its worker, which sfu/worker does faster.
        run_logged(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], f"npm-{room}",
            "check that npm can reach its registry (`npm ping`), then run this again", cwd=folder,
        )  # fmt: skip
        (folder / "node_modules" / STAMP).write_text(content)
        step.note = "installed"


def provide_worker() -> Path:
    """Return the path of mediasoup's worker: MEDIASOUP_WORKER_BIN, or the one that sfu/worker provides."""
    if given := read_setting("MEDIASOUP_WORKER_BIN"):
        if not os.access(given, os.X_OK):
            raise SetupError(f"'MEDIASOUP_WORKER_BIN' must name a program, not {given!r}", "correct it or unset it")
        return Path(given)
    command = [sys.executable, str(REPOSITORY / "sfu/worker/provide.py")]
    found = subprocess.run([*command, "--no-build"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        system_packages.install(system_packages.BUILD)
        found = subprocess.run([*command, "--no-download"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise SetupError("mediasoup's worker, which live video needs, is missing; the lines above show the reason")
    return Path(found.stdout.strip())


def build_ui() -> None:
    """Build ui/ into ui/dist when its sources have changed."""
    folder = REPOSITORY / "ui"
    sources = ["package-lock.json", "vite.config.ts", "tsconfig.json", "index.html", "build", "public", "src"]
    content = hash_of(folder / name for name in sources if (folder / name).exists())
    with Step("web pages") as step:
        if is_made_from(folder / "dist", content):
            step.note = "up to date"
            return
        run_logged(["npm", "run", "build"], "ui", "fix the errors of the compiler in ui/", cwd=folder)
        (folder / "dist" / STAMP).write_text(content)
        step.note = "built"
