"""Sender reports are found in compound packets; damage ends the reading without an error."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from workers.rtp.sender_reports import SenderReport, read_sender_reports


def report(ssrc: int = 7, seconds: int = 3_900_000_000, fraction: int = 1 << 31, rtp_time: int = 90_000) -> bytes:
    return struct.pack("!BBHIIIIII", 0x80, 200, 6, ssrc, seconds, fraction, rtp_time, 10, 1000)


DESCRIPTION = struct.pack("!BBHI4s", 0x81, 202, 2, 7, b"\1\0\0\0")


def test_the_two_clocks_are_read():
    assert list(read_sender_reports(report() + DESCRIPTION)) == [SenderReport(7, 3_900_000_000.5, 90_000)]


def test_a_report_after_other_packets_is_found():
    assert [found.ssrc for found in read_sender_reports(DESCRIPTION + report(8) + report(9))] == [8, 9]


def test_a_packet_that_is_cut_gives_what_is_whole():
    whole = report(1) + report(2)
    for size in range(len(whole)):
        assert len(list(read_sender_reports(whole[:size]))) == size // 28


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data):
    for found in read_sender_reports(data):
        assert 0 <= found.rtp_time < 1 << 32
