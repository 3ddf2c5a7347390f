"""Checksums of a file on its way into an archive: of the whole, and of each block that is later read on its own."""

import hashlib
import zlib

#: Archived files are read, cached and checked in blocks of this size.
BLOCK_BYTES = 1 << 20


class FileChecksums:
    """Takes a file's bytes in order. `checksum` is of all of them, `blocks` has a CRC-32 of each block (4 bytes)."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._blocks: list[int] = []
        self.size = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes, in chunks of any size."""
        self._whole.update(data)
        view = memoryview(data)
        while view:
            at = self.size % BLOCK_BYTES
            taken = view[: BLOCK_BYTES - at]
            if at == 0:
                self._blocks.append(0)
            self._blocks[-1] = zlib.crc32(taken, self._blocks[-1])
            self.size += len(taken)
            view = view[len(taken) :]

    @property
    def checksum(self) -> str:
        return f"sha256:{self._whole.hexdigest()}"

    @property
    def blocks(self) -> bytes:
        return b"".join(crc.to_bytes(4, "little") for crc in self._blocks)


def is_block_right(blocks: bytes, number: int, data: bytes) -> bool:
    """Whether a block has its checksum. Without checksums of blocks every block is right."""
    expected = blocks[number * 4 : number * 4 + 4]
    return len(expected) < 4 or zlib.crc32(data) == int.from_bytes(expected, "little")
