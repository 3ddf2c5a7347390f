"""Footage whose local files are gone plays from its archive; an archive that is away is a 503 that says so."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from gateway import database
from gateway.api.base import services
from gateway.app import create_app
from gateway.hookspecs import hookimpl
from gateway.storage.local import open_storage
from tests.archives import FolderArchive, archive_device, remove_local_files
from tests.factories import no_plugins
from tests.hls_validator import check_playlist
from tests.playback import NOON_MS, FootageFactory, make_clip

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CLIP = make_clip(seconds=6, key_seconds=2)


@pytest.fixture
def archive(tmp_path) -> FolderArchive:
    return FolderArchive(tmp_path / "archive")


@pytest.fixture
def config(config):
    return replace(config, archive_redirects=True)


@pytest.fixture
def app(config, archive):
    class Plugin:
        @hookimpl
        def register_archives(self):
            return [archive]

    plugins = no_plugins()
    plugins.register(Plugin(), name="archiver")
    yield create_app(config, plugins)
    database.close()


@pytest.fixture
def footage(app, device, config, scope, archive):
    """One file, of which only the copy in the archive is left, with its bytes."""
    factory = FootageFactory(config, scope, device["id"])
    (file,) = factory.record(CLIP, NOON_MS)
    content = file.path.read_bytes()
    storage = open_storage(config)
    remove_local_files(factory.recording_id, storage, archive_device(device["id"], storage, archive))
    assert not file.path.exists()
    url = f"/api/v1/recordings/devices/{device['id']}"
    return SimpleNamespace(url=url, file=f"{url}/segments/{file.id}.mp4", content=content, id=file.id)


def test_a_playlist_of_archived_footage_plays_with_every_byte_in_its_place(client, footage):
    text = client.get(f"{footage.url}/playlist?start=2026-03-11T12:00:00Z&end=2026-03-11T12:01:00Z").text

    def fetch(uri, byte_range):
        headers = {"Range": f"bytes={byte_range[1]}-{sum(byte_range) - 1}"} if byte_range else {}
        answer = client.get(f"{footage.url}/{uri}", headers=headers)
        assert answer.status_code in (200, 206), answer.text
        return answer.data

    assert "EXTINF" in text
    assert check_playlist(text, fetch=fetch) == []


def test_ranges_init_and_filled_footage_are_read_from_the_archive(client, footage):
    part = client.get(footage.file, headers={"Range": "bytes=10-99"})
    assert (part.status_code, part.data) == (206, footage.content[10:100])
    assert part.headers["Cache-Control"].endswith("immutable")
    init = client.get(f"{footage.url}/segments/{footage.id}/init.mp4")
    assert footage.content.startswith(init.data)
    rest = len(footage.content) - len(init.data)
    filled = client.get(f"{footage.url}/segments/{footage.id}/sound/{len(init.data)}-{rest}.m4s")
    assert filled.status_code == 200
    assert len(filled.data) > rest


def test_a_download_of_a_whole_file_is_redirected_if_the_settings_allow_it(client, footage, archive, app):
    answer = client.get(footage.file)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (307, "no-store")
    assert answer.headers["Location"].startswith("https://archive.example/")
    archive.presign = lambda key, seconds: None
    assert client.get(footage.file).data == footage.content
    head = client.head(footage.file)
    assert (head.status_code, head.content_length) == (200, len(footage.content))


def test_an_archive_that_is_away_is_a_503_that_says_so(client, footage, archive):
    archive.away = True
    for place in (footage.file, f"{footage.url}/segments/{footage.id}/init.mp4"):
        answer = client.get(place, headers={"Range": "bytes=0-9"})
        assert answer.status_code == 503
        assert answer.json["reason"] == "archive_unavailable"
        assert "Retry-After" in answer.headers


def test_a_damaged_copy_is_a_404_that_says_so(client, footage, archive):
    archive.change = lambda data: data[:50] + b"?" + data[51:]
    answer = client.get(footage.file, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.json["reason"]) == (404, "file_damaged")


def test_a_slow_archive_is_waited_for_without_a_thread_and_for_a_limited_time(
    client, footage, archive, app, monkeypatch
):
    monkeypatch.setattr("gateway.api.playback.archived.READ_SECONDS", 0.05)
    hang = threading.Event()
    archive.before_read = lambda: hang.wait(30)
    answer = client.get(footage.file, headers={"Range": "bytes=0-9"})
    hang.set()
    assert (answer.status_code, answer.json["reason"]) == (503, "archive_unavailable")
    with app.app_context():
        assert services().waits.taken == 0


def test_more_requests_than_may_wait_are_refused_at_once(client, footage, archive, app):
    hang = threading.Event()
    archive.before_read = lambda: hang.wait(30)
    with app.app_context():
        places = [services().waits.take() for _ in range(services().config.web_waiters)]
    answer = client.get(footage.file, headers={"Range": "bytes=0-9"})
    hang.set()
    assert (answer.status_code, answer.json["reason"]) == (503, "archive_unavailable")
    for give_back in places:
        give_back()
