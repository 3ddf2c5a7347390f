"""Recordings and live HLS in Chromium with hls.js: over cuts without stopping, each picture at its own time."""

import os
import signal
import time
from datetime import UTC, datetime
from statistics import median

from tests.playback import Clip, make_clip
from tests.playback.player import HlsPlayer, longest_stop
from tests.stack.viewer import Latency

#: Chromium here has no screen and shares two cores; more than this between two pictures counts as a stop.
MAX_STOP_SECONDS = 1.5

#: The start of a minute an hour ago: retention deletes nothing of it.
BASE_MS = (int(time.time()) // 60 - 60) * 60_000


def spell(at_ms: float) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def playlist_url(stack, device_id: str, start_ms: float | None = None, end_ms: float | None = None) -> str:
    base = f"{stack.url}/api/v1/recordings/devices/{device_id}/playlist"
    return base if start_ms is None else f"{base}?start={spell(start_ms)}&end={spell(end_ms)}"


def test_runs_gaps_sizes_sound_and_b_frames_play_without_interruption(stack, browser, add_footage, note):
    clips = [
        make_clip(seconds=4, key_seconds=2),
        make_clip(seconds=4, first_frame=1000, size=(640, 360), audio=True, audio_from=1.7),
        make_clip(seconds=4, first_frame=2000, b_frames=2),
        make_clip(seconds=4, first_frame=3000, audio=True, audio_until=2.2, channels=2),
    ]
    footage = add_footage()
    starts = [BASE_MS + 58_000, BASE_MS + 75_000, BASE_MS + 79_000, BASE_MS + 200_000]
    lost = range(2, 4)
    for clip, start in zip(clips, starts, strict=True):
        footage.record(clip, start, without=lost if clip is clips[2] else range(0))

    with HlsPlayer(browser, stack.url, playlist_url(stack, footage.device_id, BASE_MS, BASE_MS + 600_000)) as player:
        player.wait_until_over(60)
        assert player.fatal_errors == []
        seen = player.seen()

    stop = longest_stop(seen)
    note(f"played over 4 gaps in Chromium: {len(seen)} pictures, longest stop {stop:.2f} s")
    assert stop < MAX_STOP_SECONDS
    numbers = [picture.drawn for picture in seen]
    assert numbers == sorted(numbers)
    for clip in clips:
        assert_whole(clip, numbers, {25, 49} if clip is clips[2] else set())
    assert {picture.width for picture in seen} == {384, 640}
    # Each picture matches the time that the playlist gives it within a frame, as B-frames are shown one or two later.
    wrong = [picture.moment_ms - moment_of(picture.drawn, clips, starts) for picture in seen]
    assert all(abs(error) < 130 for error in wrong), max(wrong, key=abs)


def assert_whole(clip: Clip, numbers: list[int], edges_of_hole: set[int]) -> None:
    """Check that there are pictures of each second of a clip, except for the hole between two of its frames.

    Not of each frame: a busy machine may draw none for some time, and plays on.
    """
    shown = {number - clip.first_frame for number in numbers if number in clip.counters}
    hole = range(min(edges_of_hole), max(edges_of_hole) + 1) if edges_of_hole else range(0)
    assert not shown & set(hole)
    for first in range(0, clip.frames, 25):
        expected = set(range(first, min(first + 25, clip.frames))) - set(hole)
        assert not expected or shown & expected, (
            f"nothing of the frames {first} to {first + 24} after {clip.first_frame}"
        )


def moment_of(number: int, clips: list[Clip], starts: list[int]) -> float:
    clip, start = next((c, s) for c, s in zip(clips, starts, strict=True) if number in c.counters)
    return start + (number - clip.first_frame) * 1000 / clip.fps


def test_h265_plays_in_browsers_that_support_it_and_is_refused_by_name_in_others(stack, browser, add_footage, note):
    footage = add_footage()
    footage.record(make_clip(seconds=4, codec="h265"), BASE_MS)
    with HlsPlayer(
        browser, stack.url, playlist_url(stack, footage.device_id, BASE_MS, BASE_MS + 60_000), rate=2
    ) as player:
        can_play = player.page.evaluate("() => MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L60.90\"')")
        player.wait_until_over(20)
        errors, seen = player.fatal_errors, player.seen()

    note(f"H.265 in this Chromium: {'plays' if can_play else f'does not play, hls.js says {errors}'}")
    if can_play:
        assert errors == []
        assert len(seen) > 40
    else:
        # The player's page turns these into a message: the codec is at fault, not the footage.
        assert [error[0] for error in errors] == ["bufferAddCodecError"] or "Codec" in errors[0][0]
        assert "hvc1" in errors[0][2]


def test_a_real_camera_is_recorded_over_cuts_and_plays_without_interruption(
    stack, browser, cameras, add_camera, add_device, note
):
    url = add_camera(codec="h264", audio="aac", key_frame_seconds=1)
    path = url[url.index("/", 7) :]
    device_id = add_device(url)
    stack.wait_for_state(device_id, "running")
    stack.api.post(f"/recordings/devices/{device_id}/start")
    began = wait_recorded(stack, device_id, 2)

    def killed() -> None:
        # Another FFmpeg would go on with the same run.
        stack.kill("stream")

    def stopped() -> None:
        stack.api.post(f"/rtsp/streams/{device_id}/stop")
        stack.wait_for_state(device_id, "stopped")
        stack.api.post(f"/rtsp/streams/{device_id}/start")

    def resized() -> None:
        cameras.resize(path, 320, 192)

    for cut in (killed, stopped, resized):
        run = stack.stream(device_id)["run"]
        cut()
        stack.wait_until(
            lambda run=run: (stack.stream(device_id)["run"] or 0) > run, 20, f"a new run after {cut.__name__}"
        )
        stack.wait_for_state(device_id, "running")
        wait_recorded(stack, device_id, 2)
    stack.api.post(f"/recordings/devices/{device_id}/stop")
    ended = time.time() * 1000

    with HlsPlayer(browser, stack.url, playlist_url(stack, device_id, began, ended), rate=4) as player:
        player.wait_until_over(40)
        assert player.fatal_errors == []
        seen = player.seen()

    errors = [picture.moment_ms - picture.drawn for picture in seen]
    footage_seconds = seen[-1].media_seconds - seen[0].media_seconds
    note(
        f"recorded and played in Chromium over 3 cuts: {footage_seconds:.1f} s of footage of"
        f" {(ended - began) / 1000:.1f} s, longest stop {longest_stop(seen):.2f} s, moments {median(errors):+.0f} ms"
        f" ({min(errors):+.0f} to {max(errors):+.0f}) from the drawn clock"
    )
    assert longest_stop(seen) < MAX_STOP_SECONDS
    drawn = [picture.drawn for picture in seen]
    assert drawn == sorted(drawn)
    assert {picture.width for picture in seen} == {640, 320}
    # The time is when the recorder got the frame: a little after it was drawn, never before.
    # Except for the first one of a run: FFmpeg extends it back to the start of the sound.
    off = [number for number, error in enumerate(errors) if not -100 < error < 1000]
    assert all(number == 0 or drawn[number] - drawn[number - 1] > 500 for number in off), off


def wait_recorded(stack, device_id: str, seconds: float) -> float:
    """Wait until `seconds` more are recorded; returns the time of the call (ms since 1970)."""
    at = time.time()

    def newest() -> float:
        text = stack.api.get(f"/recordings/devices/{device_id}")["newest"]
        return datetime.fromisoformat(text).timestamp() if text else 0.0

    stack.wait_until(lambda: newest() >= at + seconds, seconds + 20, f"{seconds} s more are recorded of {device_id}")
    return at * 1000


def test_live_hls_is_seconds_behind_and_continues_after_a_cut(stack, browser, add_camera, add_device, note):
    device_id = add_device(add_camera(codec="h264", audio="aac", key_frame_seconds=1))
    stack.wait_for_state(device_id, "running")
    with HlsPlayer(browser, stack.url, playlist_url(stack, device_id), lowLatencyMode=True) as player:
        player.wait_for("() => window.seen.readings.length > 30", 30)
        player.page.wait_for_timeout(4000)
        latency = Latency.of([picture.delay_ms for picture in player.seen()[-40:]])
        assert player.fatal_errors == []

        killed = time.time()
        os.kill(stack.ffmpeg_pids(device_id)[0], signal.SIGKILL)
        stack.wait_until(lambda: stack.stream(device_id)["observed"] == "running", 20, "it runs again")
        back = player.wait_drawn_after(killed + 1, 30)
        player.page.wait_for_timeout(3000)
        seen = player.seen()
        again = Latency.of([picture.delay_ms for picture in seen[-30:]])
        assert player.fatal_errors == []

    moments = [picture.moment_ms - picture.drawn for picture in seen]
    note(
        f"live HLS in Chromium: latency {latency}; after FFmpeg was killed pictures again after {back:.1f} s,"
        f" then {again}; moments {median(moments):+.0f} ms from the drawn clock"
    )
    assert latency.median_ms < 5000
    assert again.median_ms < 8000
    assert all(abs(error) < 1000 for error in moments)
