"""Sums over devices, and series of each device only where they are asked for."""

import pytest

from gateway.clock import utc_now
from gateway.footage.recorder_status import RecorderStatus
from gateway.metrics.of_streams import (
    DeviceRow,
    Fleet,
    figure_families,
    live_families,
    output_families,
    recording_families,
    stream_families,
)
from gateway.streams.output_states import OutputState

NOW = 1_750_000_000.0


def row(key="d1", observed="running", **values):
    defaults = {"name": f"Camera {key}", "enabled": True, "desired": "running", "reason_code": None, "restarts": 2}
    return DeviceRow(key, observed=observed, **(defaults | values))


def by_name(families):
    return {family.name: {tuple(labels.values()): number for labels, number in family.samples} for family in families}


def test_streams_are_counted_by_state_and_by_the_reason_why_they_do_not_run():
    rows = [
        row("d1"),
        row("d2", "reconnecting", reason_code="refused"),
        row("d3", "reconnecting", reason_code="of a later version"),
        row("d4", "stopped", desired="stopped", reason_code="requested"),
        row("d5", "stopped", enabled=False),
    ]
    found = by_name(stream_families(Fleet(rows, per_device=False)))
    assert found["vas_devices"] == {("true",): 4, ("false",): 1}
    assert (found["vas_streams"]["running",], found["vas_streams"]["stopped",], found["vas_streams"]["failed",]) == (
        1,
        2,
        0,
    )
    assert found["vas_streams_wanted"] == {(): 3}
    assert found["vas_streams_waiting"] == {("refused",): 1, ("unknown",): 1}
    assert not [name for name in found if name.startswith("vas_device_")]
    each = by_name(stream_families(Fleet(rows, per_device=True)))
    assert each["vas_device_info"]["d1", "Camera d1"] == 1
    assert each["vas_device_stream_running"]["d2",] == 0
    assert each["vas_device_stream_restarts_total"]["d1",] == 2


def test_a_recording_that_is_wanted_and_not_written_is_counted():
    def status(observed, *, is_wanted):
        return RecorderStatus("always", observed, None, utc_now(), is_wanted)

    statuses = {
        "d1": status("recording", is_wanted=True),
        "d2": status("interrupted", is_wanted=True),
        "d3": status("off", is_wanted=False),
    }
    found = by_name(recording_families(Fleet([], per_device=True), statuses))
    assert found["vas_recordings"] == {("off",): 1, ("waiting",): 0, ("recording",): 1, ("interrupted",): 1}
    assert found["vas_recordings_missing"] == {(): 1}
    assert found["vas_device_recording"] == {("d1",): 1, ("d2",): 0, ("d3",): 0}


LIVE = {
    "d1": {"viewers": 2, "bitrate_kbps": 800, "fps": 25.0, "last_part_at": NOW - 1.5, "lost_packets": 3},
    "d2": {"viewers": 1, "bitrate_kbps": None},
    "d3": {},
}


def test_live_statistics_are_sums_in_base_units():
    found = by_name(live_families(Fleet([], per_device=False), LIVE, NOW))
    assert found == {"vas_stream_viewers": {(): 3}, "vas_stream_receive_bytes_per_second": {(): 100_000}}
    each = by_name(live_families(Fleet([], per_device=True), LIVE, NOW))
    assert each["vas_device_last_part_age_seconds"] == {("d1",): 1.5}
    assert each["vas_device_receive_bytes_per_second"] == {("d1",): 100_000}
    assert each["vas_device_lost_packets_total"] == {("d1",): 3}


def output(name="recorder", state="running", lag=0.5):
    return OutputState(name, "bell", state, None, NOW, lag, "w1", NOW)


def test_outputs_are_counted_by_state_with_the_longest_lag():
    outputs = {"d1": [output(), output("bell", "failed", None)], "d2": [output(lag=4.0)]}
    found = by_name(output_families(Fleet([], per_device=False), outputs))
    assert found["vas_outputs"]["recorder", "running"] == 2
    assert found["vas_outputs"]["bell", "failed"] == 1
    assert found["vas_output_lag_seconds"] == {("recorder",): 4.0}
    each = by_name(output_families(Fleet([], per_device=True), outputs))
    assert each["vas_device_output_lag_seconds"] == {("d1", "recorder"): 0.5, ("d2", "recorder"): 4.0}


def figures(**values):
    return {"outputs": [{"name": "ring", "plugin": "Door-Bell", "figures": values}]}


def test_the_numbers_that_outputs_report_are_shown_without_work_of_the_author():
    live = {"d1": figures(rings=2, mood="good"), "d2": figures(rings=3, volume=0.5)}
    assert by_name(figure_families(live, per_device=False)) == {
        "vas_plugin_door_bell_rings": {("ring",): 5},
        "vas_plugin_door_bell_volume": {("ring",): 0.5},
    }
    each = by_name(figure_families(live, per_device=True))
    assert each["vas_plugin_door_bell_device_rings"] == {("d1", "ring"): 2, ("d2", "ring"): 3}


@pytest.mark.parametrize(
    "stats",
    [
        {"outputs": None},
        {"outputs": [{"name": None, "plugin": "bell", "figures": {"a": 1}}]},
        {"outputs": [{"name": "ring", "plugin": None, "figures": {"a": 1}}]},
        figures(**{"Bad name": 1, "a-b": 2, "x" * 61: 3, "flag": True, "text": "7", "large": 1e300}),
    ],
)
def test_what_is_no_figure_is_left_out(stats):
    assert by_name(figure_families({"d1": stats}, per_device=True)) == {}
