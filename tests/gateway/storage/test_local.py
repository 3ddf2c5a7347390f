"""The local store writes whole parts or none, detects an unmounted disk, and lets no key lead out of it."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import uuid

import pytest

from gateway.errors import Conflict, InvalidValue, NotFound
from gateway.footage.segments import StorageRow
from gateway.storage import local as storage_module
from gateway.storage.interface import StorageFull, StorageUnavailable, check_key
from gateway.storage.local import MARKER, LocalStorage, adopt_storage, ensure_storage, open_storage
from gateway.storage.local_writer import convert_error
from tests.factories import make_config

one_kind = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KEY = "tenant/device/2025-06-15/12/00-00-000_1-1.mp4"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "recordings"


@pytest.fixture
def store(root) -> LocalStorage:
    """A store without a database."""
    store = LocalStorage(root)
    store.make_marker()
    return store


@pytest.fixture
def settings(bound_database, root):
    return make_config(database_url=bound_database, recordings_dir=root)


def write(store: LocalStorage, key: str, *parts: bytes) -> None:
    writer = store.create(key)
    for part in parts:
        writer.append(part)
    writer.sync()
    writer.close()


# ---- which store it is ------------------------------------------------------------------------------------------


def test_the_first_time_a_store_gets_its_folder_marker_and_row(settings, root):
    store = ensure_storage(settings)
    [row] = StorageRow.select()
    assert (store.id, row.kind) == (row.id, "local")
    assert (root / MARKER).read_text().strip() == row.uuid
    assert ensure_storage(settings).id == store.id


@one_kind
def test_a_known_store_without_its_marker_is_unmounted_and_gets_no_new_marker(settings, root):
    ensure_storage(settings)
    (root / MARKER).unlink()
    for attempt in (ensure_storage, lambda config: open_storage(config).create(KEY)):
        with pytest.raises(StorageUnavailable) as raised:
            attempt(settings)
        assert raised.value.reason == "storage_unmounted"
    assert list(root.iterdir()) == []


@one_kind
def test_a_missing_folder_is_unmounted(settings, root):
    ensure_storage(settings)
    shutil.rmtree(root)
    with pytest.raises(StorageUnavailable) as raised:
        ensure_storage(settings)
    assert raised.value.reason == "storage_unmounted"
    assert not root.exists()


@one_kind
def test_a_marker_without_a_row_gets_one(settings, root):
    known = ensure_storage(settings)
    StorageRow.delete().execute()
    again = ensure_storage(settings)
    assert again.uuid == known.uuid
    assert StorageRow.get().uuid == known.uuid


@one_kind
def test_a_person_can_adopt_a_new_disk(settings, root):
    ensure_storage(settings)
    shutil.rmtree(root)
    adopted = adopt_storage(settings)
    assert StorageRow.select().count() == 2
    assert ensure_storage(settings).id == adopted.id


def test_two_processes_that_make_a_store_at_once_agree(settings, root):
    found, ready = [], threading.Barrier(4)

    def make():
        ready.wait()
        found.append(ensure_storage(settings).id)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 4
    assert len(set(found)) == 1
    assert StorageRow.select().count() == 1
    assert [path.name for path in root.iterdir()] == [MARKER]


def test_another_disk_in_the_place_of_the_first_is_noticed(store, root):
    store.check()
    (root / MARKER).write_text(f"{uuid.uuid4()}\n")
    with pytest.raises(StorageUnavailable) as raised:
        store.check()
    assert raised.value.reason == "storage_unmounted"


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"not a uuid\n"])
def test_a_marker_without_a_uuid_is_an_error(store, root, text):
    (root / MARKER).write_bytes(text)
    with pytest.raises(StorageUnavailable, match="holds no uuid"):
        store.check()


# ---- keys -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "a//b",
        "a/../b",
        "..",
        ".",
        "a/./b",
        ".vas-storage",
        "a/.hidden",
        "a\\b",
        "a b",
        "a\0b",
        "a/b/",
        "ä",
        "a\n",
        "x" * 200,
        "/".join(["abcdefgh"] * 200),
    ],
)
def test_a_key_that_could_lead_out_of_the_store_is_refused(store, key):
    with pytest.raises(InvalidValue):
        check_key(key)
    for call in (store.create, store.read, store.size, store.delete, store.local_path):
        with pytest.raises(InvalidValue):
            call(key)
    with pytest.raises(InvalidValue):
        store.quarantine(key, "why")


def test_the_keys_of_segments_are_keys():
    assert check_key(KEY) == KEY


# ---- files ------------------------------------------------------------------------------------------------------


def test_what_was_written_is_read_whole_and_in_pieces(store):
    write(store, KEY, b"init", b"0123456789")
    assert b"".join(store.read(KEY)) == b"init0123456789"
    assert b"".join(store.read(KEY, 4)) == b"0123456789"
    assert b"".join(store.read(KEY, 6, 3)) == b"234"
    assert b"".join(store.read(KEY, 6, 0)) == b""
    assert b"".join(store.read(KEY, 12, 100)) == b"89"
    assert b"".join(store.read(KEY, 100)) == b""
    assert store.size(KEY) == 14
    assert store.local_path(KEY).read_bytes() == b"init0123456789"


def test_reading_a_missing_file_fails_when_called(store):
    assert store.size(KEY) is None
    assert store.delete(KEY) is False
    with pytest.raises(NotFound):
        store.read(KEY)
    with pytest.raises(NotFound):
        store.truncate(KEY, 0)
    with pytest.raises(NotFound):
        store.quarantine(KEY, "why")


def test_no_file_counts_as_missing_while_the_disk_is_not_mounted(store, root):
    write(store, KEY, b"x")
    store.check()
    shutil.rmtree(root)
    root.mkdir()
    for call in (store.size, store.delete, store.read, lambda key: list(store.list("tenant"))):
        with pytest.raises(StorageUnavailable) as raised:
            call(KEY)
        assert raised.value.reason == "storage_unmounted"
    with pytest.raises(StorageUnavailable):
        store.space()


def test_a_file_is_created_once(store):
    write(store, KEY, b"first")
    with pytest.raises(Conflict):
        store.create(KEY)
    assert b"".join(store.read(KEY)) == b"first"


def test_deleting_a_file_removes_only_folders_that_became_empty(store, root):
    other = KEY.replace("/12/", "/13/")
    write(store, KEY, b"x")
    write(store, other, b"y")
    assert store.delete(KEY)
    assert not (root / "tenant/device/2025-06-15/12").exists()
    assert store.size(other) == 1
    assert store.delete(other)
    assert [path.name for path in root.iterdir()] == [MARKER]


def test_a_file_can_be_created_while_its_empty_folder_is_removed(store):
    """Whoever deletes the last file of an hour and whoever writes the next one of it do not get in each other's way."""
    failed = []

    def churn(number: int) -> None:
        try:
            for turn in range(60):
                key = f"tenant/device/2025-06-15/12/{number}-{turn}.mp4"
                write(store, key, b"x")
                assert store.delete(key)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


