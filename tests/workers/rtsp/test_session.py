"""The life of a session: describe, play, end, close, and what is readable meanwhile."""

import asyncio

import pytest

from tests.workers.rtsp.camera import (
    AUDIO_SDP,
    CALM,
    VIDEO_SDP,
    Answer,
    Failing,
    ScriptedCamera,
    Taken,
    interleaved,
    play,
    reason_of,
    rtp,
    run,
    session_of,
)
from workers.rtp.units import SourceError
from workers.rtsp.session import RtspSession


def test_packets_of_all_tracks_come_in_order_until_the_session_is_closed_with_teardown():
    async def test():
        async with ScriptedCamera(VIDEO_SDP + AUDIO_SDP) as camera:
            async with session_of(camera.target("admin:secret")) as session:
                description, taken = await play(session)
                assert [track.codec for track in description.tracks] == ["h264", "pcm_alaw"]
                assert [track.control for track in description.tracks] == [
                    f"rtsp://127.0.0.1:{camera.port}/live/trackID={number}" for number in (0, 1)
                ]
                sent = [interleaved(0, rtp(number)) for number in range(5)]
                camera.write(b"".join([*sent, interleaved(2, rtp(9, 7)), interleaved(3, b"\x80\xc8" + bytes(26))]))
                await taken.until(lambda: taken.reports)
                assert taken.packets == [(0, rtp(number)) for number in range(5)] + [(1, rtp(9, 7))]
                assert [index for index, _ in taken.reports] == [1]
                assert taken.batches >= 1
                assert session.packets == 6
                assert session.bytes > sum(len(item) for item in sent)
                assert session.heard_at >= session.answered_at > 0
                assert (session.address, session.transport, session.login) == ("127.0.0.1", "tcp", "none")
            assert camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY", "TEARDOWN"]
            assert {item["session"] for item in camera.requests[3:]} == {"12345678"}
            assert {item["user-agent"] for item in camera.requests} == {"VAS"}
            assert (await reason_of(session.wait_ended())).reason == "requested"

    run(test)


def test_wait_ended_raises_why_the_camera_went():
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            await play(session)
            camera.writers[-1].close()
            assert (await reason_of(session.wait_ended())).reason == "closed_by_camera"
            assert (await reason_of(session.wait_ended())).reason == "closed_by_camera"

    run(test)


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_session_may_be_closed_while_any_answer_is_awaited(method: str):
    async def test():
        async with ScriptedCamera(**{method: Answer(silent=True)}) as camera, session_of(camera.target()) as session:
            playing = asyncio.create_task(reason_of(play(session)))
            await camera.wait_for(method)
            await session.close()
            await session.close()
            assert (await playing).reason == "requested"
            assert (await reason_of(session.wait_ended())).reason == "requested"
            if method == "PLAY":
                assert camera.of("TEARDOWN")

    run(test)


def test_a_session_may_be_closed_while_it_connects_and_before():
    async def test():
        async with ScriptedCamera() as camera:
            session = RtspSession(camera.target(), pace=CALM)
            describing = asyncio.create_task(reason_of(session.describe()))
            await asyncio.sleep(0)
            await session.close()
            assert (await describing).reason == "requested"
            unused = RtspSession(camera.target(), pace=CALM)
            await unused.close()
            assert (await reason_of(unused.describe())).reason == "requested"

    run(test)


def test_a_caller_that_gives_up_leaves_a_session_that_can_be_closed():
    async def test():
        async with ScriptedCamera(DESCRIBE=Answer(silent=True)) as camera, session_of(camera.target()) as session:
            task = asyncio.create_task(session.describe())
            await camera.wait_for("DESCRIBE")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await session.close()

    run(test)


def test_a_session_that_fails_at_play_is_torn_down():
    async def test():
        async with ScriptedCamera(PLAY=Answer(500)) as camera, session_of(camera.target()) as session:
            assert (await reason_of(play(session))).reason == "camera_error"
            await camera.wait_for("TEARDOWN")

    run(test)


def test_a_camera_that_does_not_answer_teardown_is_left_within_the_limit():
    async def test():
        from dataclasses import replace

        pace = replace(CALM, teardown=0.01)
        async with (
            ScriptedCamera(TEARDOWN=Answer(silent=True)) as camera,
            session_of(camera.target(), pace=pace) as session,
        ):
            await play(session)
            async with asyncio.timeout(10):
                await session.close()
            assert (await reason_of(session.wait_ended())).reason == "requested"

    run(test)


def test_a_callback_may_close_the_session():
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            closing = []

            class Closing(Taken):
                def packet(self, index: int, packet: bytes, arrived: float) -> None:
                    super().packet(index, packet, arrived)
                    closing.append(asyncio.create_task(session.close()))

            description = await session.describe()
            await session.play(description.tracks, Closing())
            camera.write(interleaved(0, rtp(1)))
            assert (await reason_of(session.wait_ended())).reason == "requested"
            await asyncio.gather(*closing)

    run(test)


def test_a_callback_that_fails_ends_the_session_and_nothing_else():
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            description = await session.describe()
            await session.play(description.tracks, Failing())
            camera.write(interleaved(0, rtp(1)))
            assert (await reason_of(session.wait_ended())).reason == "unknown"

    run(test)


def test_a_track_of_sound_that_the_camera_refuses_is_left_out():
    async def test():
        script = lambda seen: Answer(404) if "trackID=1" in seen.url else camera.plain(seen)  # noqa: E731
        async with (
            ScriptedCamera(VIDEO_SDP + AUDIO_SDP, SETUP=script) as camera,
            session_of(camera.target()) as session,
        ):
            _, taken = await play(session)
            camera.write(interleaved(0, rtp(1)))
            await taken.count(1)
            assert session.left_out[1].reason == "not_found"
            assert "refuses SETUP of track 2 (pcm_alaw)" in session.quirks

    run(test)


def test_tracks_with_a_problem_are_not_set_up():
    async def test():
        talk_back = "m=audio 0 RTP/AVP 0 8\r\na=sendonly\r\na=control:back\r\n"
        async with ScriptedCamera("v=0\r\n" + talk_back + VIDEO_SDP[4:] + AUDIO_SDP) as camera:
            async with session_of(camera.target()) as session:
                description, _ = await play(session)
                assert [bool(track.problem) for track in description.tracks] == [True, False, False]
            assert [item.url.rpartition("/")[2] for item in camera.of("SETUP")] == ["trackID=0", "trackID=1"]

    run(test)


def test_every_error_of_a_session_is_a_source_error_with_a_known_reason():
    from gateway.states import REASONS

    error = SourceError("session_lost")
    assert error.reason in REASONS
    assert error.message == REASONS["session_lost"].message


def test_a_session_without_an_identifier_is_torn_down_too():
    async def test():
        script = lambda seen: Answer(headers={"Transport": seen["transport"]})  # noqa: E731
        async with ScriptedCamera(SETUP=script) as camera:
            async with session_of(camera.target()) as session:
                await play(session)
                assert session.quirks == ("gives its session no identifier",)
            assert camera.methods.count("TEARDOWN") == 1
            assert "session" not in camera.of("TEARDOWN")[0].headers

    run(test)
