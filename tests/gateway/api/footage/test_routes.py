"""Dates, segments, timeline, coverage, deletion and protection in the API."""

import csv
import io

import pytest

from tests.gateway.rows import DAY, HOUR, MINUTE, SIZE, make_rows

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: 2026-06-08, a Monday, at midnight UTC.
MIDNIGHT = 1_780_876_800_000


@pytest.fixture
def rows(app, scope, box):
    """An hour of footage, five minutes without a camera, another hour."""
    made = make_rows(scope, box, name="Gate")
    made.record(MIDNIGHT, 60)
    made.note(MIDNIGHT + HOUR, MIDNIGHT + HOUR + 5 * MINUTE, "refused")
    made.record(MIDNIGHT + HOUR + 5 * MINUTE, 55, run=2)
    made.note(MIDNIGHT + 2 * HOUR, None, "stopped_by_person", by="operator", is_wanted=False)
    return made


@pytest.fixture
def url(rows):
    return f"/api/v1/recordings/devices/{rows.device_id}"


def test_dates_show_the_footage_of_each(client, url):
    found = client.get(f"{url}/dates?to=2026-06-08").json
    assert found == [
        {
            "date": "2026-06-08",
            "seconds": 6900.0,
            "wanted_seconds": 7200.0,
            "coverage": 0.9583,
            "bytes": 115 * SIZE,
            "segments": 115,
            "archived_bytes": 0,
            "away_bytes": 0,
            "gaps": 1,
        }
    ]


@one_database
def test_dates_without_a_range_are_those_from_the_oldest_footage_until_today_within_three_years(
    client, url, monkeypatch
):
    found = client.get(f"{url}/dates?to=2026-06-08").json
    assert len(found) == 1
    # Days without wanted footage are not listed.
    for days_later, expected in ((0, found), (1, found), (1097, found), (1098, [])):
        now_ms = MIDNIGHT + days_later * DAY + 5 * HOUR
        monkeypatch.setattr("gateway.api.footage.routes.now_ms", lambda now_ms=now_ms: now_ms)
        assert client.get(f"{url}/dates").json == expected, days_later


def test_dates_follow_the_time_zone(client, url):
    west = client.get(f"{url}/dates?time_zone=America/New_York&to=2026-06-08").json
    assert [day["date"] for day in west] == ["2026-06-07"]
    east = client.get(f"{url}/dates?time_zone=Asia/Tokyo&from=2026-06-01&to=2026-06-08").json
    assert [day["date"] for day in east] == ["2026-06-08"]


def test_the_files_of_a_date_are_listed(client, url):
    found = client.get(f"{url}/dates/2026-06-08/segments").json
    assert len(found) == 115
    first = found[0]
    assert first == {
        "id": first["id"],
        "start": "2026-06-08T00:00:00.000Z",
        "end": "2026-06-08T00:01:00.000Z",
        "duration_seconds": 60.0,
        "size": SIZE,
        "frames": 1500,
        "run": 1,
        "sequence": 1,
        "is_open": False,
        "place": "local",
        "url": f"{url}/segments/{first['id']}.mp4",
    }
    assert client.get(f"{url}/dates/2026-06-07/segments").json == []
    assert len(client.get(f"{url}/dates/2026-06-07/segments?time_zone=America/New_York").json) == 115


