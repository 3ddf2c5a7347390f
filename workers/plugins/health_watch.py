"""Records an event when a component of the service becomes worse or better."""

from collections.abc import Callable, Iterable
from typing import Any

from gateway import database
from gateway.clock import Clock
from gateway.events.model import HEALTH, Event, record_event
from gateway.health import run_checks
from gateway.hookspecs import HealthCheck
from gateway.tenancy.scopes import EVERY_TENANT
from gateway.tenancy.tenants import DEFAULT_TENANT_ID

#: Seconds between two looks. A change counts when it is seen twice.
LOOK_SECONDS = 15.0
#: Events among which the last one of each component is looked for.
_HISTORY = 500


class HealthWatch:
    """Compares the health of the components with their last events; `turn` looks when it is time."""

    def __init__(
        self,
        checks: Iterable[HealthCheck],
        clock: Clock,
        run: Callable[[Iterable[HealthCheck]], dict[str, Any]] = run_checks,
    ) -> None:
        self._checks = list(checks)
        self._clock = clock
        self._run = run
        self._recorded: dict[str, str] | None = None
        self._seen: dict[str, str] = {}
        # Workers that start together need a moment.
        self._next_at = clock.monotonic() + LOOK_SECONDS

    def turn(self) -> None:
        """Look at the components, if it is time. Raises DatabaseUnavailable."""
        now = self._clock.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + LOOK_SECONDS
        if self._recorded is None:
            self._recorded = _read_recorded()
        components = self._run(self._checks)["components"]
        for name, component in components.items():
            status, before = component["status"], self._recorded.get(name, "ok")
            if status != before and self._seen.get(name) == status:
                record_event(
                    DEFAULT_TENANT_ID,
                    None,
                    HEALTH,
                    " · ".join(text for text in (component["reason"], component["remedy"]) if text),
                    label=name,
                    from_state=before,
                    to_state=status,
                )
                self._recorded[name] = status
            self._seen[name] = status


def _read_recorded() -> dict[str, str]:
    """The state of each component in its last event."""
    with database.session():
        query = EVERY_TENANT.select(Event, Event.label, Event.to_state).where(Event.kind == HEALTH)
        rows = list(query.order_by(Event.id.desc()).limit(_HISTORY).tuples())
    return dict(reversed(rows))
