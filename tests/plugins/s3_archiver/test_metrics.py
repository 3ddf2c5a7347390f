"""The figures of the uploads for monitoring."""

from gateway.metrics.exposition import check_metric, check_values
from plugins.s3_archiver.metrics import metrics_of
from plugins.s3_archiver.status import UPLOADING, Status

NOW = 1_750_000_000.0


def read(status):
    metrics = metrics_of(lambda: status, lambda: NOW)
    for metric in metrics:
        check_metric(metric)
    return {metric.name: check_values(metric, metric.read()) for metric in metrics}


def test_what_is_uploaded_and_what_waits():
    status = Status(UPLOADING, backlog_bytes=7, uploaded_bytes=5, failing_objects=1, oldest_at="2025-06-15T15:06:30Z")
    found = read(status)
    assert ({"state": "uploading"}, 1) in found["state"]
    assert sum(number for _, number in found["state"]) == 1
    assert (found["uploaded_bytes_total"], found["backlog_bytes"]) == ([({}, 5)], [({}, 7)])
    assert found["oldest_seconds"] == [({}, 10.0)]


def test_nothing_waits():
    assert read(Status(UPLOADING))["oldest_seconds"] == [({}, 0.0)]


def test_without_a_process_that_uploads_there_are_no_figures():
    assert not any(read(None).values())
