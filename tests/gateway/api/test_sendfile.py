"""SENDFILE: a proxy in front of the web process sends the files; which ones, headers name."""

import json
from dataclasses import replace

import pytest

from gateway import database
from gateway.api.file_replies import sent_by_proxy
from gateway.config import Config
from gateway.errors import ConfigError
from gateway.jobs.model import DONE, Job, create_job
from tests.playback import NOON_MS, FootageFactory, make_clip

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CLIP = make_clip(seconds=2, key_seconds=2)


@pytest.fixture(params=["off", "x-accel", "x-sendfile"])
def mode(request) -> str:
    return request.param


@pytest.fixture
def config(config, mode, tmp_path):
    """With SENDFILE, and a folder whose name must be quoted."""
    return replace(config, sendfile=mode, exports_dir=tmp_path / "my exports", recordings_dir=tmp_path / "recordings")


def placed(answer) -> str | None:
    """Where the proxy finds the file, if it is to send it."""
    return answer.headers.get("X-Accel-Redirect") or answer.headers.get("X-Sendfile")


def test_a_closed_segment_is_sent_by_the_proxy(client, app, config, scope, device, mode):
    footage = FootageFactory(config, scope, device["id"])
    (file,) = footage.record(CLIP, NOON_MS)
    url = f"/api/v1/recordings/devices/{device['id']}/segments/{file.id}.mp4"
    answer = client.get(url, headers={"Range": "bytes=0-9"})
    path = file.path
    if mode == "off":
        assert (answer.status_code, len(answer.data), placed(answer)) == (206, 10, None)
        return
    # The proxy knows the ranges, the length and its own validators.
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "video/mp4")
    assert "Content-Length" not in answer.headers
    inside = path.relative_to(config.recordings_dir)
    assert placed(answer) == (f"/vas-files/recordings/{inside}" if mode == "x-accel" else str(path))
    assert client.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_the_result_of_a_job_keeps_its_name(client, app, config, scope, mode):
    job, _ = create_job(scope, "export", {})
    config.exports_dir.mkdir()
    (config.exports_dir / f"{job.id}.mp4").write_bytes(b"footage")
    facts = {"file": f"{job.id}.mp4", "name": "Tor 1.mp4", "content_type": "video/mp4"}
    with database.transaction():
        scope.update(Job, state=DONE, result=json.dumps(facts)).where(Job.id == job.id).execute()
    answer = client.get(f"/api/v1/jobs/{job.id}/result")
    assert "Tor 1.mp4" in answer.headers["Content-Disposition"]
    if mode == "off":
        assert (answer.data, placed(answer)) == (b"footage", None)
    else:
        assert answer.data == b""
        folder = "/vas-files/exports" if mode == "x-accel" else str(config.exports_dir).replace(" ", "%20")
        assert placed(answer) == f"{folder}/{job.id}.mp4"


def test_a_file_that_the_proxy_has_no_location_for_is_sent_here(app, mode, tmp_path):
    with app.test_request_context():
        reply = sent_by_proxy(tmp_path / "elsewhere.mp4", "video/mp4")
    assert (reply is None) == (mode != "x-sendfile")


@pytest.mark.parametrize("mode", ["off"], indirect=True)
@pytest.mark.parametrize("text", ["files", "/a b", "/..", "/a/../b", "//", "/a\r\nX: y", "http://x/"])
def test_the_prefix_must_be_a_plain_path(text, mode, app):
    with pytest.raises(ConfigError, match="SENDFILE_PREFIX"):
        Config.from_environment({"SENDFILE_PREFIX": text, "SECRET_KEY": "x" * 16, "SFU_SECRET": "x" * 16})
