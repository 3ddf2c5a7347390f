"""A day that is only in S3 storage: timeline, playback in Chromium, export, snapshot, clip, time-lapse and posters."""

import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager

import av
import pytest
from playwright.sync_api import Page, expect

from gateway import database
from gateway.tenancy.scopes import TenantScope
from gateway.tenancy.tenants import DEFAULT_TENANT_ID
from tests.cameras import read_counter_of_file
from tests.cameras.footage import read_frames
from tests.e2e.archived_day import (
    DAY_MS,
    EVENING,
    FPS,
    HOUR_MS,
    MINUTE_MS,
    MINUTES,
    MORNING,
    NOON,
    START_MS,
    ArchivedDay,
    at,
    number_at,
    spell,
)
from tests.factories import make_config
from tests.playback import FootageFactory
from tests.stack.object_store import S3Server
from tests.stack.viewer import CLOCK_SCRIPT

#: From the middle of a minute over two borders of files, at no key frame.
EXPORT = {"start": spell(at(MORNING - 1, 31.5)), "end": spell(at(MORNING + 1, 14.5))}
LAPSE = {"start": spell(START_MS), "end": spell(START_MS + DAY_MS), "length_seconds": 4, "width": 384}
SEEN_MS = 20_000

_CLOCK = "() => { const v = document.querySelector('[data-testid=recorded-video]');"
_IS_PLAYING = f"{_CLOCK} return v && v.currentTime > 0 && !v.seeking && cameraClock.readClock(v) !== null; }}"
_SHOWN = (
    f"{_CLOCK} const moment = document.querySelector('[data-testid=shown-moment]');"
    " return [cameraClock.readClock(v)?.timeMs, Number(moment?.dataset.momentMs)]; }"
)


@pytest.fixture(scope="module")
def day(stack, browser, tmp_path_factory) -> Iterator[ArchivedDay]:
    began = time.monotonic()
    server = S3Server(tmp_path_factory.mktemp("s3")).create()
    config = make_config(
        database_url=stack.env["DATABASE_URL"],
        recordings_dir=stack.folder / "recordings",
        var_dir=stack.folder / "var",
    )
    database.connect(config)
    device_id = stack.add_device("Yard", "rtsp://127.0.0.1:9/none", start_mode="manual")["id"]
    made = ArchivedDay(stack, server, FootageFactory(config, TenantScope(DEFAULT_TENANT_ID), device_id))
    try:
        made.plant()
        made.set_bucket(server.bucket)
        made.local["export"] = made.run_job(f"{made.url}/export", EXPORT | {"cut": "exact"})
        made.local["copied"] = made.run_job(f"{made.url}/export", EXPORT)
        made.local["lapse"] = made.run_job(made.lapse_url, LAPSE)
        made.local["files"] = {name: made.download(made.local[name]) for name in ("export", "copied", "lapse")}
        with open_page(browser, stack) as page:
            first_picture(page, made, at(MORNING, 10))  # the browser loads the page's files
            made.local["first_picture"] = first_picture(page, made, at(NOON, 10))
        made.wait_archived(90)
        made.wait_local_files_gone(60)
        made.seconds["all"] = time.monotonic() - began
        yield made
    finally:
        made.close()
        stack.delete_device(device_id)
        database.close()
        server.close()


@contextmanager
def open_page(browser, stack) -> Iterator[Page]:
    """A page in which clocks can be read."""
    viewport = {"width": 1280, "height": 800}
    context = browser.new_context(bypass_csp=True, base_url=stack.url, viewport=viewport, timezone_id="UTC")
    page = context.new_page()
    page.set_default_timeout(SEEN_MS)
    page.add_init_script(path=CLOCK_SCRIPT)
    yield page
    context.close()


@pytest.fixture
def page(browser, stack) -> Iterator[Page]:
    with open_page(browser, stack) as page:
        yield page


