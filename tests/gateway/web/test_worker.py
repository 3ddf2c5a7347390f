"""The worker closes the connection that does least when there are too many; and what it needs of gunicorn exists."""

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers.gasgi import ASGIWorker

from gateway.web.connection import Connection
from gateway.web.worker import WebWorker


class StubConnection:
    """Notes what is done with it."""

    def __init__(self, *, is_busy: bool = False, stalled: float = 0.0) -> None:
        self.is_busy, self._stalled, self.done = is_busy, stalled, ""

    def stalled_seconds(self, _now: float) -> float:
        return self._stalled

    def drop(self) -> None:
        self.done = "dropped"

    def refuse(self) -> None:
        self.done = "refused"


class StubLoop:
    def time(self) -> float:
        return 0.0


def fill(*connections: StubConnection) -> WebWorker:
    """A worker with one connection too many: the last one is new."""
    worker = WebWorker.__new__(WebWorker)
    worker.connections, worker.idle, worker.loop = set(), {}, StubLoop()
    worker._max_connections = len(connections) - 1
    for connection in connections:
        worker.add(connection)
        if connection.is_busy:
            worker.idle.pop(connection)
    return worker


def test_the_oldest_connection_without_a_request_makes_room():
    busy, old, young, new = StubConnection(is_busy=True), StubConnection(), StubConnection(), StubConnection()
    fill(busy, old, young, new)
    assert [each.done for each in (busy, old, young, new)] == ["", "dropped", "", ""]


def test_without_one_the_client_that_has_read_nothing_for_longest_makes_room():
    stalls = [StubConnection(is_busy=True, stalled=seconds) for seconds in (3, 9, 5)]
    fill(*stalls, new := StubConnection())
    assert [each.done for each in (*stalls, new)] == ["", "dropped", "", ""]


def test_where_all_are_at_work_the_new_connection_is_refused():
    busy = [StubConnection(is_busy=True, stalled=seconds) for seconds in (0, 1)]
    fill(*busy, new := StubConnection())
    assert [each.done for each in (*busy, new)] == ["", "", "refused"]


def test_what_is_overridden_exists_in_gunicorn():
    """Private names among them: a new version of gunicorn may rename them."""
    overridden = {
        (Connection, ASGIProtocol): ("connection_made", "connection_lost", "data_received", "resume_writing"),
        (WebWorker, ASGIWorker): ("load_wsgi", "handle_exit_signal", "handle_quit_signal", "_serve", "_shutdown"),
    }
    for (ours, theirs), names in overridden.items():
        for name in names:
            assert name in vars(ours), name
            assert hasattr(theirs, name), name
    assert "_send_error_response" in vars(ASGIProtocol)
    assert "_get_ssl_context" in vars(ASGIWorker)
