"""Digests: SHA-256, and the ETags that S3 gives objects in one piece and in parts."""

import hashlib

import pytest

from plugins.s3_archiver.bucket import PART_BYTES, part_size_of
from plugins.s3_archiver.digests import FileDigest

DATA = bytes(range(256)) * 100


def expected_etag(part_size: int) -> str:
    parts = [hashlib.md5(DATA[at : at + part_size]).digest() for at in range(0, len(DATA), part_size)]
    return f"{hashlib.md5(b''.join(parts)).hexdigest()}-{len(parts)}"


@pytest.mark.parametrize("step", [1, 7, 1000, 30_000])
def test_one_piece(step):
    digest = FileDigest()
    for at in range(0, len(DATA), step):
        digest.update(DATA[at : at + step])
    assert digest.checksum == f"sha256:{hashlib.sha256(DATA).hexdigest()}"
    assert digest.etag() == hashlib.md5(DATA).hexdigest()
    assert digest.size == len(DATA)


@pytest.mark.parametrize("part_size", [1000, 12_800, 25_599, 25_600, 99_999])
@pytest.mark.parametrize("step", [333, 1000, 30_000])
def test_parts_are_split_wherever_the_bytes_come_from(part_size, step):
    digest = FileDigest(part_size)
    for at in range(0, len(DATA), step):
        digest.update(memoryview(DATA)[at : at + step])
    assert digest.etag() == expected_etag(part_size)


def test_parts_never_exceed_the_number_that_s3_allows():
    assert part_size_of(PART_BYTES) is None
    assert part_size_of(PART_BYTES + 1) == PART_BYTES
    for size in (40 << 30, 100 << 30, 5 << 40):
        part = part_size_of(size)
        assert size / part < 10_000
        assert part % (1 << 20) == 0
