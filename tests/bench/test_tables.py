"""The tables compare with the best peer, and say which peer does not play a camera."""

import pytest

from bench import cost, first_frame, latency
from bench.processes import Usage


def readings(delay, count=100):
    return [[0.0, 0.0, delay - 1, delay] for _ in range(count)]


def rows_of(table):
    return {row[0]: dict(zip(table.head[1:], row[1:], strict=True)) for row in table.rows}


def test_latency_is_relative_to_the_peer_with_the_lowest_figure():
    found = {latency.OURS[0]: readings(55.0), "go2rtc": readings(50.0), "MediaMTX": readings(60.0)}
    rows = rows_of(latency.build_table("H.264", found, {}))
    assert rows["VAS, its player"]["median relative to the best peer"] == "1.10 x"
    assert rows["MediaMTX"]["median relative to the best peer"] == "1.20 x"
    assert rows["VAS, its player"]["budget, or why not shown"] == latency.BUDGET


def test_a_peer_that_shows_few_of_the_pictures_is_not_the_best():
    found = {latency.OURS[0]: readings(55.0), "go2rtc": readings(5.0, count=10), "MediaMTX": readings(50.0)}
    rows = rows_of(latency.build_table("H.264", found, {}))
    assert rows["VAS, its player"]["p95 relative"] == "1.10 x"
    assert rows["go2rtc"]["budget, or why not shown"] == "shows only 10% of the pictures"


def test_without_a_peer_that_plays_the_camera_there_is_no_ratio():
    table = latency.build_table("H.265", {latency.OURS[0]: readings(55.0)}, {"go2rtc": "no picture"})
    rows = rows_of(table)
    assert rows["VAS, its player"]["median relative to the best peer"] == "-"
    assert rows["go2rtc"]["budget, or why not shown"] == "no picture"
    assert {len(row) for row in table.rows} == {len(table.head)}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Page.wait_for_function: Timeout 30000ms exceeded.\nCall log", "no picture"),
        ("Page.evaluate: Error: WHEP answered 500: a | b\n  at x", "WHEP answered 500: a / b"),
        ("Page.evaluate: Error: " + "x" * 200, "x" * 69 + "…"),
    ],
)
def test_a_refusal_is_one_short_line(message, reason):
    assert latency.format_refusal(message) == reason


def test_first_pictures_are_relative_to_the_quickest_peer():
    ours = [{"connect": 10.0, "first-picture": 110.0, "first-live-frame": 510.0}]
    slow, quick = (
        [{"firstFrameMs": 900.0, "startMs": 100.0, "offerMs": 120.0}],
        [{"firstFrameMs": 300.0, "startMs": 100.0, "offerMs": 120.0}],
    )
    rows = first_frame.build_rows("2", {"first": ours, "again": ours, "slow": slow, "quick": quick})
    assert [row[0] for row in rows] == ["2 s, first visit", "2 s, again", "2 s, slow", "2 s, quick"]
    assert rows[0][4:6] == ["0.50 x", "2.50 x"]
    assert rows[2][4] == "4.00 x"
    assert first_frame.build_rows("2", {"first": ours, "again": ours})[0][4] == "-"
    assert {len(row) for row in rows} == {8}


def usage(cpu, pss):
    return Usage(40.0, {"all": cpu}, {"all": pss}, {"all": 0.0}, 50.0, 3.0, False)


def test_costs_stand_beside_those_of_every_peer():
    ours = {1: usage(5.0, 125.0), 10: usage(23.0, 350.0)}
    theirs = {"MediaMTX, recording": {1: usage(1.0, 30.0), 10: usage(10.0, 60.0)}}
    rows = rows_of(cost.build_shares(ours, theirs))
    assert rows["VAS"]["CPU % per camera"] == "2.00"
    assert rows["MediaMTX, recording"]["CPU % per camera"] == "1.00"
    assert rows["VAS relative to MediaMTX, recording"]["CPU % per camera"] == "2.00 x"
    table = cost.build_peers_table(
        {"MediaMTX, recording": {10: cost.PeerUsage(usage(10.0, 60.0), recorded_mb=200.4, dropped=0)}}
    )
    assert table.rows == [["MediaMTX, recording, 10 cameras", "10.0", "1.00", "60", "200", "0", "3"]]