def test_a_timeline_has_spans_gaps_events_and_protections(client, url, rows):
    client.post(f"{url}/events", json={"label": "door", "at": "2026-06-08T00:10:00Z", "duration_seconds": 5})
    held = client.post(
        f"{url}/protections", json={"start": "2026-06-08T00:10:00Z", "end": "2026-06-08T00:12:00Z", "note": "theft"}
    ).json
    found = client.get(f"{url}/timeline?start=2026-06-08T00:00:00Z&end=2026-06-08T03:00:00Z").json
    assert found["resolution_seconds"] == 1.0
    assert found["spans"] == [
        {"start": "2026-06-08T00:00:00.000Z", "end": "2026-06-08T01:00:00.000Z", "coverage": 1.0},
        {"start": "2026-06-08T01:05:00.000Z", "end": "2026-06-08T02:00:00.000Z", "coverage": 1.0},
    ]
    refused, stopped = found["gaps"]
    assert (refused["start"], refused["end"]) == ("2026-06-08T01:00:00.000Z", "2026-06-08T01:05:00.000Z")
    assert (refused["reason"]["code"], refused["is_wanted"], refused["by"]) == ("refused", True, None)
    assert stopped["reason"]["message"] == "recording was stopped by operator"
    assert (stopped["by"], stopped["is_wanted"], stopped["end"]) == ("operator", False, "2026-06-08T03:00:00.000Z")
    assert found["events"] == [
        {
            "kind": "recording",
            "at": "2026-06-08T00:10:00.000Z",
            "end": "2026-06-08T00:10:05.000Z",
            "label": "door",
            "note": "",
        }
    ]
    assert found["protections"] == [{name: held[name] for name in ("id", "start", "end", "kind", "note")}]
    assert (found["oldest"], found["newest"]) == ("2026-06-08T00:00:00.000Z", "2026-06-08T02:00:00.000Z")


def test_a_timeline_over_years_is_coarse(client, url):
    found = client.get(f"{url}/timeline?start=2024-01-01T00:00:00Z&end=2026-06-09T00:00:00Z&resolution_seconds=60").json
    assert found["resolution_seconds"] % 900 == 0
    assert len(found["spans"]) == 1
    assert found["spans"][0]["coverage"] < 1


def test_times_may_have_an_offset_whose_plus_is_not_encoded(client, url):
    for plus in ("%2B", "+"):
        query = f"start=2026-06-08T02:00:00{plus}02:00&end=2026-06-08T05:00:00{plus}02:00"
        found = client.get(f"{url}/timeline?{query}").json
        assert (found["start"], len(found["spans"])) == ("2026-06-08T00:00:00.000Z", 2)


@one_database
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("timeline", "'start' is required"),
        ("timeline?start=2026-06-08T00:00:00Z", "'end' is required"),
        ("timeline?start=2026-06-08T00:00:00&end=2026-06-09T00:00:00Z", "'start' must be a time with an offset"),
        ("timeline?start=2026-06-08&end=2026-06-09T00:00:00Z", "'start' must be a time with an offset"),
        ("timeline?start=now&end=2026-06-09T00:00:00Z", "'start' must be a time such as 2026-11-22T10:00:00Z"),
        ("timeline?start=2026-02-30T00:00:00Z&end=2026-06-09T00:00:00Z", "'start' must be a time such as"),
        ("timeline?start=2026-06-09T00:00:00Z&end=2026-06-08T00:00:00Z", "'end' must be after 'start'"),
        ("timeline?start=2026-06-09T00:00:00Z&end=2026-06-09T00:00:00Z", "'end' must be after 'start'"),
        (
            "timeline?start=1971-06-09T00:00:00Z&end=2199-06-09T00:00:00Z",
            "'end' must be at most 3660 days after 'start'",
        ),
        ("timeline?start=2026-06-08T00:00:00Z&end=2026-06-09T00:00:00Z&resolution_seconds=0", "resolution_seconds"),
        ("timeline?start=2026-06-08T00:00:00Z&end=2026-06-09T00:00:00Z&resolution_seconds=nan", "resolution_seconds"),
        ("timeline?start=2026-06-08T00:00:00Z&end=2026-06-09T00:00:00Z&zoom=1", "is not a known field"),
        (
            "playlist?start=2026-06-08T00:00:00Z&end=2026-06-09T00:00:01Z",
            "'end' must be at most 24 hours after 'start'",
        ),
        ("playlist?end=2026-06-08T00:00:00Z", "'start' is required if 'end' is given"),
        ("timeline?start=2026-06-08T00:00:00Z%00&end=2026-06-09T00:00:00Z", "'start' must be a time such as"),
        ("dates?from=2026-02-30", "'from' must be a date such as 2026-11-22"),
        ("dates?from=2026-W09-1", "'from' must be a date such as 2026-11-22"),
        ("dates?from=2026-06-09&to=2026-06-08", "'to' must not be before 'from'"),
        ("dates?from=1999-01-01&to=2026-06-08", "'to' must be at most 1097 days after 'from'"),
        ("dates?from=0001-01-01", "'from' must be after 1970 and before 2200"),
        ("dates?from=2150-01-01", "'from' must not be after"),
        (
            "dates?time_zone=Berlin",
            "'time_zone' must be the IANA name of a time zone such as Europe/Berlin, not 'Berlin'",
        ),
        ("dates/2026-02-30/segments", "'date' must be a date such as 2026-11-22"),
        ("dates/today/segments", "'date' must be a date such as 2026-11-22"),
        ("dates/2026-06-08/segments?time_zone=x%00y", "'time_zone' must be the IANA name"),
        ("coverage?from=2024-01-01&to=2026-06-08", "'to' must be at most 365 days after 'from'"),
        ("coverage?format=xml", "must be one of json, csv"),
        ("events?start=2026-06-09T00:00:00Z&end=2026-06-08T00:00:00Z", "'end' must be after 'start'"),
        ("segments/1/init.mp4?tracks=none", "must be one of all, video, sound"),
    ],
)
def test_invalid_queries_get_an_exact_message(client, url, path, message):
    answer = client.get(f"{url}/{path}")
    assert answer.status_code == 422, answer.json
    assert message in f"{answer.json['message']} {answer.json['errors']}"
    assert list(answer.json["errors"]) == ["query"]


