"""Sources, positions and parts are plain values."""

import pytest

from gateway.media import AudioInfo, Part, Position, SourceInfo, TrackInfo, VideoInfo

SOURCE = SourceInfo(
    VideoInfo("h264", 1280, 720, 25.0, "High", "yuv420p", False, 2.0, 4000.0),
    AudioInfo("aac", 48000, 2),
    (TrackInfo(0, "video", "h264"),),
    120,
)


def test_a_source_survives_json():
    assert SourceInfo.from_dict(SOURCE.to_dict()) == SOURCE
    assert SourceInfo.from_dict({}) == SourceInfo()


def test_unknown_values_of_a_later_version_are_ignored():
    values = SOURCE.to_dict() | {"colour": "red"}
    values["video"]["hdr"] = True
    assert SourceInfo.from_dict(values) == SOURCE


def test_positions_are_ordered_by_run_then_by_number():
    assert Position(1, 9) < Position(2, 1) < Position(2, 10)
    assert Position.parse("12-345") == Position.parse(b"12-345") == Position(12, 345)
    assert Position(12, 345).entry_id == "12-345"
    with pytest.raises(ValueError, match="invalid literal"):
        Position.parse("x")


def test_the_bytes_of_a_part_are_not_in_its_repr():
    part = Part("d1", 2, 3, 0.0, 0.5, True, 12, b"picture" * 1000)
    assert part.position == Position(2, 3)
    assert "picture" not in repr(part)
