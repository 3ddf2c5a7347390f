"""Lint the OpenAPI document with Redocly's rules: `python -m tests.contracts.lint_openapi`, a part of `make lint`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.app import create_app
from gateway.config import Config
from tests.contracts.repository import ROOT


def write_document(folder: Path) -> Path:
    """The document of all installed plugins, as a file in `folder`."""
    # Its own database: that of `make run` may be here.
    values = {
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/vas.db",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    config = Config.from_environment(values)
    path = folder / "openapi.json"
    path.write_text(json.dumps(create_app(config).test_client().get("/api/v1/openapi.json").json), encoding="utf-8")
    return path


def lint(path: Path) -> int:
    """Redocly's exit status: 0 without an error; a warning counts as one."""
    program = ROOT / "ui" / "node_modules" / ".bin" / "redocly"
    # Nothing is sent or looked up: a lint must work without a network.
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    command = [str(program), "lint", str(path), f"--config={ROOT / 'ui' / 'redocly.yaml'}", "--format=stylish"]
    done = subprocess.run(
        command, env={**os.environ, **quiet}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    found = [line for line in done.stdout.splitlines() if " error " in line or " warning " in line]
    print("\n".join(found) or ("the document is clean" if done.returncode == 0 else done.stdout + done.stderr))
    return done.returncode or int(bool(found))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(lint(write_document(Path(folder))))
