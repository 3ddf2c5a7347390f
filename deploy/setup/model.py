"""The model of the detector `objects`: taken from a package of npm, checked, and kept in ~/.cache/vas/models.

SSD MobileNetV2, trained on Open Images by Google (Apache-2.0), is part of @mediapipe/objectron. Its file in the cache
has its SHA-256 as name, so that other versions of this checkout find theirs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from steps import Step, report

PACKAGE = "@mediapipe/objectron@0.4.1675468480"
ASSETS = "package/objectron_solution_packed_assets.data"
# The file of labels is before it.
BEGIN, END = 184, 9_987_912
# The same in plugins/ai_analytics/detectors/model_files.py.
SHA256 = "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
SECONDS = 300


def model_path() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "vas" / "models" / f"{SHA256}.tflite"


def provide_model() -> None:
    """Fetch the model unless it is there. Without it everything runs but the detector `objects`, which says so."""
    path = model_path()
    if path.is_file() and is_right(path.read_bytes()):
        report("model of the object detector", "up to date")
        return
    with Step("model of the object detector") as step:
        try:
            keep(fetch(), path)
            step.note = "installed"
        except (OSError, subprocess.SubprocessError, ValueError, tarfile.TarError, KeyError) as error:
            step.note = f"left out: {error}; check that npm can reach its registry (`npm ping`)"


def fetch() -> bytes:
    """Return the model out of the package. Raises ValueError for another one."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            data = package.extractfile(ASSETS).read()[BEGIN:END]
    if not is_right(data):
        raise ValueError(f"what {PACKAGE} contains is another model")
    return data


def keep(data: bytes, path: Path) -> None:
    """Store the model under its name, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)


def is_right(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256
