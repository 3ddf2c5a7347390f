"""An on-demand device runs while somebody watches, and not otherwise."""

IDLE_SECONDS = 5


def test_an_on_demand_device_starts_for_a_viewer_and_stops_when_nobody_watches(stack, add_camera, add_device, watch):
    device_id = add_device(add_camera(), start_mode="on_demand", idle_seconds=IDLE_SECONDS)
    assert stack.stream(device_id)["observed"] == "stopped"

    viewer = watch(device_id)
    viewer.wait_live(20)
    # It keeps running while somebody watches, also beyond the idle time.
    assert viewer.frames_in(IDLE_SECONDS + 4) > 10 * IDLE_SECONDS
    viewer.page.goto("about:blank")

    stack.wait_for_state(device_id, "stopped", IDLE_SECONDS + 15, reason="idle")
    assert not stack.ffmpeg_pids(device_id)