def test_coverage_lists_each_gap_of_each_day(client, url, rows):
    days = client.get(f"{url}/coverage?from=2026-06-08&to=2026-06-09").json
    assert [day["date"] for day in days] == ["2026-06-08", "2026-06-09"]
    first, second = days
    assert (first["recorded_seconds"], first["wanted_seconds"], first["coverage"]) == (6900.0, 7200.0, 0.9583)
    assert [(gap["reason"]["code"], gap["seconds"], gap["is_wanted"]) for gap in first["gaps"]] == [
        ("refused", 300.0, True),
        ("stopped_by_person", 22 * 3600.0, False),
    ]
    assert (second["wanted_seconds"], second["coverage"], second["gaps"][0]["by"]) == (0.0, None, "operator")
    assert (first["device_id"], first["device_name"]) == (rows.device_id, "Gate")


def test_coverage_is_a_table_on_request(client, url):
    by_word = client.get(f"{url}/coverage?from=2026-06-08&to=2026-06-08&format=csv&time_zone=Europe/Berlin")
    by_header = client.get(
        f"{url}/coverage?from=2026-06-08&to=2026-06-08&time_zone=Europe/Berlin", headers={"Accept": "text/csv"}
    )
    assert by_word.content_type == "text/csv; charset=utf-8; header=present"
    assert by_word.headers["Content-Disposition"] == 'attachment; filename="coverage-2026-06-08-2026-06-08.csv"'
    assert by_word.data == by_header.data
    rows = list(csv.DictReader(io.StringIO(by_word.text, newline="")))
    assert rows[0]["recorded_seconds"] == "6900.000"
    assert rows[2]["gap_start"] == "2026-06-08T03:00:00.000+02:00"
    a_day = f"{url}/coverage?from=2026-06-08&to=2026-06-08"
    assert client.get(a_day, headers={"Accept": "text/html,*/*;q=0.8"}).json[0]["date"] == "2026-06-08"


def test_coverage_of_all_devices_is_in_the_order_of_their_names(client, url, scope, box):
    make_rows(scope, box, name="Door")
    days = client.get("/api/v1/recordings/coverage?from=2026-06-07&to=2026-06-08").json
    assert [(day["device_name"], day["date"]) for day in days] == [
        ("Door", "2026-06-07"),
        ("Door", "2026-06-08"),
        ("Gate", "2026-06-07"),
        ("Gate", "2026-06-08"),
    ]
    assert client.get("/api/v1/recordings/coverage?format=csv").mimetype == "text/csv"


