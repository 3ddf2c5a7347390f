"""Sessions by UDP: ports, order, who may send, reports, and the switch to the other transport."""

import asyncio
import re
import socket
from dataclasses import replace

import pytest

from tests.workers.rtsp.camera import (
    AUDIO_SDP,
    CALM,
    VIDEO_SDP,
    Answer,
    Failing,
    ScriptedCamera,
    Seen,
    Taken,
    play,
    play_reason,
    reason_of,
    rtp,
    run,
    session_of,
)
from tests.workers.rtsp.test_flow import read_report, sender_report


class Sender:
    """The camera's side of one track: a pair of ports."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        while True:
            self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            self.sockets[0].bind((address, 0))
            self.port = self.sockets[0].getsockname()[1]
            try:
                self.sockets[1].bind((address, self.port + 1))
            except OSError:
                self.close()
                continue
            break
        for item in self.sockets:
            item.setblocking(False)
        self.client = (0, 0)

    def answer(self, seen: Seen, extra: str = "") -> Answer:
        found = re.search(r"client_port=(\d+)-(\d+)", seen["transport"])
        self.client = (int(found[1]), int(found[2]))
        ports = f"server_port={self.port}-{self.port + 1}"
        return Answer(headers={"Session": "1", "Transport": f"{seen['transport']};{ports}{extra}"})

    def send(self, *packets: bytes, which: int = 0) -> None:
        for packet in packets:
            self.sockets[which].sendto(packet, ("127.0.0.1", self.client[which]))

    async def receive(self, which: int) -> bytes:
        async with asyncio.timeout(20):
            return await asyncio.get_running_loop().sock_recv(self.sockets[which], 2000)

    def close(self) -> None:
        for item in self.sockets:
            item.close()


def udp_camera(sender: Sender, extra: str = "", sdp: str = VIDEO_SDP) -> ScriptedCamera:
    return ScriptedCamera(sdp, SETUP=lambda seen: sender.answer(seen, extra))


def test_packets_come_in_order_and_reports_go_to_the_camera():
    async def test():
        sender = Sender()
        async with udp_camera(sender) as camera:
            target = camera.target(transport="udp")
            async with session_of(target, pace=replace(CALM, report=0.01)) as session:
                description, taken = await play(session)
                assert (description.transport, session.transport) == ("udp", "udp")
                assert sender.client[0] % 2 == 0
                assert sender.client[1] == sender.client[0] + 1
                # What opens a firewall: a packet from each port.
                assert (await sender.receive(0))[0] >> 6 == 2
                assert (await sender.receive(1))[0] >> 6 == 2
                sender.send(rtp(1), rtp(3), rtp(2), rtp(3), rtp(4))
                sender.send(sender_report(0x11223344), which=1)
                await taken.until(lambda: len(taken.packets) == 4 and taken.reports)
                assert taken.numbers == [1, 2, 3, 4]
                report = read_report(await sender.receive(1))
                assert report["source"] == 0x11223344
                assert session.packets == 4
                assert session.bytes > 60
        sender.close()

    run(test)


def test_a_missing_packet_holds_the_others_up_for_a_moment_only():
    async def test():
        sender = Sender()
        async with udp_camera(sender) as camera, session_of(camera.target(transport="udp")) as session:
            _, taken = await play(session)
            sender.send(rtp(1), rtp(3), rtp(4))
            await taken.count(3)
            assert taken.numbers == [1, 3, 4]
        sender.close()

    run(test)


def test_packets_of_other_addresses_do_not_pass():
    async def test():
        sender, stranger = Sender(), Sender("127.0.0.2")
        async with udp_camera(sender) as camera, session_of(camera.target(transport="udp")) as session:
            _, taken = await play(session)
            stranger.client = sender.client
            stranger.send(rtp(77))
            stranger.send(sender_report(5), which=1)
            sender.send(rtp(1))
            await taken.count(1)
            assert (taken.numbers, taken.reports) == ([1], [])
        sender.close()
        stranger.close()

    run(test)


@pytest.mark.parametrize("extra", [";source=127.0.0.3", ";source=192.0.2.9;ssrc=11223344"])
def test_nothing_is_sent_to_an_address_that_the_camera_names(extra: str):
    async def test():
        sender, named = Sender(), Sender("127.0.0.3")
        async with udp_camera(sender, extra) as camera, session_of(camera.target(transport="udp")) as session:
            _, taken = await play(session)
            await sender.receive(0)
            sender.send(rtp(1))
            await taken.count(1)
            with pytest.raises(BlockingIOError):
                named.sockets[0].recv(100)
        sender.close()
        named.close()

    run(test)


def test_a_camera_that_names_no_ports_is_heard_all_the_same():
    async def test():
        sender = Sender()
        async with udp_camera(sender) as camera:

            def answer(seen: Seen) -> Answer:
                sender.answer(seen)
                return Answer(headers={"Session": "1", "Transport": seen["transport"]})

            camera.scripts["SETUP"] = answer
            async with session_of(camera.target(transport="udp")) as session:
                _, taken = await play(session)
                sender.send(rtp(1))
                await taken.count(1)
        sender.close()

    run(test)


def test_each_track_has_ports_of_its_own_and_they_are_free_again_afterwards():
    async def test():
        senders = [Sender(), Sender()]
        script = lambda seen: senders["trackID=1" in seen.url].answer(seen)  # noqa: E731
        async with ScriptedCamera(VIDEO_SDP + AUDIO_SDP, SETUP=script) as camera:
            async with session_of(camera.target(transport="udp")) as session:
                _, taken = await play(session)
                senders[1].send(rtp(5, 9))
                await taken.count(1)
                assert taken.packets == [(1, rtp(5, 9))]
            for port in (*senders[0].client, *senders[1].client):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as item:
                    item.bind(("127.0.0.1", port))
        for sender in senders:
            sender.close()

    run(test)


def test_a_callback_that_fails_ends_the_session():
    async def test():
        sender = Sender()
        async with udp_camera(sender) as camera, session_of(camera.target(transport="udp")) as session:
            description = await session.describe()
            await session.play(description.tracks, Failing())
            sender.send(rtp(1))
            assert (await reason_of(session.wait_ended())).reason == "unknown"
        sender.close()

    run(test)


def test_silence_by_udp_is_named():
    async def test():
        sender = Sender()
        async with (
            udp_camera(sender) as camera,
            session_of(camera.target(transport="udp"), pace=replace(CALM, udp_silence=0.02)) as session,
        ):
            await play(session)
            assert (await reason_of(session.wait_ended())).reason == "udp_blocked"
            await camera.wait_for("TEARDOWN")
        sender.close()

    run(test)


@pytest.mark.parametrize(("asked", "used"), [("tcp", "udp"), ("udp", "tcp")])
def test_after_461_the_other_transport_is_tried_on_the_same_connection(asked: str, used: str):
    async def test():
        sender = Sender()

        def answer(seen: Seen) -> Answer:
            is_tcp = "TCP" in seen["transport"]
            if is_tcp != (used == "tcp"):
                return Answer(461)
            return camera.plain(seen) if is_tcp else sender.answer(seen)

        async with ScriptedCamera(SETUP=answer) as camera, session_of(camera.target(transport=asked)) as session:
            taken = Taken()
            await play(session, taken)
            assert session.transport == used
            assert f"refuses {asked.upper()}: {used.upper()} is used" in session.quirks
            assert camera.connections == 1
            assert len(camera.of("SETUP")) == 2
        sender.close()

    run(test)


def test_461_for_both_is_a_reason_of_its_own():
    async def test():
        async with ScriptedCamera(SETUP=Answer(461)) as camera:
            error = await play_reason(camera)
            assert error.reason == "transport_refused"
            assert len(camera.of("SETUP")) == 2

    run(test)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("udp", "RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001"),
        ("tcp", "RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001"),
        ("tcp", "RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001"),
        ("udp", "RTP/AVP/TCP;unicast;interleaved=0-1"),
    ],
)
def test_a_transport_that_was_not_asked_for_is_refused(asked: str, answered: str):
    async def test():
        answer = Answer(headers={"Session": "1", "Transport": answered})
        async with ScriptedCamera(SETUP=answer) as camera, session_of(camera.target(transport=asked)) as session:
            assert (await reason_of(play(session))).reason == "transport_refused"
            assert camera.of("TEARDOWN")

    run(test)
