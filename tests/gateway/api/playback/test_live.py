"""Live HLS: from the bus alone, with blocking reloads, and with a clear reply where there is nothing to see."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import pytest

from gateway.api.base import services
from gateway.media import Part
from gateway.streams.bus import BusWriter
from gateway.streams.model import request_stop
from gateway.streams.queries import read_stream_record
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.cameras.footage import read_counters
from tests.conftest import wait_until
from tests.factories import device_body
from tests.hls_reading import read_playlist
from tests.hls_validator import check_playlist
from tests.playback import Clip, make_clip

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CLIP = make_clip(seconds=10, key_seconds=2)
LATE = make_clip(seconds=10, key_seconds=2, audio=True, audio_from=3)


class Camera:
    """Publishes clips on the bus as a stream worker does, at a given pace."""

    def __init__(self, app, device_id: str) -> None:
        self.device_id = device_id
        with app.app_context():
            self._writer = BusWriter(services().redis, device_id, window_seconds=15, max_bytes=32 << 20)
        self.run, self.now = 0, time.time() - 10

    def start(self, clip: Clip) -> None:
        self.run += 1
        self.clip, self.sequence = clip, 0
        self._writer.open_run(self.run, clip.init)

    def send(self, count: int = 1) -> None:
        for part in self.clip.parts[self.sequence : self.sequence + count]:
            self.sequence += 1
            self._writer.publish(Part(
                self.device_id, self.run, self.sequence, self.now, part.duration, part.is_key, part.frames, part.data,
                has_audio=part.has_audio,
            ))  # fmt: skip
            self.now += part.duration


@pytest.fixture
def running(client) -> str:
    """A device whose desired state is running."""
    return client.post("/api/v1/devices", json=device_body(start_mode="always")).json["id"]


@pytest.fixture
def camera(app, running) -> Camera:
    camera = Camera(app, running)
    camera.start(CLIP)
    return camera


@pytest.fixture
def short_waits(monkeypatch) -> None:
    for name in ("BLOCK_SECONDS", "START_SECONDS", "HINT_SECONDS"):
        monkeypatch.setattr(f"gateway.api.playback.live.{name}", 0.3)


def url_of(device_id: str) -> str:
    return f"/api/v1/recordings/devices/{device_id}/playlist"


def fetcher(client, device_id: str):
    def fetch(uri: str, byte_range) -> bytes:
        answer = client.get(urljoin(url_of(device_id), uri))
        assert answer.status_code == 200, (uri, answer.json)
        return answer.data

    return fetch


def test_the_parts_on_the_bus_give_a_valid_playlist_with_its_media(client, camera):
    camera.send(14)
    answer = client.get(url_of(camera.device_id))
    assert answer.status_code == 200
    assert answer.mimetype == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "no-store"

    text = answer.text
    assert check_playlist(text, fetch=fetcher(client, camera.device_id)) == []
    playlist, _ = read_playlist(text)
    fetch = fetcher(client, camera.device_id)
    footage = fetch(playlist.map[0], None) + b"".join(fetch(segment.uri, None) for segment in playlist.segments)
    assert read_counters(footage) == list(range(25 * 6))


def test_each_reload_is_valid_over_runs_with_and_without_sound(client, camera):
    before = None
    for clip in (CLIP, LATE, CLIP):
        camera.start(clip)
        for _ in range(10):
            camera.send(2)
            text = client.get(url_of(camera.device_id)).text
            # The first sound changes the tracks once; nothing else changes them.
            has_begun = before is not None and ("live/sound/" in before) == ("live/sound/" in text)
            assert check_playlist(text, previous=before if has_begun else None) == []
            before = text
        assert check_playlist(text, fetch=fetcher(client, camera.device_id)) == []
    assert "live/sound/" in before


def test_a_device_with_a_microphone_has_sound_from_its_first_part_on(client, camera):
    client.put(f"/api/v1/devices/{camera.device_id}", json=device_body())
    camera.start(LATE)
    camera.send(4)
    text = client.get(url_of(camera.device_id)).text
    assert "live/sound/" not in text

    keep_source(camera.device_id, '{"audio": {"codec": "aac"}}')
    text = client.get(url_of(camera.device_id)).text
    assert "live/sound/" in text
    assert check_playlist(text, fetch=fetcher(client, camera.device_id)) == []


def keep_source(device_id: str, text: str) -> None:
    from gateway.streams.model import Stream

    TenantScope(DEFAULT_TENANT_ID).update(Stream, source_info=text).where(Stream.device_id == device_id).execute()


def test_parts_and_init_segments_may_be_cached_indefinitely(client, camera):
    camera.send(3)
    for name in (
        "init-1.mp4",
        "1-1.m4s",
        "1-1-3.m4s",
        "sound/init-1.mp4",
        "sound/1-2.m4s",
        "sound/1-1-2.m4s",
    ):
        answer = client.get(urljoin(url_of(camera.device_id), f"live/{name}"))
        assert answer.status_code == 200, name
        assert answer.mimetype == "video/mp4"
        assert answer.headers["Cache-Control"] == "private, max-age=3600, immutable"
        piece = client.get(urljoin(url_of(camera.device_id), f"live/{name}"), headers={"Range": "bytes=0-1"})
        assert (piece.status_code, piece.data) == (206, answer.data[:2]), "native players ask for ranges"
    assert client.get(urljoin(url_of(camera.device_id), "live/1-2.m4s")).data == CLIP.parts[1].data


def test_missing_media_are_not_found(client, camera):
    camera.send(3)
    for name in (
        "init-9.mp4", "1-9.m4s", "9-1.m4s", "1-1-9.m4s", "1-3-2.m4s", "1-0-99999.m4s", "sound/1-9.m4s",
        "silence/1-1.m4s", f"1-{10**30}.m4s", "1--1.m4s",
    ):  # fmt: skip
        assert client.get(urljoin(url_of(camera.device_id), f"live/{name}")).status_code == 404, name


def test_a_reload_waits_for_the_part_that_it_names(client, app, camera):
    camera.send(6)
    playlist, _ = read_playlist(client.get(url_of(camera.device_id)).text)
    wanted = {"_HLS_msn": playlist.sequence + len(playlist.segments), "_HLS_part": len(playlist.parts)}
    with ThreadPoolExecutor() as pool:
        # Several players of one device wait at the same time.
        asked = [pool.submit(app.test_client().get, url_of(camera.device_id), query_string=wanted) for _ in range(3)]
        wait_until(lambda: waiting(app) == 3, "three requests wait")
        assert not any(one.done() for one in asked)
        camera.send(1)
        texts = {one.result(5).text for one in asked}
    assert len(texts) == 1
    later, _ = read_playlist(texts.pop())
    assert len(later.parts) == len(playlist.parts) + 1
    assert waiting(app) == 0


def test_a_request_for_a_hinted_part_waits(client, app, camera):
    camera.send(6)
    hint = read_playlist(client.get(url_of(camera.device_id)).text)[0].hints[0]["URI"]
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(app.test_client().get, urljoin(url_of(camera.device_id), hint))
        wait_until(lambda: waiting(app) == 1, "the request waits")
        camera.send(1)
        assert asked.result(5).data == CLIP.parts[6].data


def test_waiting_requests_are_answered_if_nothing_arrives(client, camera, short_waits):
    camera.send(6)
    text = client.get(url_of(camera.device_id)).text
    playlist, _ = read_playlist(text)
    wanted = {"_HLS_msn": playlist.sequence + len(playlist.segments) + 1}
    answer = client.get(url_of(camera.device_id), query_string=wanted)
    assert (answer.status_code, answer.text) == (200, text)
    assert client.get(urljoin(url_of(camera.device_id), playlist.hints[0]["URI"])).status_code == 404


def test_without_a_free_place_no_request_waits_and_no_blocking_reload_is_offered(client, app, camera):
    camera.send(6)
    playlist, _ = read_playlist(client.get(url_of(camera.device_id)).text)
    waits = services_of(app).waits
    while waits.take():
        pass
    wanted = {"_HLS_msn": playlist.sequence + len(playlist.segments) + 1}
    answer = client.get(url_of(camera.device_id), query_string=wanted)
    assert answer.status_code == 200
    assert "CAN-BLOCK-RELOAD" not in answer.text
    assert check_playlist(answer.text) == []
    assert client.get(urljoin(url_of(camera.device_id), playlist.hints[0]["URI"])).status_code == 404


def test_directives_that_cannot_be_followed_are_refused_at_once(client, camera):
    camera.send(6)
    for query in (
        {"_HLS_msn": "many"}, {"_HLS_msn": -1}, {"_HLS_part": 1}, {"_HLS_msn": 10**18}, {"_HLS_msn": 10**12},
    ):  # fmt: skip
        answer = client.get(url_of(camera.device_id), query_string=query)
        assert (answer.status_code, answer.json["reason"]) == (422, "invalid_value"), query
        assert "_HLS_" in answer.json["message"]
    assert client.get(url_of(camera.device_id), query_string={"_HLS_msn": 1, "_HLS_part": 10**9}).status_code == 200


def test_a_stopped_device_has_no_footage_and_gives_the_cause(client, camera, scope):
    camera.send(6)
    request_stop(scope, camera.device_id)
    answer = client.get(url_of(camera.device_id))
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert "is stopped: start it first" in answer.json["message"]


def test_a_disabled_device_has_no_footage_and_gives_the_cause(client):
    device = client.post("/api/v1/devices", json=device_body(enabled=False)).json
    answer = client.get(url_of(device["id"]))
    assert (answer.status_code, answer.json["reason"]) == (404, "no_footage")
    assert "is disabled: enable it first" in answer.json["message"]


def test_a_device_that_sends_nothing_yet_says_so(client, running, short_waits):
    answer = client.get(url_of(running))
    assert (answer.status_code, answer.json["reason"]) == (503, "no_footage_yet")
    assert "sends no video yet" in answer.json["message"]
    assert answer.headers["Retry-After"]


def test_an_on_demand_device_is_started_and_the_request_waits_for_its_first_parts(client, app):
    device = client.post("/api/v1/devices", json=device_body(start_mode="on_demand")).json
    camera = Camera(app, device["id"])
    camera.start(CLIP)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(app.test_client().get, url_of(device["id"]))
        wait_until(lambda: waiting(app) == 1, "the request waits")
        assert read_stream_record(device["id"]).desired == "running"
        camera.send(1)
        answer = asked.result(5)
    assert answer.status_code == 200
    assert check_playlist(answer.text) == []


def test_another_tenants_device_is_not_found(client, camera, monkeypatch):
    camera.send(3)
    other = TenantScope("7b1c0d52-6c4f-4f0e-9a3c-0d9c5a1f2b3c")
    for module in ("live", "recorded"):
        monkeypatch.setattr(f"gateway.api.playback.{module}.current_scope", lambda: other)
    for name in ("playlist", "live/init-1.mp4", "live/1-1.m4s", "live/1-1-2.m4s", "live/sound/1-1.m4s"):
        assert client.get(urljoin(url_of(camera.device_id), name)).status_code == 404


def test_a_bus_that_restarted_empty_is_followed_from_its_new_parts(client, camera, wired_redis):
    camera.send(12)
    assert client.get(url_of(camera.device_id)).status_code == 200
    wired_redis.flushall()
    camera.start(CLIP)
    camera.send(5)
    text = client.get(url_of(camera.device_id)).text
    assert check_playlist(text, fetch=fetcher(client, camera.device_id)) == []


@pytest.fixture
def wired_redis(app):
    return services_of(app).redis


def services_of(app):
    return app.extensions["vas"]


def waiting(app) -> int:
    return services_of(app).waits.taken


def test_many_players_of_a_device_read_each_part_from_the_bus_once(client, app, camera, monkeypatch):
    camera.send(6)
    bus = services_of(app).bus
    calls, lock = [], threading.Lock()
    read = type(bus).read

    def counted(self, *args, **options):
        parts = read(self, *args, **options)
        with lock:
            calls.extend(part.position for part in parts)
        return parts

    monkeypatch.setattr(type(bus), "read", counted)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: app.test_client().get(url_of(camera.device_id)), range(12)))
    assert len(calls) == len(set(calls)) == 6
