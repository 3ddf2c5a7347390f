"""Keeping a session alive: keep-alives as the camera answers them, silence, reports, requests of the camera."""

import asyncio
import struct
from dataclasses import replace

import pytest

from tests.workers.rtsp.camera import (
    AUDIO_SDP,
    CALM,
    VIDEO_SDP,
    Answer,
    ScriptedCamera,
    interleaved,
    play,
    reason_of,
    rtp,
    run,
    session_of,
)
from tests.workers.rtsp.test_flow import bye, read_report, sender_report
from workers.rtsp.session import Pace

#: A keep-alive after a few milliseconds.
QUICK = replace(CALM, keep_alive_share=0.005)


def public(*methods: str) -> Answer:
    return Answer(headers={"Public": ", ".join(methods)} if methods else {})


@pytest.mark.parametrize(
    ("listed", "method"),
    [
        (["OPTIONS", "DESCRIBE", "GET_PARAMETER"], "GET_PARAMETER"),
        (["OPTIONS", "DESCRIBE", "get_parameter"], "GET_PARAMETER"),
        (["OPTIONS", "DESCRIBE"], "OPTIONS"),
        ([], "GET_PARAMETER"),
    ],
)
def test_the_keep_alive_is_what_the_camera_knows(listed: list[str], method: str):
    async def test():
        async with ScriptedCamera(OPTIONS=public(*listed)) as camera:
            camera.timeout = ";timeout=2"
            async with session_of(camera.target(), pace=QUICK) as session:
                await play(session)
                count = 3 if method == "OPTIONS" else 2
                seen = await camera.wait_for(method, count)
                assert seen["session"] == "12345678"
                assert session.session_timeout == 2

    run(test)


@pytest.mark.parametrize("status", [400, 404, 405, 454, 501, 551])
def test_a_keep_alive_that_is_refused_changes_its_method(status: int):
    async def test():
        async with ScriptedCamera(GET_PARAMETER=Answer(status)) as camera:
            camera.timeout = ";timeout=2"
            async with session_of(camera.target(), pace=QUICK) as session:
                await play(session)
                await camera.wait_for("OPTIONS", 4)
                assert len(camera.of("GET_PARAMETER")) == 1
                assert f"answers {status} to GET_PARAMETER" in session.quirks

    run(test)


def test_keep_alives_that_are_refused_of_all_kinds_do_not_end_a_session_that_flows():
    async def test():
        async with ScriptedCamera(GET_PARAMETER=Answer(405)) as camera:
            camera.timeout = ";timeout=2"
            async with session_of(camera.target(), pace=QUICK) as session:
                _, taken = await play(session)
                camera.scripts["OPTIONS"] = Answer(405)
                await camera.wait_for("OPTIONS", 5)
                camera.write(interleaved(0, rtp(1)))
                await taken.count(1)

    run(test)


def test_a_session_that_the_camera_has_forgotten_ends():
    async def test():
        async with ScriptedCamera(GET_PARAMETER=Answer(454)) as camera:
            camera.timeout = ";timeout=2"
            async with session_of(camera.target(), pace=QUICK) as session:
                await play(session)
                camera.scripts["OPTIONS"] = Answer(454)
                assert (await reason_of(session.wait_ended())).reason == "session_lost"

    run(test)


def test_answers_are_found_between_packets():
    async def test():
        async with ScriptedCamera() as camera:
            camera.timeout = ";timeout=2"
            flood = b"".join(interleaved(0, rtp(number, payload=bytes(900))) for number in range(50))
            camera.scripts["GET_PARAMETER"] = Answer(before=flood, after=flood)
            async with session_of(camera.target(), pace=QUICK) as session:
                _, taken = await play(session)
                before = session.answered_at
                await camera.wait_for("GET_PARAMETER", 4)
                await taken.count(250)
                assert session.answered_at > before

    run(test)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 60),
        (";timeout=30", 30),
        (" ; Timeout = 15 ", 15),
        (";timeout=0", 60),
        (";timeout=x", 60),
        (";timeout=-5", 60),
        (";timeout=999999", 60),
        (";a=b;timeout=80", 80),
    ],
)
def test_the_time_limit_of_the_camera(text: str, seconds: float):
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            camera.timeout = text
            await play(session)
            assert session.session_timeout == seconds

    run(test)


def test_keep_alives_follow_in_less_than_half_of_the_time_limit():
    pace = Pace()
    assert pace.keep_alive_share < 0.5
    assert pace.keep_alive_longest <= 30


def test_a_camera_of_few_pictures_is_asked_whether_it_lives():
    async def test():
        async with (
            ScriptedCamera() as camera,
            session_of(camera.target(), pace=replace(CALM, quiet=0.01)) as session,
        ):
            await play(session)
            first = session.answered_at
            await camera.wait_for("GET_PARAMETER", 3)
            assert session.answered_at > first
            assert session.packets == 0

    run(test)


