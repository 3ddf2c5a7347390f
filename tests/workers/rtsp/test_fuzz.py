"""Whatever comes over the network: a reason or nothing, bounded memory, and nothing that runs on."""

import asyncio
import contextlib
import gc
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.rtsp.camera import (
    AUDIO_SDP,
    CALM,
    VIDEO_SDP,
    Answer,
    ScriptedCamera,
    Seen,
    Taken,
    interleaved,
    reason_of,
    rtp,
    session_of,
)
from tests.workers.rtsp.test_flow import bye, sender_report
from workers.rtp.units import SourceError
from workers.rtsp.messages import Reply, build_request, content_length, cseq_of, is_first_line, parse_head
from workers.rtsp.transports import parse_rtp_info, parse_transport

#: Short limits: what a mutation makes silent ends soon.
PACE = replace(CALM, quiet=0.02, report=0.01, after_bye=0.02, teardown=0.02)
LIMIT = 0.05

MUTATION = st.tuples(
    st.sampled_from(["cut", "flip", "insert", "repeat", "swap", "lengthen", "drop line", "none"]),
    st.integers(0, 10_000),
    st.binary(max_size=12),
)
MEDIA = b"".join(
    [
        *(interleaved(0, rtp(number, payload=bytes(50))) for number in range(20)),
        interleaved(1, sender_report(0x11223344)),
        *(interleaved(2, rtp(number, 5, bytes(20))) for number in range(10)),
        interleaved(3, sender_report(5) + bye(5)),
        b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 4\r\n\r\n",
        *(interleaved(0, rtp(number, payload=bytes(50))) for number in range(20, 30)),
    ]
)


def mutate(data: bytes, mutation: tuple[str, int, bytes]) -> bytes:
    how, place, junk = mutation
    place %= max(1, len(data))
    if how == "cut":
        return data[:place]
    if how == "flip":
        return data[:place] + bytes(byte ^ 0xFF for byte in data[place : place + 1]) + data[place + 1 :]
    if how == "insert":
        return data[:place] + junk + data[place:]
    if how == "repeat":
        return data[:place] + data
    if how == "swap":
        return data[place:] + data[:place]
    if how == "lengthen":
        return data.replace(b"Content-Length: ", b"Content-Length: 9")
    if how == "drop line":
        lines = data.split(b"\r\n")
        return b"\r\n".join(line for number, line in enumerate(lines) if number != place % len(lines))
    return data


async def play_against(camera: ScriptedCamera) -> None:
    """A whole session; only SourceError may come out of it, and nothing may be reported to the loop."""
    complaints: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    taken = Taken()
    async with camera, session_of(camera.target("admin:pw"), pace=PACE, answer_seconds=LIMIT) as session:
        with contextlib.suppress(SourceError):
            async with asyncio.timeout(30):
                description = await session.describe()
                await session.play(description.tracks, taken)
                camera.writers[-1].close()
                await session.wait_ended()
    await asyncio.sleep(0)
    assert complaints == []


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"])
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(MUTATION, min_size=1, max_size=3))
def test_mutated_answers(method: str, mutations: list[tuple[str, int, bytes]]):
    async def test():
        camera = ScriptedCamera(VIDEO_SDP + AUDIO_SDP)

        def answer(seen: Seen) -> Answer:
            plain = camera.plain(seen)
            if seen.method == "PLAY":
                plain.after = MEDIA
            data = plain.encode(seen["cseq"])
            for mutation in mutations if seen.method == method else ():
                data = mutate(data, mutation)
            return Answer(raw=data)

        camera.scripts = dict.fromkeys(("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"), answer)
        await play_against(camera)

    asyncio.run(test())


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.lists(MUTATION, min_size=1, max_size=8))
def test_mutated_media(mutations: list[tuple[str, int, bytes]]):
    async def test():
        camera = ScriptedCamera(VIDEO_SDP + AUDIO_SDP)
        data = MEDIA
        for mutation in mutations:
            data = mutate(data, mutation)
        camera.scripts["PLAY"] = Answer(after=data)
        await play_against(camera)

    asyncio.run(test())


HEADER_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]),
    st.sampled_from([200, 301, 401, 454, 461]),
    st.dictionaries(
        st.sampled_from(
            ["Transport", "Session", "WWW-Authenticate", "Content-Base", "Location", "RTP-Info", "Public", "Server"]
        ),
        HEADER_TEXT,
    ),
)
def test_any_headers(method: str, status: int, headers: dict[str, str]):
    async def test():
        camera = ScriptedCamera(VIDEO_SDP + AUDIO_SDP)
        camera.scripts[method] = Answer(status, headers, body=VIDEO_SDP if method == "DESCRIBE" else "")
        await play_against(camera)

    asyncio.run(test())


def test_a_thousand_sessions_against_rubbish_keep_nothing():
    """Sessions that fail leave no task, no socket and no memory behind."""

    async def test():
        async with ScriptedCamera(OPTIONS=Answer(raw=b"RTSP/1.0 200 OK\r\n" + b"\xff" * 3000, close=True)) as camera:
            before = len(asyncio.all_tasks())
            for _ in range(300):
                async with session_of(camera.target()) as session:
                    await reason_of(session.describe())
            gc.collect()
            await asyncio.sleep(0)
            assert len([task for task in asyncio.all_tasks() if "_serve" not in repr(task)]) <= before

    asyncio.run(test())


@given(st.binary(max_size=300))
def test_any_head(data: bytes):
    is_first_line(data)
    message = parse_head(data)
    if message is not None:
        content_length(message.headers)
        cseq_of(message.headers)


@given(st.text(max_size=100), st.sampled_from(["tcp", "udp"]))
def test_any_transport_and_rtp_info(text: str, transport: str):
    with contextlib.suppress(SourceError):
        parse_transport(text, transport)
    for _, sequence in parse_rtp_info(text):
        assert sequence is None or 0 < sequence < 65_536


@given(st.text(max_size=40), st.dictionaries(st.just("X"), st.text(max_size=40)))
def test_no_text_begins_another_header(url: str, headers: dict[str, str]):
    text = build_request("PLAY", url, headers)
    assert text.count(b"\r\n") == text.count(b"\n") == 2 + len(headers)


@pytest.mark.parametrize(
    "line",
    [b"A" * 4000, b"AAA " * 1000, b"AAA" + b" " * 4000, b"RTSP/1.0" + b" " * 4000, b"OPTIONS " + b"RTSP/1.0 " * 400],
)
def test_first_lines_take_no_time(line: bytes):
    began = time.process_time()
    for _ in range(200):
        is_first_line(line)
        parse_head(line)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("header", ["Transport", "RTP-Info", "Session", "Public", "Content-Base", "Server", "Location"])
@pytest.mark.parametrize("text", ["," * 60_000, " " * 60_000, "url=;" * 12_000, ";seq" * 15_000, "a:b@" * 15_000])
def test_long_headers_take_no_time(header: str, text: str):
    from gateway.sources.login import Login
    from workers.rtsp.dialogue import Dialogue
    from workers.rtsp.messages import clean_camera_text
    from workers.rtsp.urls import base_urls, clean_url, track_urls

    began = time.process_time()
    reply = Reply(200, headers={header.lower(): [text]})
    with contextlib.suppress(SourceError):
        parse_transport(reply.get("transport"), "tcp")
    parse_rtp_info(reply.get("rtp-info"))
    Dialogue(Login(None)).read_session(reply)
    bases, _ = base_urls("rtsp://h/x", None, reply)
    track_urls(bases, text)
    clean_url(text)
    clean_camera_text(text)
    assert time.process_time() - began < 2
