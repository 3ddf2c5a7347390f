"""The digests of a file while it is read: those of the archive tier, and the ETag that S3 gives its object.

The ETag of an object is the MD5 of its bytes; of one that was uploaded in parts it is the MD5 of the parts' MD5s, with
their number (Amazon S3 user guide, "Checking object integrity"). Stores with keys of KMS give other ETags.
"""

import hashlib

from gateway.plugin_api import FileChecksums


class FileDigest:
    """Takes the bytes of a file in order; `part_size` is that of its parts, None for an upload in one piece."""

    def __init__(self, part_size: int | None = None) -> None:
        self._part_size = part_size
        self._whole = FileChecksums()
        self._part = _md5()
        self._in_part = 0
        self._parts: list[bytes] = []

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes."""
        view = memoryview(data)
        self._whole.update(view)
        while view:
            room = len(view) if self._part_size is None else self._part_size - self._in_part
            self._part.update(view[:room])
            self._in_part += min(room, len(view))
            view = view[room:]
            if self._in_part == self._part_size:
                self._end_part()

    @property
    def size(self) -> int:
        return self._whole.size

    @property
    def checksum(self) -> str:
        """SHA-256 of the whole, as `sha256:…`."""
        return self._whole.checksum

    @property
    def blocks(self) -> bytes:
        """The checksums of the blocks that are later read on their own (`gateway/archive/checksums.py`)."""
        return self._whole.blocks

    def etag(self) -> str:
        """The ETag of the object, without quotes."""
        if self._part_size is None:
            return self._part.hexdigest()
        parts = [*self._parts, *([self._part.digest()] if self._in_part else [])]
        return f"{_md5(b''.join(parts)).hexdigest()}-{len(parts)}"

    def _end_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part, self._in_part = _md5(), 0


def _md5(data: bytes = b"") -> "hashlib._Hash":
    # No security depends on it: it is compared with what the store computes.
    return hashlib.md5(data, usedforsecurity=False)
