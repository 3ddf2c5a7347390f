"""Indexes of the events of plugins and of those with a picture, which are few among transitions and jobs."""


def upgrade(run, types):
    run("CREATE INDEX events_of_plugins ON events (tenant_id, start_ms, id, score) WHERE plugin IS NOT NULL")
    run("CREATE INDEX events_of_plugins_device ON events (device_id, start_ms, id) WHERE plugin IS NOT NULL")
    run("CREATE INDEX events_picture ON events (tenant_id, start_ms, id) WHERE snapshot_id IS NOT NULL")
