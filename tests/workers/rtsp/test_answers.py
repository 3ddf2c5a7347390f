"""Each answer of a camera leads to its reason: the table of statuses and methods, line by line."""

import pytest

from gateway.states import REASONS
from tests.workers.rtsp.camera import Answer, ScriptedCamera, play_reason, run
from workers.rtsp.answers import PHRASES, reason_code, refusal
from workers.rtsp.messages import Reply

#: Status, then the reasons at DESCRIBE, SETUP and PLAY.
TABLE = [
    (300, "redirected", "redirected", "redirected"),
    (301, "redirected", "redirected", "redirected"),
    (302, "redirected", "redirected", "redirected"),
    (303, "redirected", "redirected", "redirected"),
    (305, "redirected", "redirected", "redirected"),
    (400, "request_refused", "request_refused", "request_refused"),
    (402, "forbidden", "forbidden", "forbidden"),
    (403, "forbidden", "forbidden", "forbidden"),
    (404, "not_found", "not_found", "not_found"),
    (405, "request_refused", "request_refused", "request_refused"),
    (406, "no_video", "request_refused", "request_refused"),
    (407, "login_unsupported", "login_unsupported", "login_unsupported"),
    (408, "timed_out", "timed_out", "timed_out"),
    (410, "not_found", "not_found", "not_found"),
    (413, "request_refused", "request_refused", "request_refused"),
    (414, "request_refused", "request_refused", "request_refused"),
    (415, "no_video", "no_video", "no_video"),
    (429, "too_many_connections", "too_many_connections", "too_many_connections"),
    (451, "request_refused", "request_refused", "request_refused"),
    (452, "request_refused", "request_refused", "request_refused"),
    (453, "too_many_connections", "too_many_connections", "too_many_connections"),
    (454, "not_found", "session_lost", "session_lost"),
    (455, "request_refused", "request_refused", "request_refused"),
    (456, "request_refused", "request_refused", "request_refused"),
    (457, "request_refused", "request_refused", "request_refused"),
    (459, "request_refused", "request_refused", "request_refused"),
    (460, "request_refused", "request_refused", "request_refused"),
    (461, "transport_refused", "transport_refused", "transport_refused"),
    (462, "transport_refused", "transport_refused", "transport_refused"),
    (499, "request_refused", "request_refused", "request_refused"),
    (500, "camera_error", "camera_error", "camera_error"),
    (501, "request_refused", "request_refused", "request_refused"),
    (502, "camera_error", "camera_error", "camera_error"),
    (503, "too_many_connections", "too_many_connections", "too_many_connections"),
    (504, "camera_error", "camera_error", "camera_error"),
    (505, "request_refused", "request_refused", "request_refused"),
    (551, "option_refused", "option_refused", "option_refused"),
    (599, "camera_error", "camera_error", "camera_error"),
    (666, "invalid_data", "invalid_data", "invalid_data"),
]
CASES = [
    (method, status, reason)
    for status, *reasons in TABLE
    for method, reason in zip(("DESCRIBE", "SETUP", "PLAY"), reasons, strict=True)
]


@pytest.mark.parametrize(("method", "status", "reason"), CASES)
def test_an_answer_gives_its_reason(method: str, status: int, reason: str):
    async def test():
        async with ScriptedCamera(**{method: Answer(status)}) as camera:
            error = await play_reason(camera)
            assert error.reason == reason == reason_code(method, status)
            assert REASONS[reason].remedy

    run(test)


def test_every_status_of_rtsp_is_in_the_table():
    assert {status for status in PHRASES if status != 401} <= {status for status, *_ in TABLE}


@pytest.mark.parametrize(
    ("method", "status", "message"),
    [
        ("SETUP", 405, "the camera rejected a request: 405 Method Not Allowed to SETUP"),
        ("DESCRIBE", 551, "the camera demands an extension of RTSP that is not supported: 551 Option Not Supported to"),
        ("PLAY", 500, "the camera answered with an internal error: 500 Internal Server Error to PLAY"),
        ("SETUP", 453, "the camera has too many connections"),
    ],
)
def test_the_sentence_says_what_was_answered_where_the_reason_does_not(method: str, status: int, message: str):
    assert refusal(method, Reply(status, "the camera's own phrase")).message.startswith(message)


@pytest.mark.parametrize("status", [400, 404, 405, 454, 500, 501, 551])
def test_a_camera_without_options_is_forgiven(status: int):
    async def test():
        from tests.workers.rtsp.camera import play, session_of

        async with ScriptedCamera(OPTIONS=Answer(status)) as camera, session_of(camera.target()) as session:
            description, _ = await play(session)
            assert description.quirks == (f"answers {status} to OPTIONS",)

    run(test)


def test_a_range_that_the_camera_does_not_want_is_left_out():
    async def test():
        from tests.workers.rtsp.camera import play, session_of

        script = lambda seen: Answer(457) if "range" in seen.headers else camera.plain(seen)  # noqa: E731
        async with ScriptedCamera(PLAY=script) as camera, session_of(camera.target()) as session:
            await play(session)
            assert "answers 457 to a PLAY with a range" in session.quirks

    run(test)


def test_a_camera_that_plays_each_track_by_itself_only():
    async def test():
        from tests.workers.rtsp.camera import AUDIO_SDP, VIDEO_SDP, play, session_of

        script = lambda seen: camera.plain(seen) if "trackID" in seen.url else Answer(459)  # noqa: E731
        async with (
            ScriptedCamera(VIDEO_SDP + AUDIO_SDP, PLAY=script) as camera,
            session_of(camera.target()) as session,
        ):
            await play(session)
            assert [item.url.rpartition("/")[2] for item in camera.of("PLAY")] == ["", "trackID=0", "trackID=1"]

    run(test)
