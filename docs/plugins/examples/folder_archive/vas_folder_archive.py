"""Copies footage to a folder, such as a second disk, and reads it from there."""

import os
from contextlib import suppress
from pathlib import Path

import marshmallow as ma

from gateway.plugin_api import (
    ArchiveUnavailable,
    ComponentHealth,
    FileChecksums,
    Flag,
    HealthCheck,
    NotFound,
    OptionSchemas,
    PluginService,
    StorageUnavailable,
    Text,
    assign_devices,
    hookimpl,
    mark_archived,
    open_storage,
    pending_segments,
    read_backlog,
    to_ms,
    utc_now,
)

requires_plugin_api = ">=1.0,<2"

ARCHIVE = "folder_archive"
CHUNK_BYTES = 256 << 10
PAUSE_SECONDS = 5.0
#: Longer than this, footage waits only if something is wrong.
LATE_MS = 3_600_000


class InstallationOptions(ma.Schema):
    folder = Text(
        load_default="",
        high=1000,
        validate=ma.validate.Regexp(r"(/.*)?\Z", error="must be an absolute path"),
        metadata={"title": "Folder", "description": "an existing folder of every machine; empty: nothing is copied"},
    )


class DeviceOptions(ma.Schema):
    archived = Flag(load_default=True, metadata={"title": "Copy its footage"})


@hookimpl
def register_options():
    return [OptionSchemas(installation=InstallationOptions, device=DeviceOptions)]


class FolderArchive:
    """Files of the folder by their keys. It is not created: an empty mount point is no archive."""

    name = ARCHIVE

    def __init__(self, options):
        self._options = options

    def path(self, key=""):
        """The file of a key. Raises ArchiveUnavailable without the folder."""
        folder = Path(self._options.installation()["folder"] or "/nowhere")
        if not folder.is_dir():
            raise ArchiveUnavailable(f"the folder '{folder}' of the archive does not exist: is its disk mounted?")
        return folder / key

    def read(self, key, offset=0, length=None):
        path = self.path(key)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise NotFound(f"the archive has no '{key}'") from None
        except OSError as error:
            raise ArchiveUnavailable(f"'{key}' cannot be read from the archive: {error.strerror}") from None
        return self._read(file, offset, length)

    def size(self, key):
        path = self.path(key)
        return path.stat().st_size if path.is_file() else None

    def list(self, prefix):
        root = self.path()
        for path in root.rglob("*.mp4"):
            key = path.relative_to(root).as_posix()
            if key.startswith(prefix):
                yield key, path.stat().st_size

    def delete(self, key):
        path = self.path(key)
        is_there = path.is_file()
        path.unlink(missing_ok=True)
        return is_there

    def presign(self, key, seconds):
        return None

    def write(self, key, chunks):
        """Write a file and read it back; returns the checksums of what is on the disk. The file is whole or absent."""
        path = self.path(key)
        draft = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise ArchiveUnavailable(f"'{key}' cannot be written into the archive: {error.strerror}") from None
        checksums = FileChecksums()
        for chunk in self.read(key):
            checksums.update(chunk)
        return checksums

    @staticmethod
    def _read(file, offset, length):
        with file:
            file.seek(offset)
            while length is None or length > 0:
                chunk = file.read(CHUNK_BYTES if length is None else min(CHUNK_BYTES, length))
                if not chunk:
                    return
                length = None if length is None else length - len(chunk)
                yield chunk


@hookimpl
def register_archives(plugin):
    return [FolderArchive(plugin.options)]


def copy_waiting(archive, plugin, is_stopping=lambda: False):
    """Copy what has no verified copy yet; returns the number of files. Nothing is missed: the index says what waits."""
    if not plugin.options.installation()["folder"]:
        assign_devices(ARCHIVE, ())
        return 0
    chosen = [key for key, options in plugin.options.devices().items() if options["archived"]]
    devices = assign_devices(ARCHIVE, chosen)
    storage, copied, after = open_storage(plugin.config), 0, None
    while (waiting := pending_segments(devices, 100, after=after)) and not is_stopping():
        for segment in waiting:
            after = segment.cursor
            if is_stopping():
                break
            copied += copy_segment(archive, storage, segment)
    return copied


def copy_segment(archive, storage, segment):
    """Copy one file, verify it and note that; returns whether there is a copy."""
    original = FileChecksums()

    def read():
        for chunk in storage.read(segment.key):
            original.update(chunk)
            yield chunk

    try:
        copy = archive.write(segment.key, read())
    except NotFound:
        return False  # deleted meanwhile
    if copy.checksum != original.checksum:
        raise ArchiveUnavailable(f"the copy of '{segment.key}' differs from the file: is the disk damaged?")
    return mark_archived(
        segment.id,
        ARCHIVE,
        object_key=segment.key,
        size=copy.size,
        checksum=copy.checksum,
        blocks=copy.blocks,
        at_ms=to_ms(utc_now()),
    )


@hookimpl
def register_services(plugin):
    def run(stop):
        archive = FolderArchive(plugin.options)
        while not stop.is_set():
            # While folder or disk is away, health says so, and what waits is copied later.
            with suppress(ArchiveUnavailable, StorageUnavailable):
                copy_waiting(archive, plugin, stop.is_set)
            stop.wait(PAUSE_SECONDS)

    return [PluginService("copying", run)]


@hookimpl
def register_health_checks(plugin):
    def check():
        if not plugin.options.installation()["folder"]:
            return ComponentHealth("ok", detail={"state": "no folder is set"})
        try:
            FolderArchive(plugin.options).path()
        except ArchiveUnavailable as error:
            return ComponentHealth("down", error.message, "mount the disk, or correct the option 'folder'")
        backlog = read_backlog(plugin.options.devices())
        detail = {"waiting_bytes": backlog.bytes}
        if backlog.oldest_ms is not None and to_ms(utc_now()) - backlog.oldest_ms > LATE_MS:
            return ComponentHealth("degraded", "footage waits longer than an hour", "look into the log", detail)
        return ComponentHealth("ok", detail=detail)

    return [HealthCheck(ARCHIVE, check)]
