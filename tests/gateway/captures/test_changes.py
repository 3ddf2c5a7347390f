"""Snapshots and bookmarks are versioned, deleted, restored and filtered by the same rules."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway import database
from gateway.captures.bookmarks import Bookmark, BookmarkTag
from gateway.captures.changes import (
    NEWEST,
    OLDEST,
    CaptureFilter,
    check_version,
    filter_captures,
    find_row,
    lock_row,
    read_page,
    restore,
    soft_delete,
)
from gateway.captures.snapshots import Snapshot, SnapshotTag
from gateway.errors import NotFound, VersionChanged
from gateway.tags import replace_tags
from gateway.tenancy.scopes import TenantScope
from tests.factories import make_device
from tests.gateway.rows import make_bookmark, make_snapshot

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OTHER_TENANT = TenantScope("00000000-0000-4000-8000-0000000000ff")


@pytest.fixture
def device(bound_database, scope, box):
    return make_device(scope, box)


@pytest.fixture(
    params=[(Snapshot, SnapshotTag.snapshot_id, make_snapshot), (Bookmark, BookmarkTag.bookmark_id, make_bookmark)]
)
def capture(request, device, scope):
    """Model, owner column of its tags, and a factory of rows."""
    model, tag_owner, make = request.param
    return model, tag_owner, lambda at_ms=1, **values: make(scope, device, at_ms, **values)


def test_a_deleted_row_is_hidden_and_can_be_restored_for_a_time(capture, scope):
    model, _, make = capture
    row = make()
    with database.transaction():
        soft_delete(scope, model, row.id, NOW)
        for action in (lambda: find_row(scope, model, row.id), lambda: soft_delete(scope, model, row.id, NOW)):
            with pytest.raises(NotFound, match=f"there is no {model.__name__.lower()} with id '{row.id}'"):
                action()
        assert find_row(scope, model, row.id, with_deleted=True).deleted_at == NOW
        too_late = NOW + timedelta(minutes=30, seconds=1)
        assert not restore(scope, model, row.id, undo_minutes=30, at=too_late)
        assert restore(scope, model, row.id, undo_minutes=30, at=NOW + timedelta(minutes=30))
        assert not restore(scope, model, row.id, undo_minutes=30, at=NOW), "it is not deleted"
        assert find_row(scope, model, row.id).deleted_at is None


def test_rows_of_another_tenant_are_not_found(capture, scope):
    model, _, make = capture
    row = make()
    with database.transaction():
        lock_row(OTHER_TENANT, model, row.id)
        for action in (find_row, soft_delete):
            with pytest.raises(NotFound):
                action(OTHER_TENANT, model, row.id)
        soft_delete(scope, model, row.id, NOW)
        assert not restore(OTHER_TENANT, model, row.id, undo_minutes=30, at=NOW)


def test_a_version_that_was_not_seen_is_refused(capture):
    model, _, make = capture
    row = make(version=3)
    check_version(row, None)
    check_version(row, 3)
    with pytest.raises(VersionChanged, match=f"{model.__name__.lower()} '{row.id}' was changed in the meantime"):
        check_version(row, 2)


def test_a_filter_matches_rows_to_which_all_of_it_applies(capture, scope, device):
    model, tag_owner, make = capture
    first, second = make(1000, search_text="white van"), make(2000, search_text="dog")
    make(1500, deleted_at=NOW)
    with database.transaction():
        replace_tags(scope, tag_owner, first.id, ["gate"])

        def found(order: str = OLDEST, limit: int = 50, offset: int = 0, **criteria) -> list[int]:
            query = filter_captures(scope, model, tag_owner, CaptureFilter(**criteria))
            return [row.at_ms for row in read_page(query, order=order, limit=limit, offset=offset)[0]]

        assert found() == [1000, 2000]
        assert found(NEWEST) == [2000, 1000]
        assert found(limit=1, offset=1) == [2000]
        assert found(start_ms=1000, end_ms=2000) == [1000], "the end is exclusive"
        assert found(tags=["gate"]) == [1000]
        assert found(text="DOG") == [second.at_ms]
        assert found(text="dog", tags=["gate"]) == []
        assert found(device_ids=[device.id]) == [1000, 2000]
        assert found(device_ids=[OTHER_TENANT.tenant_id]) == []
        everything = filter_captures(scope, model, tag_owner, CaptureFilter())
        assert read_page(everything, order=NEWEST, limit=1, offset=0)[1] == 2