def test_footage_is_deleted_by_whole_segments_and_can_be_counted_before(client, url, rows):
    query = "start=2026-06-08T00:00:30Z&end=2026-06-08T00:10:00Z"
    client.post(f"{url}/protections", json={"start": "2026-06-08T00:05:10Z", "end": "2026-06-08T00:05:20Z"})
    counted = client.delete(f"{url}/footage?{query}&dry_run=true")
    assert counted.status_code == 202
    assert counted.json == {"segments": 8, "bytes": 8 * SIZE, "seconds": 480.0, "kept_protected": 1}
    assert len(client.get(f"{url}/dates/2026-06-08/segments").json) == 115
    assert client.delete(f"{url}/footage?{query}").json == counted.json
    assert len(client.get(f"{url}/dates/2026-06-08/segments").json) == 107
    gaps = client.get(f"{url}/timeline?start=2026-06-08T00:00:00Z&end=2026-06-08T01:00:00Z").json["gaps"]
    assert {(gap["reason"]["code"], gap["by"]) for gap in gaps} == {("deleted_by_person", "127.0.0.1")}
    assert gaps[0]["reason"]["message"] == "the footage was deleted by 127.0.0.1"


@one_database
@pytest.mark.parametrize(
    "query",
    [
        "",
        "start=2026-06-08T00:00:00Z",
        "start=2026-06-08T00:00:00Z&end=2026-06-07T00:00:00Z",
        "start=2026-06-08T00:00:00Z&end=2026-07-20T00:00:00Z",
        "start=2026-06-08T00:00:00Z&end=2026-06-09T00:00:00Z&dry_run=maybe",
    ],
)
def test_an_invalid_deletion_deletes_nothing(client, url, query):
    assert client.delete(f"{url}/footage?{query}").status_code == 422
    assert len(client.get(f"{url}/dates/2026-06-08/segments").json) == 115


def test_ranges_are_protected_listed_and_released(client, url, rows):
    later = client.post(f"{url}/protections", json={"start": "2026-06-08T01:00:00Z", "end": "2026-06-08T02:00:00Z"})
    first = client.post(
        f"{url}/protections", json={"start": "2026-06-08T00:00:00Z", "end": "2026-06-08T00:10:00Z", "note": "theft"}
    )
    assert (later.status_code, first.status_code) == (201, 201)
    assert (first.json["kind"], first.json["created_by"], first.json["note"]) == ("hold", "127.0.0.1", "theft")
    assert client.get(f"{url}/protections").json == [first.json, later.json]
    assert client.delete(f"{url}/protections/{first.json['id']}").status_code == 204
    assert client.delete(f"{url}/protections/{first.json['id']}").status_code == 404
    assert client.get(f"{url}/protections").json == [later.json]
    wrong = client.post(f"{url}/protections", json={"start": "2026-06-08T01:00:00Z", "end": "2026-06-08T00:00:00Z"})
    assert (wrong.status_code, wrong.json["message"]) == (422, "'end' must be after 'start'")


def test_the_protection_of_an_export_is_not_released_by_hand(client, url, rows, scope):
    from gateway import database
    from gateway.clock import utc_now
    from gateway.footage.recordings import Protection

    with database.transaction():
        protection_id = scope.insert(
            Protection,
            recording_id=rows.id,
            start_ms=MIDNIGHT,
            end_ms=MIDNIGHT + DAY,
            kind="export",
            reference="j",
            note="",
            created_by="x",
            created_at=utc_now(),
        ).execute()
    answer = client.delete(f"{url}/protections/{protection_id}")
    assert (answer.status_code, answer.json["reason"]) == (409, "protection_in_use")


def test_another_recordings_segments_and_protections_are_not_found(client, url, rows, scope, box):
    other = make_rows(scope, box)
    other_url = f"/api/v1/recordings/devices/{other.device_id}"
    segment = client.get(f"{url}/dates/2026-06-08/segments").json[0]["id"]
    range_ = {"start": "2026-06-08T01:00:00Z", "end": "2026-06-08T02:00:00Z"}
    held = client.post(f"{url}/protections", json=range_).json["id"]
    assert client.get(f"{other_url}/segments/{segment}.mp4").status_code == 404
    assert client.delete(f"{other_url}/protections/{held}").status_code == 404
    assert client.get(f"{other_url}/segments/99999999999999999999.mp4").status_code == 404
