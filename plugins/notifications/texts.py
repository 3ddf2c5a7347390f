"""Texts of notifications: templates with placeholders such as `{device}`. Pure; a template can do nothing else."""

import re

from plugins.notifications.happenings import Happening

#: The placeholders, each with what it stands for.
PLACEHOLDERS = {
    "device": "name of the device; empty for an event of the whole installation",
    "summary": "a few words on what happened, such as `person in drive`",
    "text": "the text of the event",
    "kind": "kind of the event, such as `state` or `detection`",
    "state": "state that was reached, such as `reconnecting`",
    "reason": "code of the reason of a state",
    "label": "what was detected, such as `person`",
    "zone": "zone of a detection",
    "score": "score of a detection in percent",
    "seconds": "length of the event in seconds, once it has ended",
    "date": "local date in the time zone of the rule",
    "time": "local time in the time zone of the rule",
    "rule": "name of the rule",
    "suppressed": "number of notifications that cooldown and quiet hours have suppressed since the last one",
}
DEFAULT_TITLE = "{device}: {summary}"
DEFAULT_TEXT = "{time} {text}"
MAX_RENDERED = 1000

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]{0,40})\}|[{}]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def check_template(template: str) -> str | None:
    """What is wrong with a template, as the end of a sentence; None if nothing is."""
    for match in _PLACEHOLDER.finditer(template):
        if match[0] in ("{{", "}}"):
            continue
        if match[1] is None:
            return f"has a '{match[0]}' at character {match.start() + 1}: write {match[0] * 2} for the character itself"
        if match[1] not in PLACEHOLDERS:
            return (
                f"has an unknown placeholder '{match[0]}': use {', '.join('{' + name + '}' for name in PLACEHOLDERS)}"
            )
    return None


def render(template: str, happening: Happening, *, rule: str, zone: str = "UTC", suppressed: int = 0) -> str:
    """The text for a happening. Values are inserted as they are, once; controls are removed, the length is bounded."""
    values = _values(happening, rule, zone, suppressed)

    def replace(match: re.Match) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        return values.get(match[1], match[0]) if match[1] is not None else match[0]

    text = _CONTROLS.sub("", _PLACEHOLDER.sub(replace, template)).strip().removeprefix(": ")
    return text if len(text) <= MAX_RENDERED else text[: MAX_RENDERED - 1] + "…"


def _values(happening: Happening, rule: str, zone: str, suppressed: int) -> dict[str, str]:
    local = happening.local_time(zone)
    ended = happening.end_ms is not None
    return {
        "device": happening.device_name,
        "summary": happening.summary,
        "text": happening.text,
        "kind": happening.kind,
        "state": happening.state,
        "reason": happening.reason,
        "label": happening.label,
        "zone": happening.zone,
        "score": "" if happening.score is None else f"{happening.score * 100:.0f}",
        "seconds": f"{(happening.end_ms - happening.start_ms) / 1000:.0f}" if ended else "",
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M:%S}",
        "rule": rule,
        "suppressed": str(suppressed),
    }
