"""What is written is read by Prometheus's own parser as it was meant; what it could not read is refused."""

import itertools
import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics.exposition import MOST_SERIES, Family, MetricRefused, check_metric, check_values, write_text
from gateway.plugin_surface import Metric


def metric(name="temperature_celsius", kind="gauge", **values):
    return Metric(name, kind, values.pop("help", "How warm."), values.pop("read", lambda: 1), **values)


def parse(text):
    return {
        family.name: [(sample.name, sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_prometheus_reads_what_is_written():
    text = write_text(
        [
            Family("vas_b_total", "All\nof it \\ them.", [({}, 12345678901234567)], "counter"),
            Family("vas_a", "Some.", [({"name": 'a "b" \\ \n c', "other": "Tür 7"}, 0.25), ({"name": "d"}, -3)]),
            Family("vas_empty", "Nothing.", []),
        ]
    )
    assert parse(text) == {
        "vas_a": [("vas_a", {"name": 'a "b" \\ \n c', "other": "Tür 7"}, 0.25), ("vas_a", {"name": "d"}, -3)],
        "vas_b": [("vas_b_total", {}, 12345678901234567)],
    }
    assert text.index("vas_a") < text.index("vas_b_total")
    assert "vas_empty" not in text


def test_an_unpaired_surrogate_is_replaced():
    text = write_text([Family("vas_a", "Some.", [({"name": "a\ud800b"}, 1)])])
    assert 'name="a\ufffdb"' in text
    text.encode("utf-8")


@pytest.mark.parametrize(
    "good",
    [
        metric(),
        metric("pictures_total", "counter"),
        metric("sent_bytes_total", "counter", unit="bytes"),
        metric("seconds", unit="seconds"),
        metric("device_lag_seconds", per_device=True, unit="seconds"),
    ],
)
def test_metrics_that_follow_the_conventions_are_accepted(good):
    check_metric(good)


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ("temperature", "must return Metric objects, not str"),
        (metric("Temperature"), "lower-case"),
        (metric("a__b"), "lower-case"),
        (metric("a-b"), "lower-case"),
        (metric("a\n"), "lower-case"),
        (metric("a" * 101), "at most 100"),
        (metric(None), "lower-case"),
        (metric(kind="histogram"), "must be 'counter' or 'gauge', not 'histogram'"),
        (metric("pictures", "counter"), "must end with '_total'"),
        (metric("pictures_total"), "if, and only if, it is a counter"),
        (metric("pictures_count"), "must not end with one of _count"),
        (metric("pictures_sum_total", "counter"), "must not end with one of"),
        (metric(help=""), "help of metric"),
        (metric("time_ms", unit="seconds"), "must end with its unit 'seconds'"),
        (metric("timeseconds", unit="seconds"), "must end with its unit"),
        (metric(unit="m/s"), "must be a word"),
        (metric(read=3), "must be a function"),
    ],
)
def test_metrics_that_break_them_are_refused(bad, part):
    with pytest.raises(MetricRefused) as refused:
        check_metric(bad)
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        (3, [({}, 3)]),
        (True, [({}, 1)]),
        ([], []),
        ([({"a": "b"}, 2.5)], [({"a": "b"}, 2.5)]),
        ((({"a": str(number)}, number) for number in range(2)), [({"a": "0"}, 0), ({"a": "1"}, 1)]),
    ],
)
def test_a_number_or_pairs_of_labels_and_number_are_series(value, expected):
    assert check_values(metric(), value) == expected


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("7", "must be a number or a list of pairs"),
        ([1, 2], "must be a number or a list of pairs"),
        (object(), "must be a number or a list of pairs"),
        (math.nan, "nan is not a finite number"),
        ([({}, math.inf)], "inf is not a finite number"),
        ([({}, "7")], "'7' is not a finite number"),
        ([({}, None)], "None is not a finite number"),
        ([("a", 1)], "must be a dictionary"),
        ([({"a-b": "c"}, 1)], "'a-b' cannot be the name of a label"),
        ([({"__name__": "c"}, 1)], "cannot be the name of a label"),
        ([({1: "c"}, 1)], "cannot be the name of a label"),
        ([({"a": 1}, 1)], "label 'a' must be a text"),
        ([({"a": "x" * 201}, 1)], "of at most 200 characters"),
        ([({f"a{number}": "" for number in range(11)}, 1)], "at most 10"),
        ([({"a": "b"}, 1), ({"a": "b"}, 2)], "the labels {a='b'} twice"),
        ((({"a": str(number)}, 1) for number in itertools.count()), f"more than {MOST_SERIES} series"),
    ],
)
def test_what_cannot_be_a_series_is_refused(value, part):
    with pytest.raises(MetricRefused) as refused:
        check_values(metric(), value)
    assert part in str(refused.value)


def test_a_counter_is_never_negative():
    with pytest.raises(MetricRefused, match="a counter cannot be -1"):
        check_values(metric("pictures_total", "counter"), -1)


def test_each_number_of_a_metric_per_device_names_its_device():
    with pytest.raises(MetricRefused, match="needs the label 'device'"):
        check_values(metric(per_device=True), [({"camera": "7"}, 1)])


def test_a_label_shows_no_password_of_an_address():
    ((labels, _),) = check_values(metric(), [({"source": "rtsp://viewer:pa55@camera/1"}, 1)])
    assert "pa55" not in labels["source"]
