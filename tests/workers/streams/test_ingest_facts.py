"""What people read of a session with a camera."""

import pytest

from gateway.redis_client import connect_redis
from gateway.states import reason_for
from gateway.streams.live_stats import LiveStats
from workers.ingest.ingest import IngestFacts
from workers.streams.ingest_facts import describe_ingest


def test_notes_name_what_is_left_out_the_clock_and_the_sub_stream():
    facts = IngestFacts(
        notes=("without sound: its codec 'g726' is not supported",),
        rate=0.843,
        sub_problem=reason_for("not_found"),
        transport="udp",
        lost_packets=7,
        ffmpeg_restarts=1,
    )
    found = describe_ingest(facts)
    assert found["notes"] == [
        "without sound: its codec 'g726' is not supported",
        "the camera's clock runs at 0.84 of the real speed: the arrival of packets counts",
        "without sub-stream: the camera has no stream at this path",
    ]
    assert (found["transport"], found["lost_packets"], found["ffmpeg_restarts"]) == ("udp", 7, 1)


@pytest.mark.parametrize("rate", [1.0, 0.995, 1.0099])
def test_a_clock_that_is_nearly_right_is_not_noted(rate):
    assert describe_ingest(IngestFacts(rate=rate))["notes"] == []


def test_what_a_camera_says_is_bounded_and_accepted(redis_url):
    facts = IngestFacts(notes=("x" * 5000,) * 500, server="y" * 5000)
    found = describe_ingest(facts)
    stats = LiveStats(connect_redis(redis_url))
    stats.write("d1", found)
    assert stats.read_many(["d1"])["d1"] == found
    assert len(str(found)) < 10_000
