"""Recordings as lists show them: pages of them, what there is of each, their states beside devices."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee
from peewee import fn

from gateway import database
from gateway.models.base import EVERY_RECORDING, EveryTenantScope
from gateway.models.devices import Device
from gateway.models.footage import PLAYABLE, open_amounts
from gateway.models.recordings import Recording
from gateway.models.segments import QUARTER_MS, Quarter, Segment


class Totals(NamedTuple):
    """What there is of a recording: its first and last moment (None without footage), bytes and milliseconds."""

    oldest_ms: int | None = None
    newest_ms: int | None = None
    bytes: int = 0
    recorded_ms: int = 0


class RecordingState(NamedTuple):
    """What a list of devices shows of a recording."""

    mode: str
    observed: str


def select_recordings(
    scope: EveryTenantScope, *, text: str | None, device_ids: Sequence[str], limit: int, offset: int
) -> tuple[list[Recording], int]:
    """A page of recordings with their devices as `.device`, by the device's name, and how many there are.

    `device_ids`: only of these devices, where any are named.
    """
    with database.session():
        query = (
            scope.select(Recording, Recording, Device.id, Device.name, Device.enabled, Device.start_mode)
            .join(Device, on=(Device.id == Recording.device_id), attr="device")
            .where(Recording.deleted_at.is_null())
        )
        if text:
            query = query.where(Device.search_text.contains(text.casefold()))
        if device_ids:
            query = query.where(Recording.device_id.in_(list(device_ids)))
        return list(query.order_by(Device.name_key, Device.id).limit(limit).offset(offset)), query.count()


def recording_states(scope: EveryTenantScope, device_ids: Sequence[str]) -> dict[str, RecordingState]:
    """Mode and state of devices' recordings, by the devices' ids. One query."""
    if not device_ids:
        return {}
    with database.session():
        rows = scope.select(Recording, Recording.device_id, Recording.mode, Recording.observed).where(
            Recording.device_id.in_(list(device_ids))
        )
        return {device_id: RecordingState(mode, observed) for device_id, mode, observed in rows.tuples()}


def read_edges(scope: EveryTenantScope, recording_ids: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
    """The first and last moment of the footage of recordings (ms since 1970; None without), by their ids."""
    first = _edge(Segment.start_ms, Segment.start_ms.asc())
    last = _edge(Segment.start_ms + Segment.duration_ms, Segment.start_ms.desc())
    with database.session():
        rows = scope.select(Recording, Recording.id, first, last).where(Recording.id.in_(list(recording_ids)))
        return {key: (oldest, newest) for key, oldest, newest in rows.tuples()}


def read_totals(scope: EveryTenantScope, recording_ids: Sequence[int]) -> dict[int, Totals]:
    """The totals of recordings, by their ids; of those outside the scope none."""
    if not recording_ids:
        return {}
    with database.session():
        edges = read_edges(scope, recording_ids)
        sums = (
            EVERY_RECORDING.select(Quarter, Quarter.recording_id, fn.SUM(Quarter.bytes), fn.SUM(Quarter.recorded_ms))
            .where(Quarter.recording_id.in_(list(edges)))
            .group_by(Quarter.recording_id)
        )
        amounts = {key: (int(size), int(ms)) for key, size, ms in sums.tuples()}
        for recording_id, _, amount in open_amounts(list(edges)):
            size, ms = amounts.get(recording_id, (0, 0))
            amounts[recording_id] = (size + amount.bytes, ms + amount.recorded_ms)
    return {key: Totals(*edge, *amounts.get(key, (0, 0))) for key, edge in edges.items()}


def recent_bytes(scope: EveryTenantScope, since_ms: int) -> tuple[int, int]:
    """Bytes of all recordings of the scope, and those of the closed segments that began after a moment."""
    with database.session():
        ids = scope.select(Recording, Recording.id)
        sums = EVERY_RECORDING.select(
            Quarter,
            fn.COALESCE(fn.SUM(Quarter.bytes), 0),
            fn.COALESCE(fn.SUM(peewee.Case(None, [(Quarter.quarter >= since_ms // QUARTER_MS, Quarter.bytes)], 0)), 0),
        ).where(Quarter.recording_id.in_(ids))
        total, recent = sums.tuples().first()
    return int(total), int(recent)


def _edge(moment: Any, order: Any) -> peewee.ModelSelect:
    """The first or last moment of the footage of the recording of the outer query."""
    return (
        EVERY_RECORDING.select(Segment, moment)
        .where(Segment.recording_id == Recording.id, PLAYABLE)
        .order_by(order)
        .limit(1)
    )
