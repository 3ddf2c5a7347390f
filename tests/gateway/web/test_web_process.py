"""A running web process among clients that wait, stall, send slowly or go away: it answers everyone else."""

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.conftest import wait_until
from tests.gateway.api.snapshot_worker import FakeSnapshotWorker
from tests.gateway.web.conftest import FILE_BYTES, WRITE_SECONDS

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

#: A request that takes longer has waited for another client.
QUICK = 10
MANY = 200


def answers(web) -> bool:
    """Whether short requests and the health of the service are answered."""
    paths = ("devices", "health/live", "health")
    return all(requests.get(f"{web.url}/{path}", timeout=QUICK).status_code == 200 for path in paths)


def is_up(web) -> bool:
    try:
        return requests.get(f"{web.url}/health/live", timeout=1).ok
    except requests.RequestException:
        return False


def threads_of(web) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in web.workers())


def files_of(web) -> list[str]:
    links = [os.path.join(f"/proc/{pid}/fd", name) for pid in web.workers() for name in os.listdir(f"/proc/{pid}/fd")]
    return [os.readlink(link) for link in links if os.path.lexists(link)]


@pytest.fixture
def clients():
    """Closes all connections that it was given."""
    with ExitStack() as stack:
        yield stack.enter_context


def wait_in(web, sender, clients, count):
    """`count` players in a blocking reload."""
    waiting, query = [clients(web.connect()) for _ in range(count)], sender.next_query
    for client in waiting:
        client.get(f"{sender.playlist}?{query}")
    # Of the same lane, so it has its turn after them.
    assert requests.get(f"http://127.0.0.1:{web.port}{sender.playlist}", timeout=QUICK).status_code == 200
    return waiting


def has_reply(client, seconds: float = 0.0) -> bool:
    client.socket.settimeout(seconds or 0.001)
    try:
        return bool(client.socket.recv(1, socket.MSG_PEEK))
    except (TimeoutError, BlockingIOError):
        return False
    finally:
        client.socket.settimeout(30)


def test_many_players_wait_without_a_thread_and_are_answered_by_the_next_part(web, sender, clients):
    waiting = wait_in(web, sender, clients, MANY)
    assert answers(web)
    assert not any(has_reply(client) for client in waiting)
    assert threads_of(web) < 20
    sender.send()
    replies = [client.read_reply() for client in waiting]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert "nosniff" in replies[0].headers["x-content-type-options"]


@ON_SQLITE
def test_downloads_that_are_not_read_stop_nobody_and_are_ended(web, large_file, clients):
    stalled = [clients(web.connect(receive_bytes=4096)) for _ in range(50)]
    for client in stalled:
        client.get(large_file)
    wait_until(lambda: sum(name.endswith(".mp4") for name in files_of(web)) > 40, "the downloads have begun")
    assert answers(web)
    wait_until(lambda: not any(name.endswith(".mp4") for name in files_of(web)), "the files are closed", 15)
    for client in stalled:
        assert client.is_closed(10)


@ON_SQLITE
def test_a_download_that_is_read_slowly_but_steadily_is_complete(web, large_file):
    with web.connect(receive_bytes=65536) as client:
        client.get(large_file)
        began, size = time.monotonic(), 0
        # A little at a time, for longer than the time limit; then the rest.
        while size < FILE_BYTES and (data := client.socket.recv(1 << 20)):
            size += len(data)
            if time.monotonic() - began < 3 * WRITE_SECONDS:
                threading.Event().wait(0.05)
    assert size >= FILE_BYTES


@ON_SQLITE
def test_a_head_that_does_not_end_is_cut_off(web, clients):
    slow, silent = [clients(web.connect()) for _ in range(50)], clients(web.connect())
    for client in slow:
        client.send(b"GET /api/v1/devices HTTP/1.1\r\nHost: localhost\r\n")
    assert answers(web)
    reply = slow[0].read_reply()
    assert (reply.status, reply.json["reason"], reply.headers["connection"]) == (408, "request_timed_out", "close")
    assert all(client.is_closed(10) for client in slow)
    assert silent.is_closed(10)


@ON_SQLITE
def test_a_later_head_that_does_not_end_is_cut_off(start_web):
    web = start_web(WEB_IDLE_SECONDS=1)
    with web.connect() as client:
        client.get("/api/v1/health/live")
        assert client.read_reply().status == 200
        client.send(b"GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\nX: ")
        assert client.is_closed(10)


@ON_SQLITE
def test_a_body_that_does_not_end_is_cut_off(web, clients):
    slow = [clients(web.connect()) for _ in range(50)]
    for client in slow:
        client.send(
            b"POST /api/v1/devices HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 100\r\n\r\n{"name":'
        )
    assert answers(web)
    for client in slow:
        reply = client.read_reply()
        assert (reply.status, reply.json["reason"]) == (408, "request_timed_out")
        assert client.is_closed(5)


@ON_SQLITE
def test_a_client_that_goes_away_gives_its_place_back(start_web, sender, clients):
    web = start_web(WEB_WAITERS=2)
    waiting = wait_in(web, sender, clients, 2)
    with web.connect() as third:

        def is_refused() -> bool:
            third.get(f"{sender.playlist}?{sender.next_query}")
            if not has_reply(third, 0.5):
                return False
            return b"CAN-BLOCK-RELOAD" not in third.read_reply().body

        wait_until(is_refused, "both places are taken")
        for client in waiting:
            client.socket.close()
        wait_until(lambda: not is_refused(), "a place is free")
        sender.send()
        assert b"CAN-BLOCK-RELOAD" in third.read_reply().body


