"""The storage says how the copying of archives goes and which cameras wait; a test and a retry reach the plugin."""

from dataclasses import dataclass, field

import pytest

from gateway import database
from gateway.app import create_app
from gateway.archives import ArchiveFailure, ArchiveWork
from gateway.hookspecs import hookimpl
from gateway.storage.local import open_storage
from tests.archives import FolderArchive, archive_device
from tests.factories import no_plugins
from tests.playback import NOON_MS, FootageFactory, make_clip

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

URL = "/api/v1/recordings/storage"
CLIP = make_clip(seconds=6, key_seconds=2)


@dataclass
class Plugin:
    """A plugin with an archive that reports its copying, and one that does not."""

    archives: list = field(default_factory=list)

    @hookimpl
    def register_archives(self):
        return self.archives


class ReportingArchive(FolderArchive):
    """An archive that fails."""

    def __init__(self, root, name):
        super().__init__(root, name)
        self.report = ArchiveWork()
        self.retries = self.tests = 0

    def work(self):
        return self.report

    def retry(self):
        self.retries += 1

    def start_test(self):
        self.tests += 1
        return "6e1c4c5e-59a5-4c1c-9ac7-6f8f1b0a7c11"


@pytest.fixture
def archive(tmp_path) -> ReportingArchive:
    return ReportingArchive(tmp_path / "archive", "main")


@pytest.fixture
def plugin(archive, tmp_path) -> Plugin:
    return Plugin([archive, FolderArchive(tmp_path / "silent", "silent")])


@pytest.fixture
def app(config, plugin):
    plugins = no_plugins()
    plugins.register(plugin, name="archiver")
    yield create_app(config, plugins)
    database.close()


@pytest.fixture
def footage(app, device, config, scope, archive) -> FootageFactory:
    """A device that the archive takes, with a file that has a copy and one that waits."""
    made = FootageFactory(config, scope, device["id"])
    made.record(CLIP, NOON_MS)
    archive_device(device["id"], open_storage(config), archive)
    made.record(CLIP, NOON_MS + 60_000)
    return made


def test_without_footage_for_an_archive_there_is_nothing_to_say(client, plugin):
    plugin.archives = []
    assert client.get(URL).json["archive"] is None


def test_the_storage_names_the_archives_with_their_state_and_the_devices_that_wait(client, footage, archive, device):
    archive.report = ArchiveWork(
        "failing",
        ArchiveFailure("archive_away", "nothing answers", "check the network"),
        failing_since="2026-03-11T12:00:00Z",
        next_try_at="2026-03-11T12:01:00Z",
        bytes_per_second=2.5,
    )
    found = client.get(URL).json["archive"]
    failing, silent = found["archives"]
    assert failing == {
        "name": "main",
        "state": "failing",
        "reason": {"code": "archive_away", "message": "nothing answers", "remedy": "check the network"},
        "failing_since": "2026-03-11T12:00:00.000Z",
        "next_try_at": "2026-03-11T12:01:00.000Z",
        "bytes_per_second": 2.5,
        "ends_at": None,
        "is_testable": True,
    }
    assert (silent["name"], silent["state"], silent["is_testable"]) == ("silent", "unknown", False)
    (waiting,) = found["backlogs"]
    assert waiting["device_id"] == footage.device_id
    assert waiting["device_name"] == device["name"]
    assert waiting["waiting_bytes"] == found["waiting_bytes"] > 0
    assert waiting["oldest"] == "2026-03-11T12:01:00.000Z"


def test_test_and_retry_reach_the_plugin_of_the_archive(client, footage, archive):
    for _ in range(2):
        answer = client.post(f"{URL}/archives/main/test", headers={"Idempotency-Key": "first"})
        assert (answer.status_code, answer.json["job_id"]) == (202, "6e1c4c5e-59a5-4c1c-9ac7-6f8f1b0a7c11")
    assert archive.tests == 1
    assert client.post(f"{URL}/archives/main/retry").status_code == 204
    assert archive.retries == 1
    for name in ("silent", "other"):
        refused = client.post(f"{URL}/archives/{name}/test")
        assert (refused.status_code, refused.json["reason"]) == (404, "not_found")


def test_a_plugin_that_fails_does_not_take_the_storage_with_it(client, footage, plugin, monkeypatch):
    monkeypatch.setattr(Plugin, "register_archives", hookimpl(lambda self: 1 / 0), raising=True)
    assert client.get(URL).status_code == 200
