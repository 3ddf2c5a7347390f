"""Tags and search texts work in the same way for devices, snapshots and bookmarks."""

import pytest

from gateway import database
from gateway.captures.bookmarks import Bookmark, BookmarkTag
from gateway.captures.snapshots import Snapshot, SnapshotTag
from gateway.devices.model import Device, DeviceTag
from gateway.tags import count_tags, join_search_text, replace_tags, tags_of, with_all_tags
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_device
from tests.gateway.rows import make_bookmark, make_snapshot

OTHER_TENANT = TenantScope("00000000-0000-4000-8000-0000000000ff")


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


@pytest.fixture(params=["devices", "snapshots", "bookmarks"])
def tagged_rows(request, device, scope, box):
    """Model, owner column and two rows of one kind."""
    if request.param == "devices":
        return Device, DeviceTag.device_id, [device.id, make_device(scope, box).id]
    if request.param == "snapshots":
        return Snapshot, SnapshotTag.snapshot_id, [make_snapshot(scope, device, at_ms).id for at_ms in (1, 2)]
    return Bookmark, BookmarkTag.bookmark_id, [make_bookmark(scope, device, at_ms).id for at_ms in (1, 2)]


def test_tags_are_replaced_and_read_in_alphabetical_order(tagged_rows, scope):
    _, owner, (first, second) = tagged_rows
    with database.transaction():
        replace_tags(scope, owner, first, ["old"])
        replace_tags(scope, owner, first, ["north", "gate", "north"])
        assert tags_of(scope, owner, [first, second]) == {first: ["gate", "north"], second: []}
        assert tags_of(OTHER_TENANT, owner, [first]) == {first: []}


def test_a_query_is_narrowed_to_the_rows_with_all_tags(tagged_rows, scope):
    model, owner, (first, second) = tagged_rows
    with database.transaction():
        replace_tags(scope, owner, first, ["gate", "north"])
        replace_tags(scope, owner, second, ["gate"])

        def ids_with(*tags: str) -> set[str]:
            return {row.id for row in with_all_tags(scope, scope.select(model), owner, tags)}

        assert ids_with() == ids_with("gate") == {first, second}
        assert ids_with("gate", "north") == {first}
        assert ids_with("gate", "south") == set()


def test_the_most_used_tags_are_counted_first_and_deleted_rows_do_not_count(device, scope):
    rows = [make_snapshot(scope, device, at_ms) for at_ms in range(3)]
    gone = make_snapshot(scope, device, 9, deleted_at=device.created_at)
    with database.transaction():
        for row, tags in zip([*rows, gone], (["b"], ["b", "a"], ["c"], ["c"]), strict=True):
            replace_tags(scope, SnapshotTag.snapshot_id, row.id, tags)
    found, total = count_tags(scope, Snapshot, SnapshotTag.snapshot_id, limit=2)
    assert ([(one.tag, one.count) for one in found], total) == ([("b", 2), ("a", 1)], 3)


def test_a_search_text_is_case_folded_and_keeps_its_texts_apart():
    assert join_search_text("Straße", "GATE") == "strasse\ngate"