@ON_SQLITE
def test_a_new_connection_replaces_the_oldest_one_without_a_request(start_web, clients):
    web = start_web(WEB_CONNECTIONS=20, WEB_READ_SECONDS=60)
    idle = [clients(web.connect()) for _ in range(40)]
    assert answers(web)
    assert idle[0].is_closed(5)
    idle[-1].get("/api/v1/health/live")
    assert idle[-1].read_reply().status == 200


@ON_SQLITE
def test_sigterm_answers_those_who_wait_and_ends_in_time(web, sender, large_file, clients):
    waiting = wait_in(web, sender, clients, 20)
    assert answers(web)
    with web.connect(receive_bytes=65536) as download, web.connect() as idle:
        download.get(large_file)
        idle.get("/api/v1/health/live")
        idle.read_reply()
        web.terminate()
        began = time.monotonic()
        assert {client.read_reply().status for client in waiting} == {200}
        assert idle.is_closed(QUICK)
        reply = download.read_reply()
        assert (reply.status, len(reply.body)) == (200, FILE_BYTES)
        assert web.wait(10) == 0
    assert time.monotonic() - began < 5


@ON_SQLITE
def test_sigterm_does_not_wait_for_a_client_that_does_not_read(start_web, large_file, clients):
    web = start_web(WEB_WRITE_SECONDS=60)
    client = clients(web.connect(receive_bytes=4096))
    client.get(large_file)
    wait_until(lambda: any(name.endswith(".mp4") for name in files_of(web)), "the download has begun")
    web.terminate()
    assert web.wait(20) == 0


@ON_SQLITE
def test_a_worker_that_is_killed_is_replaced(web, sender, clients):
    waiting = wait_in(web, sender, clients, 20)
    (killed,) = web.workers()
    os.kill(killed, signal.SIGKILL)
    assert all(client.is_closed(5) for client in waiting)
    wait_until(lambda: web.workers() not in ([], [killed]), "another worker was started")
    wait_until(lambda: is_up(web), "another worker answers", 30)
    assert answers(web)
    (again,) = wait_in(web, sender, clients, 1)
    sender.send()
    assert again.read_reply().status == 200


@ON_SQLITE
def test_redis_that_goes_away_ends_the_waits_with_an_error(web, sender, redis_server, clients):
    waiting = wait_in(web, sender, clients, 20)
    assert answers(web)
    redis_server.stop()
    try:
        replies = [client.read_reply() for client in waiting]
        assert requests.get(f"{web.url}/devices", timeout=QUICK).status_code == 200
    finally:
        redis_server.start()
    assert {(reply.status, reply.json["reason"]) for reply in replies} == {(503, "bus_unavailable")}
    sender.send(2)
    assert requests.get(f"http://127.0.0.1:{web.port}{sender.playlist}", timeout=QUICK).status_code == 200


@ON_SQLITE
def test_redis_that_hangs_stops_only_what_needs_it(web, sender, redis_server, clients):
    waiting = wait_in(web, sender, clients, 20)
    assert answers(web)
    redis_server.freeze()
    try:
        assert requests.get(f"{web.url}/health/live", timeout=QUICK).status_code == 200
        assert {client.read_reply().status for client in waiting} == {503}
    finally:
        redis_server.thaw()


@ON_POSTGRESQL
def test_a_database_that_goes_away_does_not_end_a_wait(web, sender, postgres_server, clients):
    waiting = wait_in(web, sender, clients, 20)
    assert answers(web)
    postgres_server.stop()
    try:
        sender.send()
        assert {client.read_reply().status for client in waiting} == {200}
        assert requests.get(f"{web.url}/devices", timeout=QUICK).json()["reason"] == "database_unavailable"
        assert requests.get(f"{web.url}/health/live", timeout=QUICK).status_code == 200
    finally:
        postgres_server.start()
    wait_until(lambda: requests.get(f"{web.url}/devices", timeout=QUICK).ok, "the database is used again")


@ON_SQLITE
def test_a_capture_waits_without_a_thread_and_is_answered_in_full(start_web, sender, config, tmp_path):
    web = start_web(CAPTURES_DIR=config.captures_dir)
    path = f"{web.url}/snapshots/devices/{sender.device_id}/capture/live"
    with FakeSnapshotWorker(config) as worker:
        reply = requests.post(path, json={"tags": ["gate"]}, timeout=QUICK)
        assert (reply.status_code, reply.json()["tags"]) == (201, ["gate"])
        assert reply.headers["Location"].endswith(reply.json()["id"])
        worker.reply = lambda request: None
        with web.connect() as client:
            body = b'{"wait_seconds": 10}'
            head = (
                f"POST {path[path.index('/api') :]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            )
            client.send(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            wait_until(lambda: len(worker.asked) == 2, "the worker was asked")
            web.terminate()
            # The process stops: what would have waited becomes a job.
            assert client.read_reply().status == 202


@ON_SQLITE
def test_an_other_worker_class_serves_the_application_too(start_web, sender):
    command = [
        "gunicorn",
        "--worker-class",
        "gthread",
        "--threads",
        "4",
        "--no-control-socket",
        "gateway.app:create_app()",
    ]
    web = start_web(command=command, GUNICORN_CMD_ARGS="")
    assert answers(web)
    reply = requests.get(f"http://127.0.0.1:{web.port}{sender.playlist}?_HLS_msn=1", timeout=QUICK)
    assert reply.status_code == 200


@ON_SQLITE
def test_the_log_has_no_error_after_all_kinds_of_clients(web, sender, large_file, tmp_path, clients):
    wait_in(web, sender, clients, 10)
    with web.connect(receive_bytes=4096) as client:
        client.get(large_file)
        has_reply(client, 5)
    assert answers(web)
    sender.send()
    web.stop()
    text = Path(tmp_path / "web.log").read_text()
    assert "Traceback" not in text
    assert "ERROR" not in text
