"""A snapshot shows the requested frame; a failure has a clear reason."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gateway import database
from gateway.captures.queue import CaptureAnswer
from gateway.captures.snapshots import Snapshot, SnapshotTag
from gateway.storage.interface import StorageUnavailable
from gateway.streams.model import request_start
from tests.playback import NOON_MS, make_clip
from workers.captures.picture_sources import NoPicture
from workers.captures.pictures import PictureDamaged
from workers.ffmpeg.fmp4 import Fragment

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FRAME_MS = 40


def test_a_live_snapshot_is_the_newest_key_frame_on_the_bus_with_its_moment(camera):
    camera.send(make_clip(seconds=5, key_seconds=2))
    row = camera.take(tags=("gate", "north", "gate"), note="a van", created_by="Ann")
    assert camera.number(row) == 100
    assert (row.at_ms, row.kind, row.note, row.created_by, row.version) == (NOON_MS + 4000, "live", "a van", "Ann", 1)
    assert (row.width, row.height) == (384, 216)
    assert row.size == camera.files()[0].stat().st_size
    with database.session():
        assert {tag.tag for tag in camera.scope.select(SnapshotTag)} == {"gate", "north"}
    ((hook, values),) = camera.facts
    assert (hook, values["device_id"]) == ("on_snapshot", camera.device_id)
    assert (values["snapshot"].id, values["snapshot"].path) == (row.id, str(camera.files()[0]))


@on_sqlite
def test_an_exact_live_snapshot_is_the_newest_frame_of_all(camera):
    camera.send(make_clip(seconds=5, key_seconds=2))
    row = camera.take(accuracy="exact")
    assert (camera.number(row), row.at_ms) == (124, NOON_MS + 124 * FRAME_MS)


@on_sqlite
def test_an_exact_live_snapshot_is_not_the_key_frame_that_was_taken_just_before(camera):
    # The newest group of pictures has only one part.
    camera.send(make_clip(seconds=2.4, key_seconds=2))
    assert [camera.number(camera.take(accuracy=accuracy)) for accuracy in ("key_frame", "exact")] == [50, 59]


@on_sqlite
@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 2), ("h265", 0)])
def test_a_historical_snapshot_is_exact_to_the_frame(camera, codec, b_frames):
    camera.footage.record(make_clip(seconds=4, key_seconds=2, codec=codec, b_frames=b_frames, first_frame=7), NOON_MS)
    for number in (0, 1, 12, 13, 49, 50, 51, 99):
        row = camera.take(NOON_MS + number * FRAME_MS + 17)
        assert (camera.number(row), row.at_ms) == (7 + number, NOON_MS + number * FRAME_MS)


@on_sqlite
def test_a_historical_key_frame_is_the_last_one_before_the_moment(camera):
    camera.footage.record(make_clip(seconds=6, key_seconds=2), NOON_MS)
    for at_ms, number in ((0, 0), (1999, 50), (1990, 0), (2000, 50), (5990, 100)):
        row = camera.take(NOON_MS + at_ms, "key_frame")
        assert (camera.number(row), row.at_ms) == (number, NOON_MS + number * FRAME_MS), at_ms


@on_sqlite
def test_unrecorded_footage_is_taken_from_the_bus_exact_to_the_frame(camera):
    camera.send(make_clip(seconds=5, key_seconds=2))
    row = camera.take(NOON_MS + 3333)
    assert (camera.number(row), row.at_ms) == (83, NOON_MS + 83 * FRAME_MS)


@on_sqlite
def test_footage_that_is_not_indexed_yet_is_taken_from_the_bus(camera):
    clip = make_clip(seconds=5, key_seconds=2)
    camera.footage.record(clip, NOON_MS, without=range(6, 10), is_open=True)
    camera.send(clip)
    assert camera.number(camera.take(NOON_MS + 3100)) == 77
    assert camera.number(camera.take(NOON_MS + 2990)) == 74


@on_sqlite
def test_footage_of_the_present_moment_is_waited_for(camera):
    clip = make_clip(seconds=5, key_seconds=2)
    parts = camera.send(clip, without=range(8, 10))
    late = threading.Timer(0.2, lambda: camera.send(clip, without=range(0, 8)))
    late.start()
    row = camera.take(round(parts[-1].end * 1000) + 300)
    late.join()
    assert camera.number(row) == 107


@on_sqlite
def test_a_moment_without_footage_names_the_nearest(camera):
    camera.footage.record(make_clip(seconds=4), NOON_MS)
    camera.footage.record(make_clip(seconds=4), NOON_MS + 20_000)
    with pytest.raises(NoPicture) as raised:
        camera.take(NOON_MS + 10_000)
    error = raised.value
    assert (error.reason, error.nearest_before_ms, error.nearest_after_ms) == (
        "no_footage",
        NOON_MS + 4000,
        NOON_MS + 20_000,
    )
    with pytest.raises(NoPicture) as raised:
        camera.take(NOON_MS - 10_000)
    assert (raised.value.nearest_before_ms, raised.value.nearest_after_ms) == (None, NOON_MS)
    assert not camera.files()


@on_sqlite
def test_a_hole_that_is_too_short_for_a_gap_shows_the_frame_before_it(camera):
    camera.footage.record(make_clip(seconds=2), NOON_MS)
    camera.footage.record(make_clip(seconds=2, first_frame=500), NOON_MS + 2150)
    assert camera.number(camera.take(NOON_MS + 2100)) == 49
    assert camera.number(camera.take(NOON_MS + 2150)) == 500


@on_sqlite
def test_a_live_snapshot_of_a_stopped_device_fails_with_reason_and_remedy(camera):
    with pytest.raises(NoPicture, match="its stream is stopped") as raised:
        camera.take()
    assert raised.value.reason == "no_picture"
    # Parts of a stopped stream that are left on the bus are not live.
    camera.send(make_clip(seconds=2))
    camera.clock.advance(11)
    with pytest.raises(NoPicture, match="start the device"):
        camera.take()
    request_start(camera.scope, camera.device_id)
    with pytest.raises(NoPicture, match="try again in a moment"):
        camera.take()


def test_a_repeated_request_makes_one_snapshot(camera):
    camera.send(make_clip(seconds=2))
    request = camera.make_request(note="once")
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(camera.capture, [request] * 4))
    camera.send(make_clip(seconds=2), NOON_MS + 30_000, run=2)
    assert {*answers, camera.capture(request)} == {CaptureAnswer(at_ms=NOON_MS + 1000)}
    with database.session():
        assert camera.scope.select(Snapshot).count() == 1
    assert len(camera.files()) == len(camera.facts) == 1


@on_sqlite
def test_a_damaged_moment_is_reported_and_one_next_to_it_can_be_taken(camera):
    (file,) = camera.footage.record(make_clip(seconds=6, key_seconds=2), NOON_MS)
    # In the middle of the second group's key frame.
    place = file.values.init_size + sum(part.size for part in file.parts[:4]) + file.parts[4].size // 3
    with open(file.path, "r+b") as opened:
        opened.seek(place)
        opened.write(bytes(range(256)) * 2)
    for accuracy in ("exact", "key_frame"):
        with pytest.raises(PictureDamaged):
            camera.take(NOON_MS + 2500, accuracy)
    assert camera.number(camera.take(NOON_MS + 1990)) == 49
    assert camera.number(camera.take(NOON_MS + 4100)) == 102
    assert len(camera.files()) == 2


@on_sqlite
def test_a_broken_or_missing_file_is_reported_as_damage_and_a_missing_disk_is_not(camera):
    (broken,) = camera.footage.record(make_clip(seconds=2), NOON_MS)
    (missing,) = camera.footage.record(make_clip(seconds=2), NOON_MS + 10_000)
    broken.path.write_bytes(b"\0" * broken.values.size)
    missing.path.unlink()
    for at_ms in (NOON_MS + 500, NOON_MS + 10_500):
        with pytest.raises(PictureDamaged):
            camera.take(at_ms)
    camera.config.recordings_dir.rename(camera.config.recordings_dir.with_name("elsewhere"))
    with pytest.raises(StorageUnavailable) as raised:
        camera.take(NOON_MS + 500)
    assert raised.value.reason == "storage_unmounted"


@on_sqlite
def test_a_damaged_live_picture_is_replaced_by_the_one_before_it(camera):
    clip = make_clip(seconds=4, key_seconds=1)
    parts = tuple(damage(part) if number in (4, 6) else part for number, part in enumerate(clip.parts))
    camera.send(replace(clip, parts=parts))
    row = camera.take()
    assert (camera.number(row), row.at_ms) == (25, NOON_MS + 1000)
    camera.send(replace(clip, parts=tuple(map(damage, clip.parts))), NOON_MS + 60_000, run=2)
    camera.redis.xtrim(f"vas:bus:{camera.device_id}", maxlen=len(clip.parts), approximate=False)
    with pytest.raises(PictureDamaged):
        camera.take()


def damage(part: Fragment) -> Fragment:
    data = bytearray(part.data)
    place = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 5
    data[place : place + 200] = bytes(range(200))
    return replace(part, data=bytes(data))


@on_sqlite
def test_a_poster_is_small_and_from_the_last_recording_without_live_video(camera):
    camera.footage.record(make_clip(seconds=4, key_seconds=2), NOON_MS)
    camera.clock.advance(3600)
    answer = camera.show(width=192)
    assert answer.at_ms == NOON_MS + 2000
    camera.send(make_clip(seconds=2, first_frame=300), NOON_MS + 3_600_000)
    assert camera.show(width=192).at_ms == NOON_MS + 3_600_000 + 1000
    assert not camera.files()
