"""At most three refused logins in ten minutes, whoever sends them."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import redis

from gateway.clock import FakeClock
from gateway.devices.login_budget import MAX_REFUSALS, LoginBudget
from gateway.devices.sources import parse_source
from gateway.redis_client import connect_redis

CAMERA = parse_source("rtsp://admin:pa55-w0rd@10.0.0.1/main")
SECRET = "a-secret-key-0123456789"


@pytest.fixture(params=["with Redis", "without Redis"])
def budget(request):
    """A budget in Redis, and that of a process whose Redis is away."""
    if request.param == "with Redis":
        return LoginBudget(request.getfixturevalue("client"), SECRET)
    return LoginBudget(connect_redis("redis://127.0.0.1:1/0"), SECRET)


def refuse(budget: LoginBudget, source=CAMERA, times=MAX_REFUSALS) -> int:
    """How many logins the budget lets a camera refuse, of several tries."""
    sent = 0
    for _ in range(times):
        if budget.take(source):
            sent += 1
            budget.refused(source)
    return sent


def test_three_refusals_pause_the_login_for_ten_minutes(budget):
    assert refuse(budget, times=2) == 2
    assert budget.check(CAMERA) is None
    assert refuse(budget, times=9) == 1
    ahead = budget.check(CAMERA) - datetime.now(UTC)
    assert timedelta(minutes=9) < ahead <= timedelta(minutes=10, seconds=1)
    assert budget.check(CAMERA) == budget.check(CAMERA), "the time is told alike each time"


@pytest.mark.parametrize("path", ["/sub", "/main?channel=2", ""])
def test_other_paths_of_the_camera_share_the_budget(budget, path):
    refuse(budget)
    for host in ("10.0.0.1", "10.0.0.1:554"):
        assert not budget.take(parse_source(f"rtsp://admin:pa55-w0rd@{host}{path}"))


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:other@10.0.0.1/main",
        "rtsp://viewer:pa55-w0rd@10.0.0.1/main",
        "rtsp://admin:pa55-w0rd@10.0.0.2/main",
        "rtsp://admin:pa55-w0rd@10.0.0.1:8554/main",
        "rtsps://admin:pa55-w0rd@10.0.0.1/main",
        "rtsp://admi:npa55-w0rd@10.0.0.1/main",
    ],
)
def test_another_login_is_tried_at_once(budget, url):
    refuse(budget)
    assert budget.take(parse_source(url))


def test_the_same_password_encoded_otherwise_is_the_same_login(budget):
    refuse(budget)
    assert not budget.take(parse_source("rtsp://admin:pa55%2Dw0rd@10.0.0.1/main"))


def test_a_camera_without_login_has_no_budget(budget):
    open_camera = parse_source("rtsp://10.0.0.1/main")
    assert refuse(budget, open_camera, times=20) == 20
    assert budget.check(open_camera) is None


def test_a_login_that_works_or_is_forgotten_is_not_paused(budget):
    refuse(budget, times=2)
    assert budget.take(CAMERA)
    budget.worked(CAMERA)
    assert refuse(budget, times=5) == 3
    budget.forget(CAMERA)
    assert budget.check(CAMERA) is None
    assert refuse(budget, times=5) == 3


def test_the_time_until_which_a_login_worked_is_known(budget):
    assert budget.take(CAMERA)
    assert budget.refused(CAMERA) is None
    budget.worked(CAMERA)
    until = budget.refused(CAMERA)
    assert abs(until - datetime.now(UTC)) < timedelta(minutes=1)
    budget.forget(CAMERA)
    assert budget.refused(CAMERA) == until


def test_the_end_of_an_old_session_forgives_no_refusal(budget):
    """It outlived a change of the password in the camera."""
    budget.worked(CAMERA)
    refuse(budget)
    budget.ended(CAMERA)
    assert budget.check(CAMERA) is not None
    assert not budget.take(CAMERA)


def test_the_end_of_an_old_session_does_not_prove_the_login(budget):
    budget.ended(CAMERA)
    assert [budget.take(CAMERA) for _ in range(4)] == [True] * 3 + [False]


def test_sessions_that_start_together_send_three_logins_and_wait_for_their_answers(budget):
    assert [budget.take(CAMERA) for _ in range(64)] == [True] * 3 + [False] * 61
    assert budget.check(CAMERA) is None, "nothing was refused yet"
    budget.give_up(CAMERA)
    assert [budget.take(CAMERA) for _ in range(2)] == [True, False]
    budget.worked(CAMERA)
    assert all(budget.take(CAMERA) for _ in range(64)), "the login is known to work"


def test_sessions_that_start_together_never_exceed_the_budget(client):
    budgets = [LoginBudget(client, SECRET) for _ in range(8)]
    sent = []
    threads = [threading.Thread(target=lambda b=b: sent.append(refuse(b, times=5))) for b in budgets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sum(sent) == MAX_REFUSALS


def test_processes_share_the_budget_and_redis_knows_no_password(client):
    refuse(LoginBudget(client, SECRET))
    assert not LoginBudget(client, SECRET).take(CAMERA)
    assert LoginBudget(client, "another-key-0123456789").take(CAMERA), "the names depend on the key"
    keys = client.keys("vas:login:*")
    assert keys
    stored = b"".join(keys)
    assert b"10.0.0.1" not in stored
    assert b"admin" not in stored
    assert all(client.ttl(key) > 0 for key in keys), "what is not used any more expires"


def test_a_try_whose_process_died_is_forgotten(client):
    budget = LoginBudget(client, SECRET)
    for _ in range(3):
        budget.take(CAMERA)
    (key,) = client.keys("vas:login:*:trying")
    assert 0 < client.pttl(key) <= 30_000
    client.delete(key)
    assert budget.take(CAMERA)


def test_the_pause_ends_ten_minutes_after_the_last_refusal(client):
    clock = FakeClock()
    budget = LoginBudget(connect_redis("redis://127.0.0.1:1/0"), SECRET, clock=clock)
    refuse(budget)
    clock.advance(599)
    assert not budget.take(CAMERA)
    clock.advance(2)
    assert budget.check(CAMERA) is None
    assert budget.take(CAMERA)
    refuse(LoginBudget(client, SECRET))
    (key,) = client.keys("vas:login:*:refused")
    assert 599_000 < client.pttl(key) <= 600_000


def test_refusals_count_on_when_redis_goes_away(client, monkeypatch):
    budget = LoginBudget(client, SECRET)
    refuse(budget, times=2)

    def away(*_args, **_options):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(type(client), "execute_command", away)
    monkeypatch.setattr(budget, "_take", away)
    monkeypatch.setattr(budget, "_refused", away)
    assert refuse(budget, times=5) == 1
    assert budget.check(CAMERA) is not None


@pytest.mark.parametrize("value", ["x", "9" * 40, "-1"])
def test_values_that_others_wrote_are_no_error(client, value):
    budget = LoginBudget(client, SECRET)
    refuse(budget)
    (key,) = client.keys("vas:login:*:refused")
    client.hset(key, "until", value)
    budget.check(CAMERA)
