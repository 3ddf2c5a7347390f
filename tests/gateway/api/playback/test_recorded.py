"""Playlists of recordings and their media, as a player requests them."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.footage.segment_scan import scan_segment
from gateway.media import AudioInfo, SourceInfo, VideoInfo
from gateway.streams.model import claim_next_run, set_source_info
from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist
from tests.playback import NOON_MS, FootageFactory, make_clip

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"

CLIP = make_clip(seconds=6, key_seconds=2)
SOUND = make_clip(seconds=6, first_frame=1000, audio=True)
LATE = make_clip(seconds=6, first_frame=2000, audio=True, audio_from=2.5)


@pytest.fixture
def config(config, tmp_path):
    """With its own storage."""
    return replace(config, recordings_dir=tmp_path / "recordings")


@pytest.fixture
def footage(app, config, scope, device):
    return FootageFactory(config, scope, device["id"])


@pytest.fixture
def url(device):
    return f"/api/v1/recordings/devices/{device['id']}"


def spell(at_ms):
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ask(client, url, start_ms, end_ms=None, **options):
    end = "" if end_ms is None else f"&end={spell(end_ms)}"
    return client.get(f"{url}/playlist?start={spell(start_ms)}{end}", **options)


def fetch(client, url):
    """Fetch a URI of the playlist as a player does."""

    def get(uri, byte_range):
        headers = {"Range": f"bytes={byte_range[1]}-{sum(byte_range) - 1}"} if byte_range else {}
        answer = client.get(f"{url}/{uri}", headers=headers)
        assert answer.status_code == (206 if byte_range else 200), (uri, answer.text[:200])
        return answer.data

    return get


def read(answer):
    assert answer.status_code == 200, answer.text
    playlist, problems = read_playlist(answer.text)
    assert problems == []
    return playlist


def test_a_recorded_range_plays_with_every_byte_in_its_place(client, url, footage):
    footage.record(CLIP, NOON_MS + 57_000)
    footage.record(SOUND, NOON_MS + 70_000)
    answer = ask(client, url, NOON_MS, NOON_MS + 120_000)
    assert answer.mimetype == PLAYLIST_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    assert check_playlist(answer.text, fetch=fetch(client, url)) == []
    playlist = read(answer)
    assert playlist.is_ended
    assert playlist.duration == pytest.approx(12.0, abs=0.1)
    assert [segment.is_discontinuity for segment in playlist.segments].count(True) == 1


def test_a_range_up_to_the_future_grows_and_one_of_the_past_is_whole(client, url, footage):
    footage.record(CLIP, NOON_MS, is_open=True)
    growing = ask(client, url, NOON_MS + 1, NOON_MS + 1).status_code
    assert growing == 422
    past = read(ask(client, url, NOON_MS, NOON_MS + 60_000))
    assert (past.kind, past.is_ended, past.duration) == ("VOD", True, pytest.approx(6.0, abs=0.1))


def test_without_an_end_a_playlist_reaches_a_day_at_most(client, url, footage):
    footage.record(CLIP, NOON_MS)
    footage.record(SOUND, NOON_MS + 86_400_000 + 10_000)
    found = read(ask(client, url, NOON_MS))
    assert (found.is_ended, found.duration) == (True, pytest.approx(6.0, abs=0.1))


def test_the_playlist_of_a_current_recording_grows(client, url, footage):
    import time

    now_ms = time.time_ns() // 1_000_000
    footage.record(CLIP, now_ms - 6000, is_open=True)
    for end in (None, now_ms + 3_600_000):
        found = read(ask(client, url, now_ms - 6000, end))
        assert (found.kind, found.is_ended) == ("EVENT", False)
        assert 0 < found.duration < 6


def test_late_sound_is_filled_with_silence_and_no_track_comes_or_goes(client, url, footage):
    footage.record(LATE, NOON_MS)
    footage.record(CLIP, NOON_MS + 10_000)
    answer = ask(client, url, NOON_MS, NOON_MS + 60_000)
    assert check_playlist(answer.text, fetch=fetch(client, url)) == []
    playlist = read(answer)
    tracks = set()
    for uri, byte_range in {segment.map for segment in playlist.segments}:
        init = fetch(client, url)(uri, byte_range)
        tracks.add(b"soun" in init)
    assert tracks == {True}
    assert "/sound/" in playlist.segments[-1].uri


def test_playlists_have_no_sound_until_the_camera_is_known_to_send_some(client, url, footage, device):
    footage.record(CLIP, NOON_MS)
    plain = read(ask(client, url, NOON_MS, NOON_MS + 60_000))
    assert plain.segments[0].map[0].endswith("tracks=video")
    run = claim_next_run(device["id"])
    video = VideoInfo("h264", 384, 216, 25.0)
    set_source_info(device["id"], SourceInfo(video, AudioInfo("aac", 48_000, 1)), run=run, source_version=1)
    known = ask(client, url, NOON_MS, NOON_MS + 60_000)
    assert read(known).segments[0].map[0].endswith("tracks=sound")
    assert check_playlist(known.text, fetch=fetch(client, url)) == []


def test_an_empty_range_names_the_nearest_footage(client, url, footage):
    footage.record(CLIP, NOON_MS)
    footage.record(CLIP, NOON_MS + 600_000)
    answer = ask(client, url, NOON_MS + 60_000, NOON_MS + 120_000)
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert answer.json["errors"] == {
        "nearest_before": spell(NOON_MS + 6000),
        "nearest_after": spell(NOON_MS + 600_000),
    }
    assert f"there is footage until {spell(NOON_MS + 6000)}" in answer.json["message"]
    assert f"there is footage from {spell(NOON_MS + 600_000)} on" in answer.json["message"]


def test_a_long_playlist_is_compressed_for_clients_that_accept_it(client, url, footage, rows):
    rows.record(NOON_MS, 60, has_parts=True)
    plain = ask(client, url, NOON_MS, NOON_MS + 3_600_000)
    packed = ask(client, url, NOON_MS, NOON_MS + 3_600_000, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) * 5 < len(plain.data)


@pytest.fixture
def rows(footage, scope, device):
    from gateway.footage.segments import StorageRow
    from tests.gateway.rows import Rows

    return Rows(scope, device["id"], footage.recording_id, StorageRow.select().first().id)


@one_database
def test_a_segment_is_sent_whole_or_by_ranges_and_cached_indefinitely(client, url, footage):
    file = footage.record(CLIP, NOON_MS)[0]
    data = file.path.read_bytes()
    whole = client.get(f"{url}/segments/{file.id}.mp4")
    assert (whole.status_code, whole.data, whole.mimetype) == (200, data, "video/mp4")
    assert whole.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert whole.headers["Accept-Ranges"] == "bytes"
    etag = whole.headers["ETag"]
    for asked, start, end in (
        ("0-99", 0, 100),
        ("100-", 100, len(data)),
        ("-50", len(data) - 50, len(data)),
        (f"10-{len(data) * 2}", 10, len(data)),
        (f"-{len(data) + 1}", 0, len(data)),
    ):
        part = client.get(f"{url}/segments/{file.id}.mp4", headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.data) == (206, data[start:end])
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(data)}"
        assert int(part.headers["Content-Length"]) == end - start
        assert part.headers["ETag"] == etag
    head = client.head(f"{url}/segments/{file.id}.mp4")
    assert (head.status_code, head.data, int(head.headers["Content-Length"])) == (200, b"", len(data))


@one_database
def test_conditional_requests_are_honoured(client, url, footage):
    file = footage.record(CLIP, NOON_MS)[0]
    path = f"{url}/segments/{file.id}.mp4"
    etag = client.get(path).headers["ETag"]
    unchanged = client.get(path, headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", etag)
    # A proxy that compresses replies makes the ETag weak.
    assert client.get(path, headers={"If-None-Match": f"W/{etag}"}).status_code == 304
    resumed = client.get(path, headers={"Range": "bytes=5-9", "If-Range": etag})
    changed = client.get(path, headers={"Range": "bytes=5-9", "If-Range": '"another"'})
    assert (resumed.status_code, changed.status_code) == (206, 200)
    assert len(changed.data) == file.values.size


@one_database
@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-100000000"])
def test_a_range_outside_of_a_file_is_refused_with_its_size(client, url, footage, asked):
    file = footage.record(CLIP, NOON_MS)[0]
    answer = client.get(f"{url}/segments/{file.id}.mp4", headers={"Range": asked})
    assert (answer.status_code, answer.json["reason"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{file.values.size}"


@one_database
@pytest.mark.parametrize("asked", ["bytes=1-2,5-6", "lines=1-2", "bytes=x", "bytes=5-2"])
def test_an_unsupported_range_gives_the_whole_file(client, url, footage, asked):
    file = footage.record(CLIP, NOON_MS)[0]
    assert client.get(f"{url}/segments/{file.id}.mp4", headers={"Range": asked}).status_code == 200


@one_database
def test_the_open_segment_ends_at_its_indexed_end_and_is_not_cached(client, url, footage):
    file = footage.record(CLIP, NOON_MS, is_open=True)[0]
    with open(file.path, "ab") as opened:
        opened.write(b"not indexed yet")
    answer = client.get(f"{url}/segments/{file.id}.mp4")
    assert len(answer.data) == file.values.size
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


@one_database
def test_a_missing_or_truncated_file_has_its_own_reason(client, url, footage):
    cut, gone = (footage.record(CLIP, NOON_MS + number * 60_000)[0] for number in range(2))
    footage.truncate(cut, cut.values.size - 10)
    answer = client.get(f"{url}/segments/{cut.id}.mp4")
    assert (answer.status_code, len(answer.data)) == (200, cut.values.size - 10)
    assert answer.headers["Cache-Control"] == "no-store"
    offset = cut.values.size - cut.parts[-1].size
    filled = client.get(f"{url}/segments/{cut.id}/sound/{offset}-{cut.parts[-1].size}.m4s")
    assert (filled.status_code, filled.json["reason"]) == (404, "file_damaged")
    gone.path.unlink()
    lost = client.get(f"{url}/segments/{gone.id}.mp4")
    assert (lost.status_code, lost.json["reason"]) == (404, "file_missing")


@one_database
def test_an_unavailable_storage_is_told_apart_from_a_missing_file(client, url, footage, config):
    file = footage.record(CLIP, NOON_MS)[0]
    config.recordings_dir.rename(config.recordings_dir.with_name("elsewhere"))
    answer = client.get(f"{url}/segments/{file.id}.mp4")
    assert (answer.status_code, answer.json["reason"]) == (503, "storage_unmounted")


@one_database
def test_an_init_segment_comes_unchanged_without_or_with_sound(client, url, footage):
    plain, sound = footage.record(CLIP, NOON_MS)[0], footage.record(SOUND, NOON_MS + 60_000)[0]

    def init(file, tracks):
        answer = client.get(f"{url}/segments/{file.id}/init.mp4?tracks={tracks}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        return answer.data

    assert init(plain, "all") == init(plain, "video") == plain.path.read_bytes()[: plain.values.init_size]
    assert b"soun" in init(plain, "sound")
    assert init(sound, "all") == init(sound, "sound")
    assert b"soun" not in init(sound, "video")


@one_database
def test_a_range_of_filled_footage_is_read_alone(client, url, footage):
    file = footage.record(LATE, NOON_MS)[0]
    address = f"{url}/segments/{file.id}/sound/{file.values.init_size}-{sum(p.size for p in file.parts)}.m4s"
    whole = client.get(address)
    assert len(whole.data) == whole.content_length
    assert client.head(address).content_length == len(whole.data)
    answer = client.get(address, headers={"Range": "bytes=1000-50000", "If-Range": whole.headers["ETag"]})
    assert (answer.status_code, answer.data) == (206, whole.data[1000:50001])
    assert client.get(address, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert client.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416


@one_database
def test_filled_footage_is_whole_parts_only(client, url, footage):
    file = footage.record(CLIP, NOON_MS)[0]
    size, init = file.parts[0].size, file.values.init_size
    good = client.get(f"{url}/segments/{file.id}/sound/{init}-{size}.m4s")
    assert good.status_code == 200
    with_sound = client.get(f"{url}/segments/{file.id}/init.mp4?tracks=sound").data + good.data
    found = scan_segment(with_sound)
    assert (found.problem, [part.has_audio for part in found.parts]) == (None, [True])
    for offset, length, reason in (
        (0, init, "no_footage"),
        (init, 0, "no_footage"),
        (init, file.values.size, "no_footage"),
        (init + 1, size, "file_damaged"),
        (init, size - 1, "file_damaged"),
    ):
        answer = client.get(f"{url}/segments/{file.id}/sound/{offset}-{length}.m4s")
        assert (answer.status_code, answer.json["reason"]) == (404, reason)
