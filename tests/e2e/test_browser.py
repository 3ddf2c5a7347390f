"""From the camera to the page in Chromium: pictures, their latency, and sound."""

MAX_MS = 1000

# The loudness from -Infinity to 0 dB: the maximum of several samples of the live video's sound.
_LOUDNESS = """
async () => {
  const video = document.querySelector('[data-testid=live-video]');
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(new MediaStream(video.srcObject.getAudioTracks())).connect(analyser);
  await context.resume();
  const levels = new Float32Array(analyser.frequencyBinCount);
  let most = -Infinity;
  for (let look = 0; look < 40 && most < -90; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    analyser.getFloatFrequencyData(levels);
    most = Math.max(most, ...levels);
  }
  return most;
}
"""


def test_live_video_of_a_real_camera_has_a_latency_below_a_second_in_the_page(
    stack, add_camera, add_device, watch, note
):
    device_id = add_device(add_camera(codec="h264", audio="aac"))
    stack.wait_for_state(device_id, "running")

    viewer = watch(device_id)
    viewer.wait_live()
    latency = viewer.measure_latency(6)

    note(f"latency in Chromium, H.264 copied: {latency}")
    assert latency.frames > 60
    assert latency.median_ms < MAX_MS
    assert latency.median_ms > 0, "the clock of a frame cannot be ahead of its arrival"
    assert stack.stream(device_id)["viewers"] == 1
    assert not viewer.problems


def test_the_sound_of_a_camera_is_in_the_page(stack, add_camera, add_device, watch):
    device_id = add_device(add_camera(codec="h264", audio="aac"))
    stack.wait_for_state(device_id, "running")
    viewer = watch(device_id)
    viewer.wait_live()
    has_sound = "() => document.querySelector('[data-testid=live-video]').srcObject.getAudioTracks().length === 1"
    viewer.page.wait_for_function(has_sound, timeout=10_000)

    assert viewer.page.evaluate(_LOUDNESS) > -90


def test_two_viewers_share_one_connection_to_a_camera(stack, cameras, add_camera, add_device, watch):
    url = add_camera()
    device_id = add_device(url)
    stack.wait_for_state(device_id, "running")
    viewers = [watch(device_id), watch(device_id)]
    for viewer in viewers:
        viewer.wait_live()
    stack.wait_until(lambda: stack.stream(device_id)["viewers"] == 2, 10, "two viewers are counted")

    assert cameras.describe()[url[url.index("/", 7) :]]["clients"] == 1
    for viewer in viewers:
        assert viewer.frames_in(1) > 8


def test_a_viewer_of_a_stopped_camera_sees_it_as_soon_as_it_is_started(stack, add_camera, add_device, watch):
    device_id = add_device(add_camera(), start_mode="manual")
    viewer = watch(device_id)
    viewer.page.wait_for_selector("[data-player-state=waiting]", timeout=15_000)

    stack.api.post(f"/rtsp/streams/{device_id}/start")
    viewer.wait_live(20)

    assert viewer.has_continued