def first_picture(page: Page, day: ArchivedDay, moment_ms: float) -> float:
    """Open the page of the device at a moment; returns the seconds until a picture is there."""
    page.goto(f"/devices/{day.device_id}?t={spell(moment_ms)}", wait_until="commit")
    page.wait_for_selector("[data-testid=recorded-video]")
    began = time.monotonic()
    page.wait_for_function(_IS_PLAYING)
    return time.monotonic() - began


def shown(page: Page) -> tuple[int, float]:
    """The number in the picture, and the moment that the page shows."""
    number, moment = page.evaluate(_SHOWN)
    return number, moment


def wait_shown(page: Page, number: int, seconds: float = 20) -> None:
    """Wait until the picture has this number, or a later one."""
    script = f"{_CLOCK} return cameraClock.readClock(v)?.timeMs >= {number}; }}"
    page.wait_for_function(script, timeout=seconds * 1000)


def wait_moment(page: Page, moment_ms: float, seconds: float = 20) -> None:
    """Wait until playback has come to a moment."""
    script = "() => Number(document.querySelector('[data-testid=shown-moment]')?.dataset.momentMs) >= " + str(moment_ms)
    page.wait_for_function(script, timeout=seconds * 1000)


def frames_of(movie: bytes) -> list[str]:
    """A digest of each decoded frame."""
    with av.open(io.BytesIO(movie)) as container:
        return [hashlib.md5(frame.to_ndarray().tobytes()).hexdigest() for frame in container.decode(video=0)]


def test_the_timeline_says_that_the_whole_day_is_in_the_archive(day, note):
    figures = ", ".join(f"{name} in {seconds:.1f} s" for name, seconds in day.seconds.items())
    note(f"a day of {24 * MINUTES} files, {day.bytes / 1e6:.0f} MB: {figures}")
    # To a quarter of an hour, in which most of it lies there.
    hours = [START_MS + hour * HOUR_MS for hour in range(24)]
    assert day.places() == [(spell(start), spell(start + 15 * MINUTE_MS), "archive") for start in hours]
    assert day.local_files() == []
    recording = day.recording()
    assert (recording["bytes"], recording["archived_bytes"], recording["local_bytes"]) == (day.bytes, day.bytes, 0)
    storage = day.stack.api.get("/recordings/storage")["archive"]
    assert (storage["away_bytes"], storage["waiting_bytes"]) == (day.bytes, 0)


def test_the_page_plays_an_archived_moment_and_shows_its_picture(day, page, note):
    seconds = first_picture(page, day, at(MORNING, 10))
    local = day.local["first_picture"]
    note(f"first picture from S3 in {seconds:.2f} s, from the disk in {local:.2f} s: {seconds / local:.1f} times")
    number, _ = shown(page)
    assert 0 <= number - number_at(MORNING, 10) <= 3 * FPS, number
    wait_shown(page, number + 3 * FPS)
    page.keyboard.press("Space")
    page.wait_for_function(f"{_CLOCK} return v.paused && !v.seeking; }}")
    number, moment = shown(page)
    assert abs(moment - at(MORNING, (number - number_at(MORNING)) / FPS)) <= 1000 / FPS
    page.goto(f"/devices/{day.device_id}?t={spell(at(EVENING, 59))}")
    page.wait_for_function(_IS_PLAYING)
    wait_shown(page, number_at(EVENING + 1, 1))


def test_exports_have_the_frames_of_the_original(day, note):
    files = day.local["files"]
    for name, cut in (("export", "exact"), ("copied", "key_frames")):
        job = day.run_job(f"{day.url}/export", EXPORT | {"cut": cut})
        movie = day.download(job)
        assert job["result"]["notes"] == day.local[name]["result"]["notes"]
        assert frames_of(movie) == frames_of(files[name])
        note(f"{cut} export of 103 s: {job['seconds']:.1f} s from S3, {day.local[name]['seconds']:.1f} s from the disk")
    numbers = [number for number, _ in read_frames(files["export"])]
    assert numbers == list(range(number_at(MORNING - 1, 31.5), number_at(MORNING + 1, 14.5)))


