"""Indexes that find the tags of one device, snapshot or bookmark.

SQLite used the index on tags instead, and read all tags of the tenant for each device.
"""


def upgrade(run, types):
    for owner in ("device", "snapshot", "bookmark"):
        run(f"CREATE INDEX {owner}_tags_{owner} ON {owner}_tags (tenant_id, {owner}_id)")
