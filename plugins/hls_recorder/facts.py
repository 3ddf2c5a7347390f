"""What the database says of the devices that are being recorded: what is wanted of them, and how their streams are."""

from dataclasses import dataclass

from gateway import database
from gateway.models.base import EVERY_TENANT
from gateway.models.devices import Device
from gateway.models.recordings import RecorderSettings, Recording
from gateway.models.streams import Stream


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """One device at one moment. `desired` and `observed` are values of gateway.states, of its stream."""

    settings: RecorderSettings
    desired: str
    desired_reason: str
    observed: str
    reason: str | None
    run: int


def read_facts(recording_ids: list[int]) -> dict[int, DeviceFacts]:
    """The facts of many recordings in one query, by the recording's id; those of deleted devices are missing.

    Raises DatabaseUnavailable.
    """
    with database.session():
        rows = list(
            EVERY_TENANT.select(
                Recording, Recording, Device.enabled, Stream.desired, Stream.desired_reason,
                Stream.observed.alias("stream_observed"), Stream.reason_code.alias("stream_reason"), Stream.run,
            )
            .join(Device, on=(Device.id == Recording.device_id))
            .join(Stream, on=(Stream.device_id == Recording.device_id))
            .where(Recording.id.in_(recording_ids), Recording.deleted_at.is_null())
            .objects()
        )
    return {
        row.id: DeviceFacts(
            settings=RecorderSettings(
                recording_id=row.id,
                tenant_id=row.tenant_id,
                device_id=row.device_id,
                epoch=row.epoch,
                pre_roll_seconds=row.pre_roll_seconds,
                post_roll_seconds=row.post_roll_seconds,
                wish=row.wish(is_enabled=bool(row.enabled)),
            ),
            desired=row.desired,
            desired_reason=row.desired_reason,
            observed=row.stream_observed,
            reason=row.stream_reason,
            run=row.run,
        )
        for row in rows
    }
