"""The rule engine: reads the feed of events and writes deliveries, in one transaction with its place in the feed.

So a kill at any moment loses and doubles nothing: either the deliveries and the new place are there, or neither.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.devices.model import Device, DeviceTag
from gateway.plugin_api import EVERY_TENANT, EveryTenantScope, TenantScope, database, to_ms
from gateway.tags import tags_of
from plugins.notifications.channels.model import MAIL, Channel, list_channels
from plugins.notifications.deliveries.model import add_delivery
from plugins.notifications.happenings import ENDED, Happening
from plugins.notifications.matching import is_cooling
from plugins.notifications.rules.model import COOLDOWN, LATE, QUIET, SENT, ActiveRule, Match, list_rules
from plugins.notifications.texts import render

log = logging.getLogger(__name__)

#: Events that were written longer ago are not reported: the engine did not run for that time.
MAX_AGE = timedelta(hours=24)
#: How long matches are kept: longer than any cooldown, and than events of the feed are read late.
_KEEP_MATCHES = timedelta(hours=72)
#: The first attempt waits this long for the picture of an event that has none yet.
PICTURE_WAIT_SECONDS = 4


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What the options of the plugin say to the engine. `batch_seconds`: how long mail waits for more to send with."""

    batch_seconds: float = 30


def happenings_of(event: Any, device: tuple[str, frozenset[str]] | None) -> list[Happening]:
    """The happenings of an event of the feed: that it began, and that it ended if it did and lasted."""
    name, tags = device or ("", frozenset())
    began = Happening(
        event_id=event.id,
        tenant_id=event.tenant_id,
        kind=event.kind,
        start_ms=event.start_ms,
        end_ms=event.end_ms,
        device_id=event.device_id,
        device_name=name,
        device_tags=tags,
        label=event.label or "",
        zone=event.zone or "",
        score=event.score,
        state=event.to_state or "",
        reason=event.reason_code or "",
        text=event.text or event.reason_message or "",
        snapshot_id=event.snapshot_id,
        data=event.data or {},
    )
    if event.end_ms is None or event.end_ms <= event.start_ms:
        return [began]
    return [began, replace(began, moment=ENDED)]


def read_devices(scope: EveryTenantScope, ids: Iterable[str]) -> dict[str, tuple[str, frozenset[str]]]:
    """Name and tags of devices by their ids; one that was deleted is missing."""
    wanted = sorted({device_id for device_id in ids if device_id})
    with database.session():
        names = dict(scope.select(Device, Device.id, Device.name).where(Device.id.in_(wanted)).tuples())
        tags = tags_of(scope, DeviceTag.device_id, list(names))
    return {device_id: (name, frozenset(tags[device_id])) for device_id, name in names.items()}


class RuleEngine:
    """Turns events into deliveries."""

    def handle(self, events: Sequence[Any], now: datetime, options: EngineOptions) -> int:
        """Write the deliveries of some events, within the caller's transaction; returns their number.

        `events` are those of the feed (`EventFact`), in its order.
        """
        rules = [ActiveRule.from_row(row) for row in list_rules(EVERY_TENANT, is_enabled=True)]
        if not events or not rules:
            return 0
        channels = {channel.id: channel for channel in list_channels(EVERY_TENANT, is_enabled=True)}
        devices = read_devices(EVERY_TENANT, (event.device_id for event in events))
        written = 0
        for event in events:
            for happening in happenings_of(event, devices.get(event.device_id)):
                for rule in rules:
                    if rule.tenant_id == happening.tenant_id and rule.conditions.match(happening):
                        written += _report(rule, happening, channels, now, options)
        return written


