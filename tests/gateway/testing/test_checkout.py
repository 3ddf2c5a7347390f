"""What a machine lacks for the larger fixtures is named, with the way to get it."""

import pytest

from gateway.testing import checkout, fixtures
from gateway.testing.checkout import missing_of_cameras, missing_programs


def test_this_machine_has_everything():
    assert missing_programs() == missing_of_cameras() == []


def test_missing_programs_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    missing = " ".join(missing_programs())
    for words in ("has no Procfile", "'redis-server' is missing: apt-get install redis-server", "nodejs", "make setup"):
        assert words in missing
    assert "no demo cameras" in missing_of_cameras()[0]


def test_a_test_without_its_programs_is_skipped_with_a_sentence():
    fixtures._skip_without([])
    with pytest.raises(pytest.skip.Exception, match="'ffmpeg' is missing; 'node' is missing"):
        fixtures._skip_without(["'ffmpeg' is missing", "'node' is missing"])
