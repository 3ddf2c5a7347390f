"""The public surface of the product as lines of text: what others depend on by name.

`python -m tests.contracts.surface` writes it to tests/contracts/surface.txt; do so when a change of it is intended.
"""

import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.app import create_app
from gateway.config import Config, describe_settings
from gateway.hookspecs import Hooks
from tests.contracts.repository import ROOT

SURFACE = Path(__file__).with_name("surface.txt")

_LIST_ACTORS = """
import inspect, json
import workers.actors
from workers.broker import broker
print(json.dumps({a.actor_name: [a.queue_name, str(inspect.signature(a.fn))] for a in broker.actors.values()}))
"""


def describe_surface(var_dir: Path) -> list[str]:
    """Every route, operation, reason, schema, setting, message, hook and migration, one a line, sorted."""
    environment = {
        "VAR_DIR": str(var_dir), "DATABASE_URL": f"sqlite:///{var_dir}/vas.db", "REDIS_URL": "redis://127.0.0.1:1/0",
    }  # fmt: skip
    config = Config.from_environment(environment)
    document = create_app(config).test_client().get("/api/v1/openapi.json").get_json()
    return sorted(
        [
            *_describe_routes(document),
            *_describe_schemas(document),
            *_describe_settings(),
            *_describe_messages(environment),
            *_describe_hooks(),
            *_describe_migrations(),
        ]
    )


def _describe_routes(document: dict[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        shared = operations.get("parameters", [])
        for method, operation in operations.items():
            if method == "parameters":
                continue
            parameters = [_resolve(document, item) for item in (*shared, *operation.get("parameters", []))]
            names = sorted(f"{item['in']}:{item['name']}" for item in parameters)
            statuses = sorted(operation["responses"])
            yield f"route {method.upper()} {path} [{' '.join(names)}] -> {' '.join(statuses)}"
            yield f"operation {operation['operationId']} {method.upper()} {path}"


def _describe_schemas(document: dict[str, Any]) -> Iterator[str]:
    for code in document["components"]["schemas"]["Reason"]["properties"]["code"]["enum"]:
        yield f"reason {code}"
    for name, schema in document["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            required = " required" if field in schema.get("required", []) else ""
            yield f"schema {name}.{field}{required}"


def _describe_settings() -> Iterator[str]:
    for item in describe_settings():
        yield f"setting {item.name}={item.default}"


def _describe_messages(environment: dict[str, str]) -> Iterator[str]:
    done = subprocess.run(
        [sys.executable, "-c", _LIST_ACTORS],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the actors cannot be listed: {done.stderr}")
    for name, (queue, signature) in json.loads(done.stdout).items():
        yield f"message {queue}:{name}{signature}"


def _describe_hooks() -> Iterator[str]:
    for name, hook in vars(Hooks).items():
        if name.startswith(("register_", "on_")):
            yield f"hook {name}({', '.join(list(inspect.signature(hook).parameters)[1:])})"


def _describe_migrations() -> Iterator[str]:
    for path in (ROOT / "gateway/migrations").glob("[0-9]*.py"):
        yield f"migration {path.name}"


def _resolve(document: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """The parameter itself, also where the document only refers to it."""
    if "$ref" not in item:
        return item
    return document["components"]["parameters"][item["$ref"].rpartition("/")[2]]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SURFACE.write_text("\n".join(describe_surface(Path(folder))) + "\n", encoding="utf-8")
