"""All that a plugin with archives imports of the archive tier.

`register_archives(plugin)` returns its `Archive` objects; every process that reads footage collects them. The plugin's
own service copies: `assign_devices` once, then `pending_segments`, upload, verify, `mark_archived`, again and again.
The file of a segment is read with `gateway.storage.local.open_storage(config).read(segment.key)`; NotFound there means
that it is deleted by now. Local files are removed by retention, objects by the removal of objects, never by the plugin:
for objects of its own it calls `remove_object`.
"""

from gateway.archive.checksums import BLOCK_BYTES, FileChecksums
from gateway.archive.index import (
    ArchivableSegment,
    Backlog,
    assign_devices,
    mark_archived,
    pending_segments,
    read_backlog,
    remove_object,
)
from gateway.archives import Archive, ArchiveUnavailable

__all__ = [
    "BLOCK_BYTES",
    "ArchivableSegment",
    "Archive",
    "ArchiveUnavailable",
    "Backlog",
    "FileChecksums",
    "assign_devices",
    "mark_archived",
    "pending_segments",
    "read_backlog",
    "remove_object",
]
