"""A reply is taken from the application in pieces of one size, and the application's iterable is closed once."""

import pytest

from gateway.web.bodies import PIECE_BYTES, ReplyBody


class Source:
    """A WSGI iterable that notes what happens to it."""

    def __init__(self, chunks, error=None) -> None:
        self._chunks, self._error, self.closed, self.read = chunks, error, 0, 0

    def __iter__(self):
        for chunk in self._chunks:
            self.read += 1
            yield chunk
        if self._error:
            raise self._error

    def close(self) -> None:
        self.closed += 1


def read_all(body: ReplyBody) -> list[bytes]:
    pieces = []
    while not body.is_exhausted:
        if body.has_piece:
            pieces.append(body.take())
        else:
            body.pull()
    return pieces


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [b""],
        [b"a"],
        [b"", b"a", b""],
        [b"ab"] * 100_000,
        [bytes(300_000)],
        [b"x" * PIECE_BYTES] * 3,
        [b"a", bytes(200_000)],
    ],
)
def test_every_byte_comes_once_in_pieces_that_are_not_too_large(chunks):
    source = Source(chunks)
    pieces = read_all(ReplyBody(source))
    assert b"".join(pieces) == b"".join(chunks)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    assert len(pieces) <= sum(map(len, chunks)) // PIECE_BYTES + 1 + len(chunks) // 1000 + (len(chunks) == 2)
    assert source.closed == 1


def test_no_more_is_read_than_the_next_piece():
    source = Source([bytes(PIECE_BYTES)] * 100)
    body = ReplyBody(source)
    body.pull()
    assert source.read == 1
    body.close()
    body.close()
    assert source.closed == 1
    assert body.has_piece


def test_what_comes_slowly_is_not_held_back(monkeypatch):
    monkeypatch.setattr("gateway.web.bodies._PULL_SECONDS", 0.0)
    source = Source([b"line 1\n", b"line 2\n"])
    body = ReplyBody(source)
    body.pull()
    assert (source.read, body.take()) == (1, b"line 1\n")


def test_an_error_closes_the_source():
    source = Source([b"a"], OSError("the disk is gone"))
    body = ReplyBody(source)
    with pytest.raises(OSError, match="the disk"):
        body.pull()
    assert source.closed == 1
