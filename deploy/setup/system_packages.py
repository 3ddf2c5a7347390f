"""Packages needed from the operating system, and their installation with apt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from steps import REPOSITORY, SetupError, Step, report, run_logged


@dataclass(frozen=True)
class Need:
    """A group of Debian packages for one purpose.

    `programs` maps a package to its program: the package is not needed if the program is on the path already.
    """

    purpose: str
    packages: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()


RUN = Need(
    "to run",
    programs=(("ffmpeg", "ffmpeg"), ("redis-server", "redis-server"), ("util-linux", "setpriv")),
)
BUILD = Need(
    "to build mediasoup's worker",
    packages=(
        "g++", "pkg-config", "libssl-dev", "libuv1-dev", "libsrtp2-dev", "libusrsctp-dev", "libabsl-dev",
        "libflatbuffers-dev", "flatbuffers-compiler",
    ),
)  # fmt: skip
DEMO = Need(
    "for the demo cameras",
    packages=(
        "python3-gi", "python3-cairo", "gir1.2-gstreamer-1.0", "gir1.2-gst-plugins-base-1.0",
        "gir1.2-gst-rtsp-server-1.0", "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good",
        "gstreamer1.0-plugins-bad", "gstreamer1.0-plugins-ugly", "gstreamer1.0-libav", "fonts-dejavu-core",
    ),
)  # fmt: skip
TEST = Need(
    "to test",
    packages=("postgresql", "libc6-dev"),
    programs=(("chromium", "chromium"), ("gcc", "gcc"), ("mosquitto", "mosquitto_passwd")),
)
BENCH = Need("for the peer and the film of the benchmarks", packages=("opencv-doc",), programs=(("janus", "janus"),))


def install(*needs: Need) -> None:
    """Install missing packages. Without apt, list them and continue: the programs may come from another source."""
    missing = [package for need in needs for package in missing_packages(need)]
    purposes = ", ".join(need.purpose for need in needs)
    if not missing:
        report(f"system packages {purposes}", "all installed")
        return
    if not has_apt():
        print(
            f"  This system has no apt. Needed {purposes} is the equivalent of these Debian packages:\n"
            f"    {' '.join(missing)}\n"
            "  Continuing with the programs that are installed."
        )
        return
    install_packages(missing)


def has_apt() -> bool:
    return shutil.which("apt-get") is not None and shutil.which("dpkg-query") is not None


def missing_packages(need: Need) -> list[str]:
    missing = [package for package, program in need.programs if shutil.which(program) is None]
    if not need.packages:
        return missing
    if not has_apt():
        return [*missing, *need.packages]
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *need.packages],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [*missing, *(package for package in need.packages if package not in installed)]


def install_packages(packages: list[str]) -> None:
    """Install packages with apt, as root. Raises SetupError."""
    command = ["sh", str(REPOSITORY / "deploy/setup/apt-install.sh"), *packages]
    remedy = f"run `apt-get update && apt-get install {' '.join(packages)}` as root, then run this again"
    if os.geteuid() != 0:
        ask_for_root(packages)
        command = ["sudo", "-n", *command]
    with Step(f"installing {len(packages)} system packages") as step:
        run_logged(command, "system-packages", remedy)
        step.note = "installed"


def ask_for_root(packages: list[str]) -> None:
    """Let sudo ask for the password before progress is shown. Raises SetupError."""
    remedy = f"as root run `apt-get update && apt-get install {' '.join(packages)}`, then run this again"
    if shutil.which("sudo") is None:
        raise SetupError("system packages are missing, and sudo is not available to install them", remedy)
    print(f"  sudo is needed to install: {' '.join(packages)}")
    ask = ["sudo", "-v"] if sys.stdin.isatty() else ["sudo", "-n", "-v"]
    if subprocess.run(ask, check=False).returncode != 0:
        raise SetupError("sudo did not allow the installation of system packages", remedy)
