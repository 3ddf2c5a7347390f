"""Counts motion by camera and hour."""

from datetime import timedelta

import marshmallow as ma
import peewee

from gateway.plugin_api import (
    EVERY_TENANT,
    IdField,
    PluginMigration,
    PluginSchedule,
    TenantRow,
    database,
    hookimpl,
    to_ms,
    utc_now,
)

requires_plugin_api = ">=1.0,<2"

HOUR_MS = 3_600_000
KEPT = timedelta(days=30)


class Motion(TenantRow):
    """An event that was counted: by its id, because events are reported again when they change."""

    event_id = peewee.BigIntegerField(primary_key=True)
    device_id = IdField()
    hour_ms = peewee.BigIntegerField()

    class Meta:
        table_name = "motion_count_events"


def create_events(run, types):
    run(f"""
        CREATE TABLE motion_count_events (
            event_id BIGINT PRIMARY KEY,
            tenant_id {types.id} NOT NULL,
            device_id {types.id} NOT NULL,
            hour_ms BIGINT NOT NULL
        )""")
    run("CREATE INDEX motion_count_events_hour ON motion_count_events (tenant_id, hour_ms)")


@hookimpl
def register_migrations():
    return [PluginMigration(1, "create_events", create_events)]


@hookimpl
def on_event(event):
    if event.kind != "motion" or event.device_id is None:
        return
    hour_ms = event.start_ms // HOUR_MS * HOUR_MS
    with database.transaction():
        row = EVERY_TENANT.insert(
            Motion, event_id=event.id, tenant_id=event.tenant_id, device_id=event.device_id, hour_ms=hour_ms
        )
        row.on_conflict_ignore().execute()


@hookimpl
def register_schedules():
    return [PluginSchedule("forget", 3600, forget_old)]


def forget_old():
    """Delete what is older than 30 days."""
    with database.transaction():
        EVERY_TENANT.delete(Motion).where(Motion.hour_ms < to_ms(utc_now() - KEPT)).execute()


@hookimpl
def register_blueprints():
    # Only the web process needs Flask.
    from gateway.plugin_api.web import Blueprint, Id, Moment, ReplySchema, Schema, current_scope

    class HourSchema(ReplySchema):
        """Motion of a camera in an hour."""

        device_id = Id()
        hour = Moment(metadata={"description": "its beginning"})
        count = ma.fields.Integer()

    class HoursQueryArgsSchema(Schema):
        """Query of the hours."""

        start = Moment(required=True)
        end = Moment(required=True)

    blp = Blueprint("motion_count", __name__, description="Motion by camera and hour")

    @blp.route("/motion_count")
    @blp.arguments(HoursQueryArgsSchema, location="query")
    @blp.response(200, HourSchema(many=True))
    @blp.errors(422, 503)
    def count_motion(args):
        """Count motion by camera and hour

        Hours without motion are left out.
        """
        count = peewee.fn.COUNT(Motion.event_id).alias("count")
        query = current_scope().select(Motion, Motion.device_id, Motion.hour_ms, count)
        query = query.where(Motion.hour_ms >= args["start"], Motion.hour_ms < args["end"])
        query = query.group_by(Motion.device_id, Motion.hour_ms).order_by(Motion.hour_ms, Motion.device_id)
        with database.session():
            return [{"device_id": row.device_id, "hour": row.hour_ms, "count": row.count} for row in query]

    return [blp]
