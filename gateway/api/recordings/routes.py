"""`/recordings`: settings, state and manual override of each device's recording, its events, and the storage."""

import logging
from typing import Any

from flask import Response
from flask.views import MethodView

from gateway.api.base import Blueprint, current_name, current_scope, no_content, offset_of, paginated, services
from gateway.api.conditional import IdempotencySchema, IfMatchSchema, etag_header, seen_version, with_etag
from gateway.api.idempotency import create_once
from gateway.api.merge_patch import merge, repeat_unless_conditional
from gateway.api.recordings.archives import find_observed
from gateway.api.recordings.schemas import (
    EVENT_EXAMPLE,
    SETTINGS_EXAMPLE,
    ArchiveTestSchema,
    EventQueryArgsSchema,
    ExpiringSchema,
    RecordingEventSchema,
    RecordingQueryArgsSchema,
    RecordingSchema,
    RetentionArgsSchema,
    StorageSchema,
    UntilSchema,
)
from gateway.api.recordings.store import forget_doubt, storage_view
from gateway.api.recordings.views import event_view, recording_views
from gateway.api.time_fields import now_ms
from gateway.clock import SystemClock
from gateway.errors import Conflict, InvalidValue, Unavailable, VersionChanged
from gateway.footage.lists import select_recordings
from gateway.footage.protections import recording_events
from gateway.footage.recordings import (
    Recording,
    RecordingChanged,
    add_event,
    change_settings,
    find_recording,
    set_override,
)
from gateway.schedules.recording_plan import decide
from gateway.storage.clock_trust import confirm_clock
from gateway.storage.limits import limits_of
from gateway.storage.retention_preview import expiring_footage

log = logging.getLogger(__name__)

blp = Blueprint("recordings", __name__, url_prefix="/recordings", description="Settings and state of recordings")

_ETAG = etag_header("the settings")

_SETTINGS = (
    "mode",
    "time_zone",
    "plan",
    "pre_roll_seconds",
    "post_roll_seconds",
    "keep_days",
    "keep_bytes",
    "archive_keep_days",
    "waits_for_copy",
)


@blp.route("")
class Recordings(MethodView):
    @blp.arguments(RecordingQueryArgsSchema, location="query")
    @blp.list_response(RecordingSchema)
    @blp.errors(422, 503)
    def get(self, args: dict[str, Any]) -> Any:
        """List recordings

        One per device, ordered by device name.
        """
        found, total = select_recordings(
            current_scope(), text=args["q"], device_ids=args["device"], limit=args["page_size"], offset=offset_of(args)
        )
        return paginated(recording_views(found), total, args)


