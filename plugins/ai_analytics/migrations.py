"""The plugin's own tables."""

from gateway.plugin_api import PluginMigration


def create_boxes(run, types) -> None:
    """Boxes of events, packed, with indexes by device and time, by event, and by age."""
    run(f"""
        CREATE TABLE ai_analytics_boxes (
            id {types.big_serial},
            tenant_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            event_id BIGINT NOT NULL,
            label TEXT NOT NULL,
            start_ms BIGINT NOT NULL,
            end_ms BIGINT NOT NULL,
            packed {types.bytes} NOT NULL,
            at {types.time} NOT NULL
        )""")
    run("CREATE INDEX ai_analytics_boxes_time ON ai_analytics_boxes (device_id, start_ms)")
    run("CREATE INDEX ai_analytics_boxes_event ON ai_analytics_boxes (event_id)")
    run("CREATE INDEX ai_analytics_boxes_at ON ai_analytics_boxes (at)")


MIGRATIONS = [PluginMigration(1, "create_boxes", create_boxes)]
