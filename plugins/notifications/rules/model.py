"""Rules: rows, and the happenings that each has matched."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from gateway.plugin_api import (
    EVERY_TENANT,
    Conflict,
    EveryTenantScope,
    Follower,
    IdField,
    NotFound,
    TenantRow,
    TenantScope,
    TimeField,
    VersionChanged,
    database,
)
from plugins.notifications import feed
from plugins.notifications.matching import Conditions, QuietHours

MAX_RULES = 200
#: What became of a happening that a rule matched.
SENT, COOLDOWN, QUIET, LATE = OUTCOMES = ("sent", "cooldown", "quiet", "late")


class Rule(TenantRow):
    """A rule; `settings` is JSON: conditions, channels, texts, quiet hours and cooldown."""

    id = IdField(primary_key=True)
    name = peewee.TextField()
    name_key = peewee.TextField()
    enabled = peewee.BooleanField()
    settings = peewee.TextField()
    version = peewee.IntegerField()
    created_by = peewee.TextField()
    created_at = TimeField()
    updated_at = TimeField()

    class Meta:
        table_name = "notifications_rules"

    def read_settings(self) -> dict[str, Any]:
        """All that is set but name and switch."""
        return json.loads(self.settings)


class Match(TenantRow):
    """A happening that a rule has matched: each is looked at once, however often its event changes."""

    rule_id = IdField()
    event_id = peewee.BigIntegerField()
    moment = peewee.TextField()
    device_id = IdField(null=True)
    at_ms = peewee.BigIntegerField()
    outcome = peewee.TextField()

    class Meta:
        table_name = "notifications_matches"
        primary_key = peewee.CompositeKey("rule_id", "event_id", "moment")


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule as the engine uses it."""

    id: str
    tenant_id: str
    name: str
    conditions: Conditions
    quiet: QuietHours
    cooldown_seconds: int
    time_zone: str
    title: str
    text: str
    has_picture: bool
    channel_ids: tuple[str, ...]

    @classmethod
    def from_row(cls, row: Rule) -> "ActiveRule":
        settings = row.read_settings()
        zone = settings.get("time_zone") or "UTC"
        return cls(
            id=row.id,
            tenant_id=row.tenant_id,
            name=row.name,
            conditions=Conditions.from_dict(settings.get("conditions") or {}),
            quiet=QuietHours(zone, settings.get("quiet_hours") or {}),
            cooldown_seconds=settings.get("cooldown_seconds") or 0,
            time_zone=zone,
            title=settings["title"],
            text=settings["text"],
            has_picture=bool(settings.get("picture")),
            channel_ids=tuple(settings.get("channel_ids") or ()),
        )


def dump_settings(settings: Mapping[str, Any]) -> str:
    """Settings as rows keep them."""
    return json.dumps(settings, ensure_ascii=False)


def find_rule(scope: EveryTenantScope, rule_id: str) -> Rule:
    """Find a rule; raises NotFound."""
    with database.session():
        rule = scope.select(Rule).where(Rule.id == rule_id).first()
    if rule is None:
        raise NotFound(f"there is no rule with id '{rule_id}'")
    return rule


def list_rules(scope: EveryTenantScope, *, is_enabled: bool = False) -> list[Rule]:
    """All rules by name."""
    with database.session():
        query = scope.select(Rule).order_by(Rule.name_key)
        if is_enabled:
            query = query.where(Rule.enabled == True)  # noqa: E712 (SQL)
        return list(query)


def create_rule(
    scope: TenantScope, *, name: str, enabled: bool, settings: Mapping[str, Any], by: str, at: datetime
) -> Rule:
    """Create a rule. Raises Conflict `name_taken`, `limit_reached`."""
    rule_id = str(uuid.uuid4())
    with database.transaction(), _report_taken_name(name):
        if scope.select(Rule).count() >= MAX_RULES:
            raise Conflict(f"there are {MAX_RULES} rules already: delete one first", reason="limit_reached")
        if not EVERY_TENANT.select(Rule).exists():
            # Nobody need have read the events until now. Those from here on must not be missed.
            feed.write_place(feed.RULES, Follower.from_now().last)
        scope.insert(
            Rule,
            id=rule_id,
            name=name,
            name_key=name.casefold(),
            enabled=enabled,
            settings=dump_settings(settings),
            version=1,
            created_by=by,
            created_at=at,
            updated_at=at,
        ).execute()
        return find_rule(scope, rule_id)


def replace_rule(
    scope: TenantScope,
    rule_id: str,
    *,
    name: str,
    enabled: bool,
    settings: Mapping[str, Any],
    at: datetime,
    if_version: int | None = None,
) -> Rule:
    """Replace a rule. Raises NotFound, VersionChanged, Conflict `name_taken`."""
    with database.transaction(), _report_taken_name(name):
        before = find_rule(scope, rule_id)
        if if_version is not None and before.version != if_version:
            raise VersionChanged("the rule was changed since it was read: read it again")
        scope.update(
            Rule,
            name=name,
            name_key=name.casefold(),
            enabled=enabled,
            settings=dump_settings(settings),
            version=before.version + 1,
            updated_at=at,
        ).where(Rule.id == rule_id).execute()
        return find_rule(scope, rule_id)


def delete_rule(scope: TenantScope, rule_id: str) -> None:
    """Delete a rule; its deliveries stay as a history. Raises NotFound."""
    with database.transaction():
        find_rule(scope, rule_id)
        scope.delete(Match).where(Match.rule_id == rule_id).execute()
        scope.delete(Rule).where(Rule.id == rule_id).execute()


def count_outcomes(scope: EveryTenantScope, rule_ids: list[str], since_ms: int) -> dict[str, dict[str, int]]:
    """For each rule, the number of its matches since a moment by what became of them."""
    found: dict[str, dict[str, int]] = {rule_id: dict.fromkeys(OUTCOMES, 0) for rule_id in rule_ids}
    if rule_ids:
        with database.session():
            query = scope.select(Match, Match.rule_id, Match.outcome, peewee.fn.COUNT(Match.event_id))
            query = query.where(Match.rule_id.in_(rule_ids), Match.at_ms >= since_ms)
            for rule_id, outcome, count in query.group_by(Match.rule_id, Match.outcome).tuples():
                found[rule_id][outcome] = count
    return found


@contextmanager
def _report_taken_name(name: str) -> Iterator[None]:
    try:
        yield
    except peewee.IntegrityError as error:
        if "name" not in str(error):
            raise
        raise Conflict(f"there is a rule named '{name}' already", reason="name_taken") from error
