"""The services as processes: kill -9 and a receiver that stands still lose nothing, and double no notification."""

import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from gateway import database
from gateway.app import create_app
from gateway.events.model import record_event
from gateway.plugin_loading import load_plugins
from gateway.plugin_work.migrating import migrate_plugins
from gateway.plugin_work.registrations import read_registered
from tests.conftest import wait_until
from tests.contracts.repository import ROOT
from tests.factories import SECRET_KEY, SFU_SECRET, make_device

KILLS, EVENTS_EACH = 5, 4
API = "/api/v1/notifications"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def client(config):
    plugins = load_plugins(config)
    app = create_app(config, plugins)
    (report,) = [one for one in migrate_plugins(read_registered(plugins)) if one.plugin == "notifications"]
    assert report.failed is None
    client = app.test_client()
    answer = client.put("/api/v1/plugins/notifications/options", json={"values": {"allowed_networks": ["127.0.0.0/8"]}})
    assert answer.status_code == 200, answer.json
    yield client
    database.close()


@pytest.fixture
def worker(config, client, tmp_path: Path):
    """Starts the plugins worker, which runs the services."""
    environment = {
        **os.environ,
        "VAR_DIR": str(config.var_dir),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": SECRET_KEY,
        "SFU_SECRET": SFU_SECRET,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    log = (tmp_path / "worker.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "workers", "plugins", "notifications"], cwd=ROOT, env=environment, stderr=log, stdout=log
    )
    yield process
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    process.kill()
    process.wait(10)
    log.close()
    children = children_of(process.pid)
    assert children == []


def children_of(pid: int) -> list[int]:
    """All descendants of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for name in (Path(f"/proc/{pid}/task") / str(pid) / "children").read_text().split():
            found += [int(name), *children_of(int(name))]
    return found


def post(client, path: str, body: dict) -> dict:
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code in (200, 201, 202), answer.json
    return answer.json


def test_kills_of_the_services_lose_and_double_no_notification(worker, client, receiver, scope, box, note):
    device = make_device(scope, box, name="Gate")
    channel = post(client, "channels", {"name": "Hook", "kind": "webhook", "webhook": {"url": receiver.url()}})
    secret = client.post(f"{API}/channels/{channel['id']}/rotate").json["secret"]
    post(client, "rules", {"name": "All", "kinds": ["detection"], "channel_ids": [channel["id"]], "text": "{text}"})
    post(client, f"channels/{channel['id']}/test", {})
    wait_until(lambda: receiver.received, "the services run", 60)
    expected = []
    for number in range(KILLS):
        before = len(receiver.received)
        for part in range(EVENTS_EACH):
            text = f"event {number}-{part}"
            record_event(scope.tenant_id, device.id, "detection", text, label="person")
            expected.append(text)
        if number % 2:  # while it sends; otherwise before it has read them
            wait_until(lambda before=before: len(receiver.received) > before, "something is sent", 60)
        for pid in children_of(worker.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def texts() -> collections.Counter:
        bodies = {request.headers["webhook-id"]: json.loads(request.body) for request in receiver.received}
        return collections.Counter(body["data"]["text"] for body in bodies.values() if body["type"] != "test")

    # A delivery that was under way is taken again after two minutes: here its time is over at once.
    def all_arrived() -> bool:
        with database.transaction() as db:
            db.execute_sql("UPDATE notifications_deliveries SET taken_until = NULL WHERE state = 'pending'")
        return len(texts()) == len(expected)

    wait_until(all_arrived, "every event is reported", 100)
    assert texts() == collections.Counter(expected)
    for request in receiver.received:
        Webhook(secret).verify(request.body, request.headers)
    note(f"{len(expected)} events, {KILLS} kills: {len(receiver.received)} requests, each event one message id")


def test_a_receiver_that_stands_still_delays_its_own_channel_alone(worker, client, receiver):
    stuck = post(client, "channels", {"name": "Stuck", "kind": "webhook", "webhook": {"url": receiver.url("/never")}})
    good = post(client, "channels", {"name": "Good", "kind": "webhook", "webhook": {"url": receiver.url("/ok")}})
    for _ in range(6):
        post(client, f"channels/{stuck['id']}/test", {})
    wait_until(lambda: [one for one in receiver.received if one.path == "/never"], "the stuck one is tried", 60)
    sent = post(client, f"channels/{good['id']}/test", {})
    wait_until(
        lambda: client.get(f"{API}/deliveries/{sent['id']}").json["state"] == "delivered", "the other is served", 8
    )
    waiting = client.get(f"{API}/deliveries?channel_id={stuck['id']}").json
    assert {one["state"] for one in waiting} == {"pending"}
