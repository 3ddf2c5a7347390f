"""The disk cache of archived footage: bounded, safe from crashes and damage, and never a reason to fail."""

import os
import time

from gateway.archive.cache import BlockCache

BLOCK = b"x" * 1000


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_block_is_found_again_also_by_another_process(tmp_path):
    BlockCache(tmp_path, 10_000).put("a", BLOCK)
    other = BlockCache(tmp_path, 10_000)
    assert (other.get("a"), other.get("b")) == (BLOCK, None)
    other.remove("a")
    assert other.get("a") is None


def test_the_blocks_that_were_not_used_for_the_longest_time_make_room(tmp_path):
    cache = BlockCache(tmp_path, 5 * 1016)
    old = time.time() - 1000
    for number in range(5):
        cache.put(str(number), BLOCK)
        os.utime(cache._path(str(number)), (old + number, old + number))
    assert cache.get("0") == BLOCK  # used now
    cache.put("5", BLOCK)
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 5 * 1016
    assert cache.get("0") == BLOCK
    assert cache.get("5") == BLOCK
    assert cache.get("1") is None


def test_what_other_processes_store_counts(tmp_path):
    first, second = BlockCache(tmp_path, 4 * 1016), BlockCache(tmp_path, 4 * 1016)
    for number in range(4):
        first.put(str(number), BLOCK)
    second.put("5", BLOCK)
    assert len(files(tmp_path)) <= 4


def test_a_damaged_or_half_written_block_is_removed(tmp_path):
    cache = BlockCache(tmp_path, 10_000)
    for damage in (lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.write_bytes(b"")):
        cache.put("a", BLOCK)
        damage(files(tmp_path)[0])
        assert cache.get("a") is None
        assert not files(tmp_path)


def test_a_draft_of_a_killed_process_is_removed(tmp_path):
    cache = BlockCache(tmp_path, 10_000)
    cache.put("a", BLOCK)
    draft = files(tmp_path)[0].with_name(".draft-1")
    draft.write_bytes(b"torn")
    os.utime(draft, (1, 1))
    BlockCache(tmp_path, 10_000).put("b", BLOCK)
    assert not draft.exists()


def test_a_full_disk_or_a_wrong_folder_is_no_error(tmp_path, caplog, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    cache = BlockCache(blocked, 10_000)
    for name in ("a", "b"):
        cache.put(name, BLOCK)
        assert cache.get(name) is None
    assert caplog.text.count("cannot be cached") == 1


def test_nothing_is_stored_with_a_limit_of_zero(tmp_path):
    cache = BlockCache(tmp_path, 0)
    cache.put("a", BLOCK)
    assert cache.get("a") is None
    assert not files(tmp_path)
