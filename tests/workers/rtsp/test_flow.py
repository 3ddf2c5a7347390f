"""Whose packets a track's are: ghosts of older sessions, announced SSRCs, another SSRC that takes over, reports."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.rtsp.camera import (
    AUDIO_SDP,
    VIDEO_SDP,
    Answer,
    ScriptedCamera,
    Seen,
    interleaved,
    play,
    reason_of,
    rtp,
    run,
    session_of,
)
from workers.rtsp.flow import Announcement, TrackFlow
from workers.rtsp.ghosts import RecentSources
from workers.rtsp.rtcp import is_rtcp, split_compound

OURS, GHOST, THIRD = 0x11111111, 0x22222222, 0x33333333


def sender_report(ssrc: int, ntp: int = 0x0102030405060708) -> bytes:
    return struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, ntp, 1000, 1, 1)


def bye(ssrc: int) -> bytes:
    return struct.pack(">BBHI", 0x81, 203, 1, ssrc)


class Flow:
    """A flow whose results are kept; `played` ones have begun."""

    def __init__(self, announced: Announcement | None = None, *, played: bool = True, suspects: set[int] = ()) -> None:
        self.packets: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.flow = TrackFlow(
            0,
            lambda i, p, t: self.packets.append(p),
            lambda i, p, t: self.rtcp.append(p),
            suspects=frozenset(item.to_bytes(4, "big") for item in suspects),
        )
        if played:
            self.flow.begin(announced or Announcement(), 0.0)

    @property
    def sources(self) -> set[int]:
        return {int.from_bytes(packet[8:12], "big") for packet in self.packets}


def test_the_first_packet_passes_at_once_and_sets_the_ssrc():
    flow = Flow()
    flow.flow.take(rtp(1, OURS), 0.0)
    assert flow.packets == [rtp(1, OURS)]


def test_packets_before_play_are_of_an_older_session_and_stay_out_for_as_long_as_it_sends():
    flow = Flow(played=False)
    for number in range(3):
        flow.flow.observe(rtp(number, GHOST), 0.0)
    flow.flow.hold(rtp(3, GHOST), 0.1)
    flow.flow.begin(Announcement(), 0.1)
    for number in range(900):
        flow.flow.take(rtp(100 + number, GHOST), 0.2 + number / 30)
        flow.flow.take(rtp(7000 + number, OURS), 0.21 + number / 30)
    assert flow.sources == {OURS}
    assert len(flow.packets) == 900
    assert flow.flow.foreign_packets == 904


def test_packets_between_the_question_and_the_answer_are_kept_in_order():
    flow = Flow(played=False)
    flow.flow.hold(rtp(1, OURS), 0.0)
    flow.flow.hold(rtp(2, OURS), 0.0)
    assert flow.packets == []
    flow.flow.begin(Announcement(), 0.1)
    flow.flow.take(rtp(3, OURS), 0.2)
    assert flow.packets == [rtp(number, OURS) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    "announced", [Announcement(ssrc=OURS.to_bytes(4, "big")), Announcement(sequence=5000)], ids=["ssrc", "sequence"]
)
def test_what_the_camera_announces_decides_between_two_that_begin_together(announced: Announcement):
    flow = Flow(announced)
    flow.flow.take(rtp(31_000, GHOST), 0.00)
    flow.flow.take(rtp(31_001, GHOST), 0.01)
    for number in range(100):
        flow.flow.take(rtp(5000 + number, OURS), 0.02 + number / 100)
        flow.flow.take(rtp(31_002 + number, GHOST), 0.02 + number / 100)
    assert flow.sources == {OURS}
    assert len(flow.packets) == 100


@pytest.mark.parametrize(
    "announced", [Announcement(ssrc=THIRD.to_bytes(4, "big")), Announcement(sequence=40_000)], ids=["ssrc", "sequence"]
)
def test_an_announcement_that_is_wrong_delays_by_a_moment_and_loses_nothing(announced: Announcement):
    flow = Flow(announced)
    for number in range(30):
        flow.flow.take(rtp(number, OURS), number / 25)
        assert not flow.packets or number / 25 >= 0.2
    assert flow.packets == [rtp(number, OURS) for number in range(30)]


def test_an_announced_ssrc_counts_also_when_it_was_seen_before_play():
    flow = Flow(played=False)
    flow.flow.observe(rtp(1, OURS), 0.0)
    flow.flow.begin(Announcement(ssrc=OURS.to_bytes(4, "big")), 0.1)
    flow.flow.take(rtp(2, OURS), 0.2)
    assert flow.packets == [rtp(2, OURS)]


def test_an_announced_ssrc_that_comes_late_takes_over_at_once():
    flow = Flow(Announcement(ssrc=OURS.to_bytes(4, "big")))
    for number in range(30):
        flow.flow.take(rtp(number, GHOST), number / 100)
    assert flow.sources == {GHOST}
    flow.flow.take(rtp(1, OURS), 0.5)
    flow.flow.take(rtp(31, GHOST), 0.5)
    flow.flow.take(rtp(2, OURS), 0.5)
    assert flow.packets[-2:] == [rtp(1, OURS), rtp(2, OURS)]


def test_another_ssrc_takes_over_when_the_one_in_use_is_silent_for_two_seconds():
    flow = Flow()
    flow.flow.take(rtp(1, OURS), 10.0)
    flow.flow.take(rtp(50, THIRD), 10.5)
    flow.flow.take(rtp(51, THIRD), 11.9)
    assert flow.sources == {OURS}
    flow.flow.take(rtp(52, THIRD), 12.0)
    flow.flow.take(rtp(2, OURS), 12.1)
    flow.flow.take(rtp(53, THIRD), 12.2)
    assert flow.packets == [rtp(1, OURS), rtp(52, THIRD), rtp(53, THIRD)]


def test_a_goodbye_makes_way_at_once():
    flow = Flow()
    flow.flow.take(rtp(1, OURS), 10.0)
    flow.flow.take_rtcp(sender_report(OURS) + bye(OURS), 10.1)
    assert flow.flow.has_ended
    flow.flow.take(rtp(2, THIRD), 10.2)
    assert flow.packets[-1] == rtp(2, THIRD)
    assert not flow.flow.has_ended


def test_the_goodbye_of_another_changes_nothing():
    flow = Flow()
    flow.flow.take(rtp(1, OURS), 10.0)
    flow.flow.take_rtcp(bye(GHOST), 10.1)
    assert not flow.flow.has_ended


def test_a_ghost_that_is_all_that_flows_was_none():
    """Some cameras begin to send before they are asked to."""
    flow = Flow(played=False)
    flow.flow.observe(rtp(1, OURS), 0.0)
    flow.flow.begin(Announcement(), 0.1)
    for number in range(100):
        flow.flow.take(rtp(2 + number, OURS), 0.1 + number / 25)
    assert flow.packets[0] == rtp(52, OURS)


def test_the_ssrc_of_a_session_that_broke_off_waits_for_another():
    flow = Flow(suspects={GHOST})
    for number in range(100):
        flow.flow.take(rtp(number, GHOST), number / 100)
        if number > 5:
            flow.flow.take(rtp(900 + number, OURS), number / 100)
    assert flow.sources == {OURS}
    assert len(flow.packets) == 94


def test_a_camera_whose_ssrc_never_changes_is_only_delayed():
    flow = Flow(suspects={OURS})
    for number in range(50):
        flow.flow.take(rtp(number, OURS), number / 25)
    assert flow.packets == [rtp(number, OURS) for number in range(50)]


def test_a_new_ssrc_takes_over_from_a_suspect_whenever_it_comes():
    flow = Flow(suspects={GHOST})
    for number in range(50):
        flow.flow.take(rtp(number, GHOST), number / 25)
    flow.flow.take(rtp(7, OURS), 2.0)
    flow.flow.take(rtp(51, GHOST), 2.0)
    assert flow.packets[-1] == rtp(7, OURS)


@pytest.mark.parametrize("first", [GHOST, OURS])
def test_few_packets_of_another_session_between_many_do_not_win_by_coming_first(first: int):
    flow = Flow()
    flow.flow.take(rtp(0, first), 0.0)
    for number in range(1, 300):
        flow.flow.take(rtp(number, GHOST if number % 10 == 0 else OURS), number / 300)
    assert sum(packet[8:12] == GHOST.to_bytes(4, "big") for packet in flow.packets) <= 1
    assert len(flow.packets) > 250


def test_a_second_stream_that_begins_later_does_not_take_over():
    flow = Flow()
    for number in range(300):
        flow.flow.take(rtp(number, OURS), number / 100)
    for number in range(3000):
        flow.flow.take(rtp(number, GHOST), 3.0 + number / 1000)
        if number % 100 == 0:
            flow.flow.take(rtp(300 + number, OURS), 3.0 + number / 1000)
    assert flow.sources == {OURS}


def test_reports_of_ghosts_do_not_pass():
    flow = Flow(played=False)
    flow.flow.observe(rtp(1, GHOST), 0.0)
    flow.flow.begin(Announcement(), 0.1)
    flow.flow.take(rtp(1, OURS), 0.2)
    flow.flow.take_rtcp(sender_report(GHOST), 0.3)
    flow.flow.take_rtcp(sender_report(OURS), 0.3)
    # A camera whose reports have an SSRC of their own.
    flow.flow.take_rtcp(sender_report(THIRD), 0.3)
    assert flow.rtcp == [sender_report(OURS), sender_report(THIRD)]


@pytest.mark.parametrize("junk", [b"", b"\x80", b"\x80\x60" + bytes(9), b"\x00" * 20, b"\x40\x60" + bytes(30)])
def test_what_is_no_packet_does_not_pass(junk: bytes):
    flow = Flow()
    flow.flow.take(junk, 0.0)
    flow.flow.take(rtp(1, OURS), 0.1)
    flow.flow.take(junk, 10.0)
    assert flow.packets == [rtp(1, OURS)]


def test_reports_on_the_channel_of_packets_are_reports():
    flow = Flow()
    flow.flow.take(sender_report(OURS), 0.0)
    flow.flow.take(rtp(1, OURS), 0.0)
    flow.flow.take(sender_report(OURS), 0.0)
    assert (len(flow.packets), len(flow.rtcp)) == (1, 2)


def read_report(report: bytes) -> dict[str, int]:
    assert is_rtcp(report)
    kinds = [kind for kind, _ in split_compound(report)]
    assert kinds == [201, 202]
    source, loss, highest, jitter, last, since = struct.unpack_from(">IIIIII", report, 8)
    return {"source": source, "fraction": loss >> 24, "lost": loss & 0xFFFFFF} | {
        "highest": highest,
        "jitter": jitter,
        "last": last,
        "since": since,
    }


def test_a_receiver_report_says_what_came():
    flow = Flow()
    assert flow.flow.build_report(0.0) is None
    for number in (65_530, 65_531, 65_533, 65_534, 65_535, 0, 1):
        flow.flow.take(rtp(number, OURS), 1.0)
    flow.flow.build_report(1.0)
    flow.flow.take_rtcp(sender_report(OURS), 1.0)
    for number in range(2, 12):
        if number != 5:
            flow.flow.take(rtp(number, OURS), 2.0)
    report = read_report(flow.flow.build_report(3.5))
    assert report["source"] == OURS
    assert report["last"] == 0x03040506
    assert report["since"] == int(2.5 * 65536)
    assert report["fraction"] == 256 // 10


def test_the_highest_number_of_reports_rises_over_many_turns():
    flow = Flow()
    number, before = 0, -1
    for second in range(40):
        for _ in range(9000):
            flow.flow.take(rtp(number, OURS, b""), float(second))
            number += 1
        if second % 9 == 8:
            report = read_report(flow.flow.build_report(float(second)))
            assert report["highest"] > before
            assert report["lost"] == 0
            before = report["highest"]
    assert report["highest"] & 0xFFFF == (36 * 9000 - 1) & 0xFFFF
    assert report["highest"] == 36 * 9000 - 1 - 65536


@given(st.lists(st.tuples(st.binary(max_size=40), st.sampled_from("othr"), st.floats(0, 5)), max_size=60))
def test_any_packets_at_any_time(items: list[tuple[bytes, str, float]]):
    flow = Flow(played=False)
    now = 0.0
    for data, how, step in items:
        now += step
        packet = data if step < 4 else rtp(len(data), OURS)
        if how == "o":
            flow.flow.observe(packet, now)
        elif how == "h":
            flow.flow.hold(packet, now)
        elif how == "r":
            flow.flow.take_rtcp(packet, now)
        else:
            flow.flow.take(packet, now)
    flow.flow.begin(Announcement(), now)
    flow.flow.build_report(now)
    assert len(flow.sources) <= len(items)


# In a session.


def test_no_packet_of_the_last_session_reaches_the_new_one():
    """A camera that goes on sending to a dead session, on the channels of the new one."""

    async def test():
        ghost = b"".join(interleaved(0, rtp(number, GHOST)) for number in range(3))
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            script = camera.plain
            camera.scripts["SETUP"] = lambda seen: Answer(
                headers={"Transport": f"{seen['transport']};ssrc={OURS:08X}", "Session": "1"}, after=ghost
            )
            camera.scripts["PLAY"] = lambda seen: with_ghosts(script(seen))
            _, taken = await play(session)
            for number in range(50):
                camera.write(interleaved(0, rtp(900 + number, GHOST)) + interleaved(0, rtp(10 + number, OURS)))
            await taken.count(52)
            assert {packet[8:12] for _, packet in taken.packets} == {OURS.to_bytes(4, "big")}
            assert taken.numbers == list(range(8, 60))

    def with_ghosts(answer: Answer) -> Answer:
        answer.before = interleaved(0, rtp(5, GHOST)) + interleaved(0, rtp(8, OURS))
        answer.after = interleaved(0, rtp(6, GHOST)) + interleaved(0, rtp(9, OURS))
        return answer

    run(test)


def test_the_packets_of_a_session_that_broke_off_are_known_to_the_next():
    """As a camera without any announcement sends them, at the full rate."""

    async def test():
        async with ScriptedCamera(VIDEO_SDP + AUDIO_SDP) as camera:
            async with session_of(camera.target()) as session:
                _, taken = await play(session)
                camera.write(interleaved(0, rtp(1, GHOST)) + interleaved(2, rtp(1, THIRD)))
                await taken.count(2)
                camera.writers[-1].transport.abort()
                await reason_of(session.wait_ended())
            async with session_of(camera.target()) as session:
                _, taken = await play(session)
                for number in range(30):
                    camera.write(interleaved(0, rtp(number, GHOST)) + interleaved(0, rtp(number, OURS)))
                await taken.count(30)
                assert {packet[8:12] for _, packet in taken.packets} == {OURS.to_bytes(4, "big")}

    run(test)


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP"])
@pytest.mark.parametrize("channel", [0, 4])
def test_packets_that_come_before_the_track_is_set_up_are_of_another_session(method: str, channel: int):
    """Of one that this process does not know, which sends more than the camera sends for this one."""

    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:

            def answer(seen: Seen) -> Answer:
                plain = camera.plain(seen)
                plain.before = interleaved(channel, rtp(1, GHOST))
                return plain

            camera.scripts[method] = answer
            _, taken = await play(session)
            for number in range(20):
                ghosts = b"".join(interleaved(0, rtp(2 + 3 * number + place, GHOST)) for place in range(3))
                camera.write(ghosts + interleaved(0, rtp(number, OURS)))
            await taken.count(20)
            assert {packet[8:12] for _, packet in taken.packets} == {OURS.to_bytes(4, "big")}
            assert taken.numbers == list(range(20))

    run(test)


def test_a_session_that_was_ended_in_order_leaves_no_suspicion():
    recent = RecentSources()
    recent.remember("a", frozenset({b"1234"}), 0.0)
    assert recent.recall("a", 100.0) == {b"1234"}
    assert recent.recall("a", 121.0) == frozenset()
    recent.forget("a")
    assert recent.recall("a", 1.0) == frozenset()
    for number in range(5000):
        recent.remember(str(number), frozenset({b"1234"}), 0.0)
    assert recent.recall("0", 1.0) == frozenset()
    assert recent.recall("4999", 1.0)


def test_packets_that_come_before_the_answer_to_play_are_not_lost():
    async def test():
        async with ScriptedCamera() as camera, session_of(camera.target()) as session:
            camera.scripts["PLAY"] = Answer(before=b"".join(interleaved(0, rtp(number)) for number in range(9)))
            _, taken = await play(session)
            assert taken.numbers == list(range(9))
            assert taken.batches == 1

    run(test)


@pytest.mark.parametrize(
    ("transport", "channel"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=4-5", 4),
        ("RTP/AVP/TCP;unicast;interleaved=7", 7),
        ("RTP/AVP/TCP;interleaved=0-1;ssrc=zz", 0),
        ("RTP/AVP/TCP;unicast;interleaved=300-301", 0),
        ("RTP/AVP/TCP;unicast;interleaved=", 0),
        ('rtp/avp/tcp ; unicast ; INTERLEAVED = 2-3 ; mode="PLAY"', 2),
        ("RTP/AVP/TCP;unicast", 0),
        ("", 0),
    ],
)
def test_the_channels_are_those_of_the_cameras_answer(transport: str, channel: int):
    async def test():
        headers = {"Session": "1"} | ({"Transport": transport} if transport else {})
        async with ScriptedCamera(SETUP=Answer(headers=headers)) as camera, session_of(camera.target()) as session:
            _, taken = await play(session)
            camera.write(interleaved(channel, rtp(1)) + interleaved(channel + 1, sender_report(0x11223344)))
            await taken.until(lambda: taken.reports)
            assert taken.numbers == [1]

    run(test)


def test_two_tracks_with_one_answer_keep_the_channels_that_were_asked_for():
    async def test():
        answer = Answer(headers={"Session": "1", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
        async with (
            ScriptedCamera(VIDEO_SDP + AUDIO_SDP, SETUP=answer) as camera,
            session_of(camera.target()) as session,
        ):
            _, taken = await play(session)
            camera.write(interleaved(0, rtp(1)) + interleaved(2, rtp(2)))
            await taken.count(2)
            assert [index for index, _ in taken.packets] == [0, 1]
            assert "answers the same channels for two tracks" in session.quirks

    run(test)


@pytest.mark.parametrize(
    "info",
    [
        "url=rtsp://h/live/trackID=0;seq=5000;rtptime=1,url=rtsp://h/live/trackID=1;seq=9;rtptime=2",
        "url=trackID=1;seq=9, url=trackID=0;seq=5000",
        "url=rtsp://h/a,b/trackID=0;rtptime=1;seq=5000",
        "url=rtsp://h/x;seq=5000;rtptime=1,url=rtsp://h/y;seq=9;rtptime=2",
    ],
)
def test_rtp_info_tells_the_camera_s_packets_from_others(info: str):
    async def test():
        answer = Answer(headers={"RTP-Info": info})
        async with ScriptedCamera(VIDEO_SDP + AUDIO_SDP, PLAY=answer) as camera, session_of(camera.target()) as session:
            _, taken = await play(session)
            camera.write(interleaved(0, rtp(31_000, GHOST)) + interleaved(0, rtp(5000, OURS)))
            await taken.count(1)
            assert taken.packets == [(0, rtp(5000, OURS))]

    run(test)
