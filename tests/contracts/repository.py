"""What the contracts look at: the files of the repository that git tracks, by room."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every tracked file that exists; all files where there is no git (a source archive)."""
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False)
    if done.returncode == 0 and done.stdout:
        names = done.stdout.decode().split("\0")
        return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())
    skipped = {"node_modules", ".venv", "var", "dist", "__pycache__", ".git"}
    return tuple(path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.parts))


def python_files(*rooms: str) -> list[Path]:
    """Tracked Python files of these rooms."""
    return [path for path in tracked_files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
