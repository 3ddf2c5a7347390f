"""Live statistics are replaced as a whole and expire by themselves."""

from gateway.redis_client import connect_redis
from gateway.streams.live_stats import LIVE_TTL_SECONDS, LiveStats


def test_the_last_written_statistics_are_read(redis_url):
    client = connect_redis(redis_url)
    live = LiveStats(client)
    live.write("d1", {"fps": 25.0, "viewers": 2})
    live.write("d1", {"fps": 24.0})
    live.write("d2", {"outputs": [{"name": "x"}]})
    assert live.read_many(["d1", "d2", "d3"]) == {"d1": {"fps": 24.0}, "d2": {"outputs": [{"name": "x"}]}}
    assert live.read_many([]) == {}
    assert 0 < client.ttl("vas:live:d1") <= LIVE_TTL_SECONDS
    live.forget("d1")
    assert live.read_many(iter(["d1"])) == {}
    client.close()
