"""The events of plugins around a moment of a device, for going from one to the next."""

from collections.abc import Sequence

from gateway import database
from gateway.events.model import Event
from gateway.tenancy.scopes import EveryTenantScope


def find_neighbours(
    scope: EveryTenantScope, device_id: str, at_ms: int, *, kinds: Sequence[str] = (), labels: Sequence[str] = ()
) -> tuple[Event | None, Event | None]:
    """The last event that began before a moment, and the first that begins after it."""
    query = scope.select(Event).where(Event.device_id == device_id, Event.plugin.is_null(False))
    if kinds:
        query = query.where(Event.kind.in_(list(kinds)))
    if labels:
        query = query.where(Event.label.in_(list(labels)))
    with database.session():
        before = query.where(Event.start_ms < at_ms).order_by(Event.start_ms.desc(), Event.id.desc())
        after = query.where(Event.start_ms > at_ms).order_by(Event.start_ms, Event.id)
        return before.first(), after.first()
