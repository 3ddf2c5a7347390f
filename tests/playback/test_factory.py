"""The factory's footage is like that of a recorder: whole files, matching rows, numbered pictures."""

import pytest

from gateway.config import Config
from gateway.footage.segment_scan import ScanProblem, scan_segment
from gateway.tenancy.scopes import TenantScope
from tests.cameras.footage import judge, read_counters
from tests.factories import make_device
from tests.playback import NOON_MS, FootageFactory, make_clip, start_of_one_file


@pytest.fixture
def footage(bound_database, config: Config, scope: TenantScope, box) -> FootageFactory:
    return FootageFactory(config, scope, make_device(scope, box).id)


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_sqlite
def test_a_clip_becomes_files_of_a_minute_with_matching_rows(footage):
    clip = make_clip(seconds=6, first_frame=40)
    files = footage.record(clip, NOON_MS + 57_000)

    assert [(file.values.start_ms - NOON_MS, file.values.duration_ms) for file in files] == [
        (57_000, 3000),
        (60_000, 3000),
    ]
    assert [file.values.sequence for file in files] == [1, 7]
    for file in files:
        data = file.path.read_bytes()
        scan = scan_segment(data)
        assert scan.problem is None
        assert scan.parts == file.parts
        assert (scan.init_size, len(data)) == (file.values.init_size, file.values.size)
    numbers = [number for file in files for number in read_counters(file.path)]
    assert numbers == list(clip.counters)


@on_sqlite
@pytest.mark.parametrize(
    ("latest", "start"), [(0, 0), (54_000, 54_000), (54_001, 54_000), (59_999, 54_000), (60_000, 60_000)]
)
def test_a_start_within_one_minute_gives_one_file(footage, latest, start):
    clip = make_clip(seconds=6, first_frame=40)
    found = start_of_one_file(NOON_MS + latest, clip)
    assert found == NOON_MS + start
    assert len(footage.record(clip, found)) == 1


@on_sqlite
def test_a_lost_part_starts_a_new_file_and_leaves_a_gap(footage):
    clip = make_clip(seconds=4)
    files = footage.record(clip, NOON_MS, without=range(2, 4))
    assert [(file.values.sequence, file.values.parts) for file in files] == [(1, 2), (5, 4)]
    assert [file.values.start_ms - NOON_MS for file in files] == [0, 2000]
    assert judge(n for file in files for n in read_counters(file.path)).missing == ((25, 49),)


@on_sqlite
def test_late_or_ending_audio_is_only_in_some_parts(footage):
    late, ends = make_clip(audio=True, audio_from=1.7), make_clip(audio=True, audio_until=2.2)
    for clip, at in ((late, NOON_MS), (ends, NOON_MS + 20_000)):
        flags = [part.has_audio for part in footage.record(clip, at)[0].parts]
        assert set(flags) == {True, False}
        assert flags == sorted(flags, reverse=clip is ends)


@on_sqlite
def test_a_truncated_file_is_cut_and_its_row_is_not(footage):
    file = footage.record(make_clip(), NOON_MS)[0]
    footage.truncate(file, file.values.size - 10)
    scan = scan_segment(file.path.read_bytes())
    assert scan.problem == ScanProblem.TORN
    assert len(scan.parts) == file.values.parts - 1


@pytest.mark.parametrize("settings", [{"codec": "h265"}, {"b_frames": 2}, {"size": (640, 360)}])
def test_any_video_has_its_numbers(settings):
    clip = make_clip(seconds=2, **settings)
    footage = clip.init + b"".join(part.data for part in clip.parts)
    assert read_counters(footage) == list(clip.counters)
    assert clip.parts[0].is_key
    assert any(part.has_b_frames for part in clip.parts) == bool(settings.get("b_frames"))
