"""The archiver in the real plugins worker: configured by the API, it uploads, reports, and tests its connection."""

import os
import subprocess
import sys

import pytest

from gateway import database
from gateway.app import create_app
from gateway.archive.storage import open_footage
from gateway.plugin_loading import load_plugins
from gateway.plugin_manager import collect
from gateway.plugin_work.migrating import migrate_plugins
from gateway.plugin_work.registrations import read_registered
from gateway.storage.local import ensure_storage
from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.factories import SECRET_KEY, SFU_SECRET
from tests.footage import NOON_MS, make_footage, segment_bytes
from tests.stack.object_store import ACCESS_KEY, S3Server
from tests.stack.object_store import SECRET_KEY as S3_SECRET

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

URL = "/api/v1/plugins/s3_archiver"


@pytest.fixture
def server(tmp_path):
    made = S3Server(tmp_path / "s3").create()
    yield made
    made.close()


@pytest.fixture
def client(config):
    database.connect(config)
    plugins = load_plugins(config)
    (report,) = [report for report in migrate_plugins(read_registered(plugins)) if report.plugin == "s3_archiver"]
    assert report.failed is None
    yield create_app(config, plugins).test_client()
    database.close()


@pytest.fixture
def worker(config, client, tmp_path):
    environment = {
        **os.environ,
        "VAR_DIR": str(config.var_dir),
        "RECORDINGS_DIR": str(config.recordings_dir),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": SECRET_KEY,
        "SFU_SECRET": SFU_SECRET,
    }
    with open(tmp_path / "worker.log", "ab") as log:
        command = [sys.executable, "-m", "workers", "plugins", "s3_archiver"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
    yield process
    process.terminate()
    process.wait(20)


def test_configured_by_the_api_it_archives_and_says_so(config, client, scope, server, worker, tmp_path):
    footage = make_footage(scope, ensure_storage(config))
    footage.add(NOON_MS)
    values = {
        "bucket": server.bucket,
        "endpoint": server.url,
        "allow_http": True,
        "prefix": "site",
        "access_key": ACCESS_KEY,
        "secret_key": S3_SECRET,
    }
    etag = client.get(f"{URL}/options").headers["ETag"]
    answer = client.put(f"{URL}/options", json={"values": values}, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.json
    assert S3_SECRET not in answer.text

    job_id = client.post(f"{URL}/test").json["job_id"]
    wait_until(
        lambda: client.get(f"/api/v1/jobs/{job_id}").json["state"] in ("done", "failed"), "the test has ended", 30
    )
    job = client.get(f"/api/v1/jobs/{job_id}").json
    assert job["result"]["data"]["is_ok"] is True, job

    key = footage.key(NOON_MS)
    wait_until(lambda: footage.segments()[0].is_archived, "the segment has a copy", 30)
    assert server.read(f"site/{key}") == segment_bytes()
    wait_until(lambda: client.get(f"{URL}/status").json["state"] == "idle", "it says that it is done", 20)
    assert client.get(f"{URL}/status").json["uploaded_objects"] == 1
    wait_until(
        lambda: client.get("/api/v1/health").json["components"]["s3_archiver"]["status"] == "ok", "its health is ok", 20
    )

    plugins = load_plugins(config)
    both_tiers = open_footage(config, lambda: collect(plugins, "register_archives"))
    footage.storage.delete(key)
    assert b"".join(both_tiers.read(key)) == segment_bytes()
    assert b"".join(both_tiers.read(key, 100, 50)) == segment_bytes()[100:150]

    server.stop()
    footage.add(NOON_MS + 60_000, sequence=5)
    wait_until(lambda: client.get(f"{URL}/status").json["state"] == "failing", "it says that it waits", 30)
    health = client.get("/api/v1/health").json["components"]["s3_archiver"]
    assert (health["status"], health["reason"].partition(";")[0]) == ("degraded", "nothing answers at the endpoint")
    server.start()
    client.post(f"{URL}/retry")
    wait_until(lambda: footage.segments()[1].is_archived, "the second segment has a copy", 30)
    assert S3_SECRET not in (tmp_path / "worker.log").read_text()