def test_a_list_has_every_file_below_a_folder_but_no_internal_ones(store):
    names = ["a/1/x.mp4", "a/1/y.mp4", "a/2/z.mp4", "b/1/x.mp4"]
    for name in names:
        write(store, name, b"abc")
    write(store, "a/1/w.mp4", b"")
    store.quarantine("a/1/w.mp4", "no footage")
    assert [entry[0] for entry in store.list()] == names
    assert [entry[:2] for entry in store.list("a/1")] == [("a/1/x.mp4", 3), ("a/1/y.mp4", 3)]
    assert list(store.list("c")) == []


def test_a_list_does_not_follow_links_out_of_the_store(store, root, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.mp4").write_bytes(b"x")
    (root / "a").symlink_to(tmp_path / "outside")
    assert list(store.list()) == []


def test_quarantine_keeps_a_note_and_never_overwrites(store, root):
    places = set()
    for content in (b"one", b"two"):
        write(store, KEY, content)
        places.add(store.quarantine(KEY, "no footage"))
    assert store.size(KEY) is None
    assert {(root / place).read_bytes() for place in places} == {b"one", b"two"}
    assert all("no footage" in (root / f"{place}.why").read_text() for place in places)


def test_a_torn_end_is_truncated(store):
    write(store, KEY, b"whole", b"to")
    store.truncate(KEY, 5)
    assert b"".join(store.read(KEY)) == b"whole"


def test_space_is_that_of_the_disk(store, root):
    space = store.space()
    found = os.statvfs(root)
    assert space.total == found.f_blocks * found.f_frsize
    assert 0 < space.free <= space.total
    assert 0 < space.used <= space.total


# ---- writing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", range(0, 11, 2))
def test_a_part_is_appended_whole_or_not_at_all(store, monkeypatch, room):
    """The kernel writes what fits, and then says that the disk is full."""
    writer = store.create(KEY)
    writer.append(b"first")
    left = [room]
    real = os.pwrite

    def write_what_fits(descriptor, data, offset):
        if not left[0]:
            raise OSError(errno.ENOSPC, "no space")
        written = real(descriptor, data[: left[0]], offset)
        left[0] -= written
        return written

    monkeypatch.setattr(storage_module.os, "pwrite", write_what_fits)
    with pytest.raises(StorageFull) as raised:
        writer.append(b"the second part")
    assert raised.value.reason == "disk_full"
    assert (writer.size, store.size(KEY)) == (5, 5)
    left[0] = 100
    writer.append(b"third")
    writer.sync()
    assert b"".join(store.read(KEY)) == b"firstthird"
    assert writer.durable_size == 10


def test_bytes_that_could_not_be_truncated_are_overwritten(store, monkeypatch):
    writer = store.create(KEY)
    writer.append(b"first")
    real = os.pwrite

    def fail_half_way(descriptor, data, offset):
        real(descriptor, data[:4], offset)
        raise OSError(errno.EIO, "input/output error")

    def refuse(*_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(storage_module.os, "pwrite", fail_half_way)
    monkeypatch.setattr(storage_module.os, "ftruncate", refuse)
    with pytest.raises(StorageUnavailable):
        writer.append(b"second")
    monkeypatch.setattr(storage_module.os, "pwrite", real)
    writer.append(b"third")
    assert b"".join(store.read(KEY)) == b"firstthird"


def test_a_limit_on_the_size_of_files_counts_as_a_full_disk(store):
    """Without a disk of one's own the kernel can still refuse for real: RLIMIT_FSIZE, in a process of its own."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from gateway.storage.interface import StorageFull\n"
        "from gateway.storage.local import LocalStorage\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "writer = LocalStorage(Path(sys.argv[1])).create(sys.argv[2])\n"
        "writer.append(b'a' * 3000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    writer.append(b'b' * 3000)\n"
        "except StorageFull:\n"
        "    print(writer.size, Path(sys.argv[1], sys.argv[2]).stat().st_size)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.root), KEY], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.split() == ["3000", "3000"], done.stderr


def test_a_new_file_and_all_new_folders_are_durable_after_the_first_sync(store, root, monkeypatch):
    synced = []
    real = os.fsync

    def note(descriptor):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(storage_module.os, "fsync", note)
    writer = store.create(KEY)
    writer.append(b"x")
    writer.sync()
    folders = [str(root / KEY)]
    while folders[-1] != str(root):
        folders.append(os.path.dirname(folders[-1]))
    assert set(folders[1:]) == set(synced)
    synced.clear()
    writer.append(b"y")
    writer.sync()
    assert synced == []


@pytest.mark.parametrize("leave_marker", [True, False])
def test_a_file_removed_while_open_is_noticed_at_the_next_sync(store, root, leave_marker):
    writer = store.create(KEY)
    writer.append(b"x")
    writer.sync()
    if leave_marker:
        (root / KEY).unlink()
    else:
        root.rename(root.with_name("elsewhere"))
    writer.append(b"y")
    with pytest.raises(StorageUnavailable) as raised:
        writer.sync()
    assert raised.value.reason == ("file_missing" if leave_marker else "storage_unmounted")
    assert writer.durable_size == 1


def test_a_failed_sync_makes_nothing_durable(store, monkeypatch):
    writer = store.create(KEY)
    writer.append(b"x")

    def fail(descriptor):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(storage_module.os, "fdatasync", fail)
    with pytest.raises(StorageFull):
        writer.sync()
    assert writer.durable_size == 0


def test_a_writer_may_be_closed_twice(store):
    writer = store.create(KEY)
    writer.close()
    writer.close()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EFBIG, "disk_full"),
        (errno.ESTALE, "storage_unmounted"),
        (errno.ENODEV, "storage_unmounted"),
        (errno.EROFS, "storage_read_only"),
        (errno.EIO, "storage_failed"),
        (errno.EACCES, "storage_failed"),
    ],
)
def test_errors_of_the_system_have_actionable_reasons(number, reason):
    error = convert_error(OSError(number, os.strerror(number)), "/place")
    assert error.reason == reason
    assert "/place" in error.message


@pytest.mark.parametrize("path", ["tenant", "tenant/device"])
def test_a_file_in_place_of_a_folder_is_an_error_of_the_domain(store, root, path):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(b"")
    with pytest.raises(StorageUnavailable):
        store.create(KEY)
    assert store.size(KEY) is None
