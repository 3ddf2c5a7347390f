"""The problems of plugins in all processes are reported, each once; what is no report is refused."""

import json

import pytest

from gateway.isolation.problems import ProblemReports, Problems
from gateway.redis_client import connect_redis
from gateway.redis_values import read_refusals


@pytest.fixture
def client(redis_url):
    client = connect_redis(redis_url)
    yield client
    client.close()


def test_a_problem_lasts_until_it_is_cleared():
    now = 10.0
    problems = Problems(lambda: now)
    assert problems.note("bad", "wanted", "it hangs")
    now = 15.0
    assert not problems.note("bad", "wanted", "it hangs still")
    (found,) = problems.list()
    assert (found.plugin, found.state, found.reason, found.seconds) == ("bad", "degraded", "it hangs still", 5.0)
    assert problems.clear("bad", "wanted")
    assert not problems.clear("bad", "wanted")


def test_the_same_problem_of_several_processes_is_one(client):
    problems = Problems()
    problems.note("bad", "load", "no such file", state="failed", remedy="reinstall it")
    for worker in ("w1", "w2"):
        ProblemReports(client).report("stream", worker, problems.list())
    (found,) = ProblemReports(client).read()
    assert (found.process, found.state, found.remedy) == ("stream", "failed", "reinstall it")
    for worker in ("w1", "w2"):
        ProblemReports(client).report("stream", worker, [])
    assert ProblemReports(client).read() == []


@pytest.mark.parametrize("garbage", [b"x", b"{}", b'{"problems": 1}', json.dumps({"problems": [{"plugin": 1}]})])
def test_what_is_no_report_is_refused(client, garbage):
    client.set("vas:plugin-problems:stream:w1", garbage)
    assert ProblemReports(client).read() == []
    assert read_refusals(client) == {"plugin's problem": 1}
