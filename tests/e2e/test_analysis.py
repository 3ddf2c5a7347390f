"""Analysis through the whole stack: pictures of a camera's sub-stream become events, footage and snapshots."""


def test_motion_is_an_event_with_a_picture_and_footage(stack, add_device, add_camera):
    device_id = add_device(add_camera(), sub_source_url=add_camera("sub", width=320, height=180, fps=5))
    stack.wait_for_state(device_id, "running")
    recording = f"/recordings/devices/{device_id}"
    stack.api.put(recording, stack.api.get(recording) | {"mode": "event"})
    assert stack.stream(device_id)["camera_sessions"] in (None, 1)
    options = f"/devices/{device_id}/plugins/ai_analytics"
    stack.api.put(options, {"values": {"is_on": True, "detectors": [], "sensitivity": 80}})

    def find_event() -> dict | None:
        found = stack.api.get(f"/detections?device_id={device_id}&kind=motion")
        return next((one for one in found if one["snapshot_id"]), None)

    event = stack.wait_until(find_event, 45, "an event with a picture")
    assert event["box"]
    state = stack.api.get(f"/devices/{device_id}/analysis")
    assert (state["is_running"], state["source"], state["problems"]) == (True, "sub_stream", [])
    stack.wait_until(
        lambda: (stack.api.get(f"/devices/{device_id}/analysis")["given_fps"] or 0) > 1, 15, "pictures are analysed"
    )
    assert stack.stream(device_id)["camera_sessions"] == 2
    picture = stack.api.get(f"/snapshots/{event['snapshot_id']}")
    assert (picture["width"], picture["height"]) == (640, 360)
    assert picture["created_by"] == "ai_analytics"
    footage = stack.wait_until(
        lambda: stack.api.get(f"/recordings/devices/{device_id}/timeline?start={event['start']}&end={picture['at']}")[
            "spans"
        ],
        20,
        "footage of the event",
    )
    # With the pre-roll: before the event was known.
    assert footage[0]["start"] <= event["start"]

    stack.api.put(options, {"values": {"is_on": False}})
    stack.wait_until(lambda: stack.stream(device_id)["camera_sessions"] == 1, 25, "the end of the second session")
    stack.wait_until(
        lambda: all(one["end"] for one in stack.api.get(f"/detections?device_id={device_id}")), 10, "the events' ends"
    )