def test_a_camera_that_falls_silent_ends():
    async def test():
        async with (
            ScriptedCamera(GET_PARAMETER=Answer(silent=True)) as camera,
            session_of(camera.target(), pace=replace(CALM, quiet=0.01), answer_seconds=0.3) as session,
        ):
            await play(session)
            error = await reason_of(session.wait_ended())
            assert (error.reason, error.message) == (
                "timed_out",
                "the camera fell silent: neither packets nor answers come",
            )

    run(test)


def test_keep_alives_without_an_answer_do_not_end_a_session_that_flows():
    async def test():
        async with ScriptedCamera() as camera:
            camera.timeout = ";timeout=2"
            flow = interleaved(0, rtp(1))
            camera.scripts["GET_PARAMETER"] = camera.scripts["OPTIONS"] = Answer(raw=flow)
            camera.scripts["OPTIONS"] = [public("GET_PARAMETER"), Answer(raw=flow)]
            async with session_of(camera.target(), pace=QUICK, answer_seconds=0.3) as session:
                _, taken = await play(session)
                await taken.count(4)
                assert "does not answer GET_PARAMETER" in session.quirks
                assert camera.of("OPTIONS")

    run(test)


def test_reports_go_over_the_connection_for_each_track_that_sends():
    async def test():
        async with (
            ScriptedCamera(VIDEO_SDP + AUDIO_SDP) as camera,
            session_of(camera.target(), pace=replace(CALM, report=0.01)) as session,
        ):
            _, taken = await play(session)
            camera.write(interleaved(2, rtp(9, 7)) + interleaved(3, sender_report(7)))
            await taken.until(lambda: taken.reports)
            await camera.wait_for_reports(2)
            channel, report = camera.reports[-1]
            assert channel == 3
            assert read_report(report) | {"since": 0} == {
                "source": 7,
                "fraction": 0,
                "lost": 0,
                "highest": 9,
                "jitter": 0,
                "last": 0x03040506,
                "since": 0,
            }

    run(test)


def test_a_stream_that_all_tracks_have_ended_ends():
    async def test():
        async with (
            ScriptedCamera() as camera,
            session_of(camera.target(), pace=replace(CALM, after_bye=0.01)) as session,
        ):
            _, taken = await play(session)
            camera.write(interleaved(0, rtp(1, 7)))
            await taken.count(1)
            camera.write(interleaved(1, sender_report(7) + bye(7)))
            error = await reason_of(session.wait_ended())
            assert (error.reason, error.message) == (
                "closed_by_camera",
                "the camera ended the stream (RTCP BYE)",
            )

    run(test)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200),
        ("GET_PARAMETER", 200),
        ("SET_PARAMETER", 200),
        ("ANNOUNCE", 200),
        ("RECORD", 501),
        ("FOO_X", 501),
    ],
)
def test_requests_of_the_camera_are_answered_and_the_session_goes_on(method: str, status: int):
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            _, taken = await play(session)
            asked = f"{method} rtsp://x/ RTSP/1.0\r\nCSeq: 41\r\nContent-Length: 3\r\n\r\nabc".encode()
            camera.write(asked + interleaved(0, rtp(1)))
            reply = await camera.wait_for("reply")
            assert reply.url.startswith(f"RTSP/1.0 {status} ")
            assert reply["cseq"] == "41"
            await taken.count(1)

    run(test)


@pytest.mark.parametrize(("method", "reason"), [("REDIRECT", "redirected"), ("TEARDOWN", "closed_by_camera")])
def test_a_camera_may_end_the_session_by_a_request(method: str, reason: str):
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            await play(session)
            camera.write(f"{method} rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://y/\r\n\r\n".encode())
            assert (await reason_of(session.wait_ended())).reason == reason

    run(test)


def test_a_camera_that_asks_without_end_and_reads_nothing_is_given_up():
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            await play(session)
            camera.writers[-1].transport.pause_reading()
            question = b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 5000

            async def ask() -> None:
                while True:
                    camera.write(question)
                    await camera.writers[-1].drain()

            asking = asyncio.create_task(ask())
            assert (await reason_of(session.wait_ended())).reason == "timed_out"
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    run(test)


def test_nothing_of_a_session_runs_on_after_its_end():
    async def test():
        async with (
            ScriptedCamera() as camera,
            session_of(camera.target(), pace=replace(CALM, quiet=0.01, report=0.01)) as session,
        ):
            await play(session)
            camera.write(interleaved(0, struct.pack(">BBHII", 0x80, 96, 1, 1, 1)))
            await camera.wait_for("GET_PARAMETER")
        await asyncio.sleep(0)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert [task for task in others if "ScriptedCamera" not in repr(task)] == []

    run(test)