def _report(
    rule: ActiveRule, happening: Happening, channels: Mapping[str, Channel], now: datetime, options: EngineOptions
) -> int:
    scope = TenantScope(rule.tenant_id)
    outcome, suppressed = _judge(scope, rule, happening, now)
    if outcome is None:
        return 0
    scope.insert(
        Match,
        rule_id=rule.id,
        event_id=happening.event_id,
        moment=happening.moment,
        device_id=happening.device_id,
        at_ms=to_ms(now),
        outcome=outcome,
    ).execute()
    if outcome != SENT:
        return 0
    zone = rule.time_zone
    title = render(rule.title, happening, rule=rule.name, zone=zone, suppressed=suppressed)
    text = render(rule.text, happening, rule=rule.name, zone=zone, suppressed=suppressed)
    data = {"event": happening.to_dict(), "rule": {"id": rule.id, "name": rule.name}, "suppressed": suppressed}
    written = 0
    for channel_id in rule.channel_ids:
        channel = channels.get(channel_id)
        if channel is None or channel.tenant_id != rule.tenant_id:
            continue
        wait = options.batch_seconds if channel.kind == MAIL else 0
        if rule.has_picture and happening.snapshot_id is None:
            wait = max(wait, PICTURE_WAIT_SECONDS)
        add_delivery(
            scope,
            channel,
            type=happening.type,
            title=title or happening.summary,
            text=text,
            data=data,
            at=now,
            has_picture=rule.has_picture,
            delay_seconds=wait,
            rule=(rule.id, rule.name),
            event_id=happening.event_id,
            device=(happening.device_id, happening.device_name) if happening.device_id else None,
        )
        written += 1
    return written


def _judge(scope: TenantScope, rule: ActiveRule, happening: Happening, now: datetime) -> tuple[str | None, int]:
    """What becomes of a happening that matches, None if it was matched before; and how many were suppressed since."""
    own = scope.select(Match).where(Match.rule_id == rule.id)
    if own.where(Match.event_id == happening.event_id, Match.moment == happening.moment).exists():
        return None, 0
    happened_ms = happening.start_ms if happening.moment != ENDED else (happening.end_ms or happening.start_ms)
    now_ms = to_ms(now)
    if now_ms - happened_ms > MAX_AGE / timedelta(milliseconds=1):
        return LATE, 0
    if rule.quiet.is_quiet(happened_ms):
        return QUIET, 0
    of_device = own.where(
        Match.device_id.is_null() if happening.device_id is None else Match.device_id == happening.device_id
    )
    sent = of_device.where(Match.outcome == SENT).order_by(Match.at_ms.desc()).first()
    last_ms = None if sent is None else sent.at_ms
    if is_cooling(last_ms, now_ms, rule.cooldown_seconds):
        return COOLDOWN, 0
    others = of_device.where(Match.outcome != SENT)
    return SENT, (others if last_ms is None else others.where(Match.at_ms >= last_ms)).count()


def preview(scope: EveryTenantScope, rule: ActiveRule, events: Sequence[Any]) -> tuple[list[Happening], int]:
    """Which events of the past a rule would have matched, and how many notifications cooldown and quiet hours leave."""
    devices = read_devices(scope, (event.device_id for event in events))
    matched: list[Happening] = []
    last_sent: dict[str | None, int] = {}
    sent = 0
    for event in events:
        for happening in happenings_of(event, devices.get(event.device_id)):
            if not rule.conditions.match(happening):
                continue
            matched.append(happening)
            at_ms = happening.end_ms if happening.moment == ENDED and happening.end_ms else happening.start_ms
            if rule.quiet.is_quiet(at_ms):
                continue
            if is_cooling(last_sent.get(happening.device_id), at_ms, rule.cooldown_seconds):
                continue
            last_sent[happening.device_id] = at_ms
            sent += 1
    return matched, sent


def prune_matches(now: datetime, batch: int = 5000) -> int:
    """Delete up to `batch` matches that no cooldown needs any more."""
    before_ms = to_ms(now - _KEEP_MATCHES)
    with database.transaction():
        old = EVERY_TENANT.select(Match, Match.rule_id, Match.event_id, Match.moment).where(Match.at_ms < before_ms)
        keys = list(old.order_by(Match.at_ms).limit(batch).tuples())
        for rule_id, event_id, moment in keys:
            EVERY_TENANT.delete(Match).where(
                Match.rule_id == rule_id, Match.event_id == event_id, Match.moment == moment
            ).execute()
        return len(keys)