@blp.route("/devices/<uuid:device_id>")
class RecordingByDevice(MethodView):
    @blp.response(200, RecordingSchema, headers=_ETAG)
    @blp.errors(404, 503)
    def get(self, device_id: Any) -> Any:
        """Read a recording"""
        return _shown(find_recording(current_scope(), str(device_id)))

    @blp.arguments(RecordingSchema, example=SETTINGS_EXAMPLE)
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, RecordingSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 412, 413, 415, 422, 503)
    def put(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Change the settings of a recording

        Sets every setting; omitted ones get their default. The recorder applies them within about two seconds. A change
        of the mode cancels an override by `start` or `stop`. With If-Match, 412 if the settings have changed since they
        were read.
        """
        before = find_recording(current_scope(), str(device_id))
        return _replace(data, before, seen_version(headers, before, "recording"))

    @blp.patch_arguments()
    @blp.arguments(IfMatchSchema, location="headers")
    @blp.response(200, RecordingSchema, headers=_ETAG)
    @blp.errors(400, 403, 404, 412, 413, 415, 422, 503)
    def patch(self, patch: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Change some settings of a recording

        A JSON merge patch (RFC 7396): settings that are sent replace the present ones, null restores a default; a day
        of `plan` is replaced alone. The rest as with PUT.
        """

        def change() -> Any:
            before = find_recording(current_scope(), str(device_id))
            data = merge(RecordingSchema, recording_views([before])[0], patch)
            return _replace(data, before, seen_version(headers, before, "recording") or before.version)

        return repeat_unless_conditional(change, headers)


@blp.route("/devices/<uuid:device_id>/expiring")
@blp.arguments(RetentionArgsSchema, location="query")
@blp.response(200, ExpiringSchema)
@blp.errors(404, 422, 503)
def get_expiring(args: dict[str, Any], device_id: Any) -> Any:
    """Read what other limits would delete

    The footage that retention would delete if the recording had these limits; nothing is changed.
    """
    recording = find_recording(current_scope(), str(device_id))
    for name in ("keep_days", "keep_bytes", "archive_keep_days", "waits_for_copy"):
        setattr(recording, name, args[name])
    return expiring_footage(recording, limits_of(recording, services().config), now_ms())


@blp.route("/devices/<uuid:device_id>/start", methods=["POST"])
@blp.arguments(UntilSchema, required=False)
@blp.response(202, RecordingSchema)
@blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
def start_recording(data: dict[str, Any], device_id: Any) -> Any:
    """Start recording

    Overrides the mode, until `until` or until the override is changed. May be repeated. 409 with reason
    `device_disabled` for a disabled device.
    """
    recording = find_recording(current_scope(), str(device_id))
    if not recording.device.enabled:
        raise Conflict(f"device '{recording.device.name}' is disabled: enable it first", reason="device_disabled")
    return _shown(_start_recorder(_override(str(device_id), "on", data["until"])))[0]


@blp.route("/devices/<uuid:device_id>/stop", methods=["POST"])
@blp.arguments(UntilSchema, required=False)
@blp.response(202, RecordingSchema)
@blp.errors(400, 403, 404, 413, 415, 422, 503)
def stop_recording(data: dict[str, Any], device_id: Any) -> Any:
    """Stop recording

    Overrides the mode, until `until` or until the override is changed. The gap names the requester. May be repeated.
    """
    return _shown(_override(str(device_id), "off", data["until"]))[0]


@blp.route("/devices/<uuid:device_id>/resume", methods=["POST"])
@blp.response(202, RecordingSchema)
@blp.errors(403, 404, 415, 503)
def resume_recording(device_id: Any) -> Any:
    """Resume the mode

    Cancels an override by `start` or `stop`. May be repeated.
    """
    return _shown(_start_recorder(_override(str(device_id), None, None)))[0]


@blp.route("/devices/<uuid:device_id>/events")
class RecordingEvents(MethodView):
    @blp.arguments(EventQueryArgsSchema, location="query")
    @blp.list_response(RecordingEventSchema)
    @blp.errors(404, 422, 503)
    def get(self, args: dict[str, Any], device_id: Any) -> Any:
        """List the events of a recording

        Events in front of the camera, newest first.
        """
        recording = find_recording(current_scope(), str(device_id))
        found, total = recording_events(
            current_scope(), recording, args["start"], args["end"], limit=args["page_size"], offset=offset_of(args)
        )
        return paginated([event_view(event) for event in found], total, args)

    @blp.arguments(RecordingEventSchema, example=EVENT_EXAMPLE)
    @blp.arguments(IdempotencySchema, location="headers")
    @blp.response(201, RecordingEventSchema)
    @blp.errors(400, 403, 404, 409, 413, 415, 422, 503)
    def post(self, data: dict[str, Any], headers: dict[str, Any], device_id: Any) -> Any:
        """Report an event

        In the mode `event`, footage is recorded from the pre-roll before now until the end of the event and its
        post-roll.
        """
        now = now_ms()
        at = now if data["at"] is None else data["at"]
        if at > now + 60_000:
            raise InvalidValue("at", "'at' must not be in the future")
        duration_ms = round(data["duration_seconds"] * 1000)

        def create() -> Any:
            event = add_event(
                current_scope(),
                str(device_id),
                label=data["label"],
                note=data["note"],
                at_ms=at,
                end_ms=at + duration_ms if duration_ms else None,
            )
            return event_view(event), 201, {}

        def then() -> None:
            _start_recorder(find_recording(current_scope(), str(device_id)))

        return create_once(headers["key"], RecordingEventSchema, create, then)


@blp.route("/storage")
@blp.response(200, StorageSchema)
@blp.errors(503)
def get_storage() -> Any:
    """Read the state of the storage

    Capacity, space taken by footage, growth per day, and the forecast of days left.
    """
    return storage_view()


@blp.route("/storage/trust-clock", methods=["POST"])
@blp.response(200, StorageSchema)
@blp.errors(403, 415, 503)
def trust_clock() -> Any:
    """Confirm the clock

    Answers the reason `clock_doubted`: the clock of the server is right, and footage that is too old by it is to be
    deleted, even if it is most of it. May be repeated.
    """
    confirm_clock(SystemClock())
    forget_doubt()
    return storage_view()


@blp.route("/storage/archives/<string(maxlength=100):archive>/test", methods=["POST"])
@blp.arguments(IdempotencySchema, location="headers")
@blp.response(202, ArchiveTestSchema)
@blp.errors(403, 404, 409, 415, 422, 503)
def test_archive(headers: dict[str, Any], archive: str) -> Any:
    """Test an archive

    Starts a job of its plugin that tests the connection; its result names the step that fails, and the remedy.
    """
    found = find_observed(archive)
    return create_once(headers["key"], ArchiveTestSchema, lambda: ({"job_id": found.start_test()}, 202, {}))


@blp.route("/storage/archives/<string(maxlength=100):archive>/retry", methods=["POST"])
@blp.response(204)
@blp.errors(403, 404, 415, 503)
def retry_archive(archive: str) -> Response:
    """Copy again now

    Ends the pauses of an archive after failures.
    """
    find_observed(archive).retry()
    return no_content()


def _replace(data: dict[str, Any], before: Recording, if_version: int | None) -> Any:
    values = {name: data[name] for name in _SETTINGS} | {"time_zone": data["time_zone"] or before.time_zone}
    try:
        recording = change_settings(current_scope(), before.device_id, values, if_version=if_version)
    except RecordingChanged as error:
        raise VersionChanged(error.message) from error
    return _shown(_start_recorder(recording))


def _override(device_id: str, word: str | None, until_ms: int | None) -> Recording:
    now = now_ms()
    if until_ms is not None and until_ms <= now:
        raise InvalidValue("until", "'until' must be in the future")
    return set_override(current_scope(), device_id, word, by=current_name(), now_ms=now, until_ms=until_ms)


def _start_recorder(recording: Recording) -> Recording:
    """Ask a recorder to start now if footage is wanted; the clock process would do so within seconds."""
    wired = services()
    desired = recording.desired_recording(is_enabled=recording.device.enabled)
    if decide(desired, now_ms()).is_wanted and not wired.redis_outage.is_active:
        try:
            if (recorder := wired.recorder()) is not None:
                wired.messages.start_consumer(recorder, recording.device_id)
        except Unavailable as error:
            wired.redis_outage.begin()
            log.warning("recording of device %s is left to the clock process: %s", recording.device_id, error)
    return recording


def _shown(recording: Recording) -> Any:
    return with_etag(recording_views([recording])[0], recording)