def test_a_snapshot_is_the_frame_of_its_moment(day):
    body = {"at": spell(at(NOON, 30.25)), "wait_seconds": 10}
    taken = day.stack.api.post(f"/snapshots/devices/{day.device_id}/capture/historical", body)
    image = day.stack.api.raw(f"/snapshots/{taken['id']}/image").content
    assert read_counter_of_file(image) == number_at(NOON, 30)


def test_a_bookmark_gets_its_clip_and_poster(day):
    body = {"device_id": day.device_id, "at": spell(at(NOON + 1, 20)), "title": "A van"}
    made = day.stack.api.post("/bookmarks", body)
    found = {}

    def is_over() -> bool:
        found.update(day.stack.api.get(f"/bookmarks/{made['id']}"))
        return found["clip"]["state"] in ("ready", "failed")

    day.stack.wait_until(is_over, 30, "the clip is made")
    assert found["clip"]["state"] == "ready", found
    clip = day.stack.api.raw(f"/bookmarks/{made['id']}/clip.mp4").content
    numbers = [number for number, _ in read_frames(clip)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert number_at(NOON + 1, 20) in numbers
    poster = day.stack.api.raw(f"/bookmarks/{made['id']}/poster.jpg").content
    assert read_counter_of_file(poster) == number_at(NOON + 1, 20)


def test_a_time_lapse_has_the_pictures_of_the_original(day, note):
    job, local = day.run_job(day.lapse_url, LAPSE), day.local["lapse"]
    found = frames_of(day.download(job))
    assert len(found) > 25
    assert found == frames_of(day.local["files"]["lapse"])
    note(f"time-lapse of the day from S3 in {job['seconds']:.1f} s, from the disk in {local['seconds']:.1f} s")


def test_the_poster_of_a_stopped_camera_is_its_last_archived_picture(day):
    answer = {}

    def is_made() -> bool:
        answer["poster"] = day.stack.api.raw(f"/devices/{day.device_id}/poster.jpg?width=640")
        return answer["poster"].status_code == 200

    day.stack.wait_until(is_made, 20, "the poster is made")
    assert read_counter_of_file(answer["poster"].content) is not None


def test_playback_says_that_the_storage_is_away_and_goes_on_when_it_is_back(day, page):
    day.forget_what_was_read()
    first_picture(page, day, at(EVENING, 30))
    day.server.kill()
    try:
        # What is loaded already is soon played.
        page.get_by_role("button", name="Playback speed").click()
        page.get_by_role("menuitem", name="16×").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("The archive", timeout=2 * SEEN_MS)
        expect(alert.get_by_role("button", name="Retry")).to_be_visible()
        _, stopped = shown(page)
    finally:
        day.server.start()
    wait_moment(page, stopped + 60_000, 30)
    expect(alert).to_have_count(0)


def test_a_file_that_is_gone_from_the_storage_is_named_and_the_rest_plays(day, page):
    day.forget_what_was_read()
    bucket = day.server.keys()
    (key,) = [key for key in bucket if "/13/02-" in key]
    day.server.request("DELETE", f"/{day.server.bucket}/{key}")
    first_picture(page, day, at(NOON + 1, 57))
    expect(page.get_by_text("its file is missing or damaged")).to_be_visible(timeout=SEEN_MS)
    wait_moment(page, at(NOON + 3, 1))
    body = {"start": spell(at(NOON + 1, 30)), "end": spell(at(NOON + 3, 30)), "cut": "key_frames"}
    job = day.run_job(f"{day.url}/export", body)
    assert job["state"] == "done", job
    (damage,) = [text for text in job["result"]["notes"] if "cannot be read" in text or "damaged" in text]
    assert "13:02:00" in damage


def test_a_storage_that_stalls_delays_its_readers_and_nobody_else(day, page):
    day.forget_what_was_read()
    day.server.freeze()
    try:
        page.goto(f"/devices/{day.device_id}?t={spell(at(EVENING + 9))}")
        expect(page.get_by_text("Loading from the archive")).to_be_visible()
        assert day.stack.api.get("/devices")
    finally:
        day.server.thaw()
    page.wait_for_function(_IS_PLAYING)
