"""Exports read footage whose local files are gone from its archive, and name an archive that is away."""

import json

import pytest

from gateway.storage.local import open_storage
from tests.archives import FolderArchive, archive_device, remove_local_files
from tests.playback import NOON_MS, make_clip
from tests.workers.exporting.movies import numbers_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def archive(tmp_path, monkeypatch) -> FolderArchive:
    archive = FolderArchive(tmp_path / "archive")
    monkeypatch.setattr("workers.footage._collect_archives", lambda config: [archive])
    return archive


@pytest.fixture
def archived(footage, config, archive):
    """Two files: of the first only the copy is left."""
    files = footage.record(make_clip(seconds=8), NOON_MS + 56_000)
    storage = open_storage(config)
    ids = archive_device(footage.device_id, storage, archive)
    remove_local_files(footage.recording_id, storage, ids[:1])
    assert [file.path.exists() for file in files] == [False, True]


def test_an_exact_export_crosses_from_the_archive_to_the_disk(archived, exporter, movie_of, archive):
    job = exporter.export(NOON_MS + 57_400, NOON_MS + 63_000, "exact")
    assert numbers_in(movie_of(job)) == list(range(35, 175))
    assert json.loads(job.result)["notes"] == []
    assert archive.reads


def test_an_archive_that_is_away_fails_the_job_with_its_reason(archived, exporter, archive):
    archive.away = True
    job = exporter.export(NOON_MS + 57_000, NOON_MS + 63_000)
    assert (job.state, job.error_code) == ("failed", "archive_unavailable")
    assert "does not answer" in job.error_message


def test_a_damaged_copy_is_left_out_and_named(archived, exporter, archive):
    archive.change = lambda data: data[:100] + bytes(len(data) - 100)
    job = exporter.export(NOON_MS + 57_000, NOON_MS + 63_000)
    assert job.state == "done"
    assert any("damaged" in note for note in json.loads(job.result)["notes"])
