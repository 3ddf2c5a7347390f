"""The search text of snapshots, as devices and bookmarks have it: one rule for every database and script."""


def upgrade(run, types):
    run("ALTER TABLE snapshots ADD COLUMN search_text TEXT NOT NULL DEFAULT ''")
    tags = {}
    for snapshot_id, tag in run("SELECT snapshot_id, tag FROM snapshot_tags").fetchall():
        tags.setdefault(snapshot_id, []).append(tag)
    mark = types.mark
    for snapshot_id, note, device_name in run("SELECT id, note, device_name FROM snapshots").fetchall():
        text = "\n".join([note, *sorted(tags.get(snapshot_id, [])), device_name]).casefold()
        run(f"UPDATE snapshots SET search_text = {mark} WHERE id = {mark}", (text, snapshot_id))  # noqa: S608 (place holders)
