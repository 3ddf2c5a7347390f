"""Splitting the bytes of a connection: packets, messages, lengths that lie, and limits on all that is kept."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.rtsp.camera import (
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
from workers.rtp.units import SourceError
from workers.rtsp.messages import MAX_BODY, Reply, Request
from workers.rtsp.reader import RtspReader


class Fed:
    """A reader that is fed by hand."""

    def __init__(self, *channels: int) -> None:
        self.messages: list[Reply | Request] = []
        self.packets: list[tuple[int, bytes]] = []
        self.errors: list[SourceError] = []
        self.batches = 0
        self.reader = RtspReader(self.messages.append, self.errors.append)
        self.reader.on_batch = self._count
        for channel in channels or (0,):
            self.reader.channels[channel] = lambda packet, now, channel=channel: self.packets.append((channel, packet))

    def _count(self) -> None:
        self.batches += 1

    def feed(self, data: bytes, size: int | None = None) -> None:
        """Feed bytes in reads of `size`."""
        while data and not self.errors:
            buffer = self.reader.get_buffer(-1)
            assert len(buffer) > 0
            count = min(len(data), len(buffer), size or len(data))
            buffer[:count] = data[:count]
            self.reader.buffer_updated(count)
            data = data[count:]


OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
WITH_BODY = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\n$\x00\x00\x04R"
ASKED = b"OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 3\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, None])
def test_packets_and_messages_in_any_pieces(size: int | None):
    fed = Fed(0, 1)
    packets = [interleaved(number % 2, rtp(number, payload=bytes(number))) for number in range(40)]
    fed.feed(OK + b"".join(packets[:20]) + WITH_BODY + b"\r\n" + b"".join(packets[20:]) + ASKED, size)
    assert fed.packets == [(number % 2, rtp(number, payload=bytes(number))) for number in range(40)]
    assert [type(item).__name__ for item in fed.messages] == ["Reply", "Reply", "Request"]
    assert fed.messages[1].body == b"$\x00\x00\x04R"
    assert fed.messages[2].method == "OPTIONS"
    assert fed.reader.junk == 0
    assert fed.errors == []


def test_packets_of_unknown_channels_are_skipped():
    fed = Fed(2)
    fed.feed(OK + interleaved(0, b"x" * 300) + interleaved(2, rtp(1)) + interleaved(255, b"") + interleaved(2, rtp(2)))
    assert fed.packets == [(2, rtp(1)), (2, rtp(2))]


def test_a_batch_ends_with_each_read_that_had_packets():
    fed = Fed()
    fed.feed(OK)
    assert fed.batches == 0
    fed.feed(interleaved(0, rtp(1)) * 3)
    assert fed.batches == 1
    fed.feed(interleaved(0, rtp(1))[:-1])
    assert fed.batches == 1


def test_the_longest_packets_pass():
    fed = Fed()
    big = [rtp(number, payload=bytes(65_535 - 12)) for number in range(20)]
    fed.feed(OK + b"".join(interleaved(0, item) for item in big), 50_000)
    assert [packet for _, packet in fed.packets] == big


@pytest.mark.parametrize(
    "between",
    [
        b"a=control:trackID=9\r\n\r\n",
        b"\xff\xfe$\x07junk$$$",
        b"RTSP/",
        b"R",
        b"OPTIONS\r\n",
        b"x" * 200_000,
        b"$" * 1000,
        b"\n\n\n\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 9, 4096, None])
def test_after_junk_packets_and_replies_are_found_again(between: bytes, size: int | None):
    if len(between) > 10_000 and size == 1:
        size = 9  # byte by byte it would take long, and is no other case
    fed = Fed()
    # Enough to fill a packet of an unknown channel, which junk may look like.
    good = b"".join(interleaved(0, rtp(number, payload=bytes(1000))) for number in range(2, 30))
    fed.feed(OK + interleaved(0, rtp(1)) + between + good + OK, size)
    assert fed.errors == []
    assert rtp(29, payload=bytes(1000)) in [packet for _, packet in fed.packets]
    assert isinstance(fed.messages[-1], Reply)
    assert len(fed.messages) == 2


@pytest.mark.parametrize("lie", [-7, -1, 1, 3, 40, 2000])
def test_lengths_that_lie_cost_the_packets_beside_them_only(lie: int):
    fed = Fed()
    wrong = bytearray(interleaved(0, rtp(1, payload=bytes(100))))
    wrong[2:4] = (len(wrong) - 4 + lie).to_bytes(2, "big")
    good = [rtp(number, payload=bytes(100)) for number in range(2, 60)]
    fed.feed(OK + bytes(wrong) + b"".join(interleaved(0, item) for item in good), 1000)
    assert fed.errors == []
    assert [packet for _, packet in fed.packets][-20:] == good[-20:]


def test_a_length_beyond_what_comes_keeps_nothing_but_its_own_size():
    fed = Fed()
    fed.feed(OK + b"$\x00\xff\xff" + bytes(65_534))
    assert fed.packets == []
    fed.feed(bytes(1) + interleaved(0, rtp(1)))
    assert fed.packets[1] == (0, rtp(1))


@pytest.mark.parametrize("size", [1, 1000, None])
def test_a_head_without_end_is_given_up(size: int | None):
    fed = Fed()
    fed.feed(b"RTSP/1.0 200 OK\r\n" + b"X-Y: z\r\n" * (10_000 if size != 1 else 9000), size)
    assert [error.reason for error in fed.errors] == ["invalid_data"]
    assert fed.messages == []


@pytest.mark.parametrize("length", ["1048577", "10485760", "99999999999999999999", "999999999"])
def test_a_body_that_is_too_long_is_given_up_at_its_announcement(length: str):
    fed = Fed()
    fed.feed(f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    assert [error.message for error in fed.errors] == ["the camera's answer has a body of more than 1024 kB"]


@pytest.mark.parametrize("length", ["x", "-1", "", "1e3", "0x10", "٣"])
def test_a_length_that_is_no_number_means_no_body(length: str):
    fed = Fed()
    fed.feed(f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + interleaved(0, rtp(1)))
    assert len(fed.messages) == len(fed.packets) == 1


def test_the_longest_body_passes():
    fed = Fed()
    fed.feed(f"RTSP/1.0 200 OK\r\nContent-Length: {MAX_BODY}\r\n\r\n".encode() + bytes(MAX_BODY) + OK, 100_000)
    assert [len(message.body) for message in fed.messages] == [MAX_BODY, 0]


def test_endless_junk_ends_the_connection():
    fed = Fed()
    fed.feed(OK)
    fed.feed(b"\x01" * 2_000_000, 60_000)
    assert [error.reason for error in fed.errors] == ["invalid_data"]


STRANGERS = [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a web server answers at this port, not RTSP"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH server answers at this port, not RTSP"),
    (b"\x15\x03\x01\x00\x02\x02\x46", "the camera speaks TLS at this port: use rtsps"),
    (b"220 mail ESMTP\r\n", "what answers at this port is no RTSP"),
    (b"\x00\x01\x02\x03" * 10, "what answers at this port is no RTSP"),
    (b"A" * 10_000, "what answers at this port is no RTSP"),
    (b"RTSP/2\r\n\r\n", "what answers at this port is no RTSP"),
    (b"\xff\xfb\x01\xff\xfb\x03", "what answers at this port is no RTSP"),
]


@pytest.mark.parametrize(("data", "message"), STRANGERS)
def test_what_is_no_rtsp_is_named(data: bytes, message: str):
    async def test():
        async with ScriptedCamera(OPTIONS=Answer(raw=data)) as camera, session_of(camera.target()) as session:
            error = await reason_of(session.describe())
            assert (error.reason, error.message) == ("not_rtsp", message)

    run(test)


@pytest.mark.parametrize(("data", "message"), STRANGERS[:4])
def test_a_greeting_that_is_no_rtsp_is_named(data: bytes, message: str):
    async def test():
        async with ScriptedCamera() as camera:
            camera.greeting = data
            async with session_of(camera.target()) as session:
                assert (await reason_of(session.describe())).message == message

    run(test)


def test_a_description_of_ten_megabytes_is_refused_with_a_reason():
    async def test():
        body = VIDEO_SDP + "a=x:" + "y" * 10_000_000
        async with ScriptedCamera(body) as camera, session_of(camera.target()) as session:
            error = await reason_of(session.describe())
            assert (error.reason, error.message) == (
                "invalid_data",
                "the camera's answer has a body of more than 1024 kB",
            )
            assert session.bytes < 2_000_000

    run(test)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("", "invalid_data"), ("<html>", "invalid_data"), ("v=0\r\n", "no_video"), (b"\xff\x00\xfe", "invalid_data")],
)
def test_a_description_that_is_none(body: str | bytes, reason: str):
    async def test():
        async with ScriptedCamera(body) as camera, session_of(camera.target()) as session:
            assert (await reason_of(session.describe())).reason == reason

    run(test)


def test_answers_to_numbers_that_were_not_asked():
    """A camera that numbers in its own way, leaves the number out, or answers late."""

    async def test():
        for number in ("", "77", "x", "0"):
            scripts = {
                method: (lambda seen, number=number: replace_cseq(camera.plain(seen), number))
                for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY")
            }
            async with ScriptedCamera(**scripts) as camera, session_of(camera.target()) as session:
                await play(session)

    run(test)


def replace_cseq(answer: Answer, number: str) -> Answer:
    answer.cseq = number
    return answer


def test_provisional_and_repeated_answers_are_skipped():
    async def test():
        extra = b"RTSP/1.0 100 Continue\r\nCSeq: 2\r\n\r\nRTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            answer = Answer(headers={"Content-Base": "rtsp://x/"}, body=VIDEO_SDP, before=extra)
            camera.scripts["DESCRIBE"] = answer
            await play(session)

    run(test)


@pytest.mark.parametrize("seconds", [0.3])
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_silence_has_a_limit_at_every_request(method: str, seconds: float):
    async def test():
        async with (
            ScriptedCamera(**{method: Answer(silent=True)}) as camera,
            session_of(camera.target(), answer_seconds=seconds) as session,
        ):
            error = await reason_of(play(session))
            assert error.reason == "timed_out"
            assert error.message == f"the camera did not answer {method} within {seconds:g} s"

    run(test)


def test_a_camera_that_closes_at_once_or_in_mid_answer():
    async def test():
        for script in (Answer(silent=True, close=True), Answer(raw=b"RTSP/1.0 200 OK\r\nCS", close=True)):
            async with ScriptedCamera(OPTIONS=script) as camera, session_of(camera.target()) as session:
                assert (await reason_of(session.describe())).reason == "closed_by_camera"

    run(test)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_are_taken_or_end_with_a_reason(data: bytes, size: int):
    fed = Fed(0, 36)
    fed.feed(data, size)
    assert len(fed.errors) <= 1
    fed = Fed(0, 36)
    fed.feed(OK + data, size)
    assert len(fed.errors) <= 1
    assert len(fed.reader._buffer) < 200_000


PIECES = st.lists(
    st.sampled_from([OK, WITH_BODY, ASKED, interleaved(0, rtp(1)), interleaved(7, b"x"), b"$", b"\r\n", b"RTSP/1.0 "])
    | st.binary(max_size=20),
    max_size=30,
)


@given(PIECES, st.integers(1, 60))
def test_any_dialogue_gives_the_same_in_one_read_and_in_many(pieces: list[bytes], size: int):
    whole, parts = Fed(), Fed()
    whole.feed(OK + b"".join(pieces))
    parts.feed(OK + b"".join(pieces), size)
    assert [error.reason for error in whole.errors] == [error.reason for error in parts.errors]
    assert whole.packets == parts.packets
    assert whole.messages == parts.messages


def test_a_reader_that_was_ended_passes_nothing_on():
    fed = Fed()
    fed.reader.end(SourceError("requested"))
    fed.errors.clear()
    fed.feed(OK + interleaved(0, rtp(1)))
    assert (fed.messages, fed.packets) == ([], [])


def test_nothing_waits_for_more_than_it_needs():
    """A reply is delivered with its last byte, though nothing follows."""

    async def test():
        fed = Fed()
        fed.feed(OK[:-1])
        assert fed.messages == []
        fed.feed(OK[-1:])
        assert len(fed.messages) == 1
        await asyncio.sleep(0)

    run(test)
