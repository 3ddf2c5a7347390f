"""Texts of notifications."""

import pytest

from plugins.notifications.happenings import ENDED
from plugins.notifications.texts import DEFAULT_TEXT, DEFAULT_TITLE, PLACEHOLDERS, check_template, render
from tests.plugins.notifications.happenings import AT_MS, lost, person


def test_the_default_texts_say_what_happened_where_and_when():
    assert render(DEFAULT_TITLE, person(), rule="R") == "Gate: person in drive"
    assert render(DEFAULT_TEXT, person(), rule="R", zone="Europe/Berlin") == "11:00:00 A person was seen"
    assert render(DEFAULT_TITLE, lost(), rule="R") == "Gate: reconnecting"
    assert render(DEFAULT_TITLE, lost(kind="health", device_name="", device_id=None), rule="R") == "health reconnecting"


def test_every_placeholder_is_replaced():
    template = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    gone = person(moment=ENDED, end_ms=AT_MS + 4200, state="x", reason="y")
    text = render(template, gone, rule="R", suppressed=3)
    assert "{" not in text
    assert "87" in text
    assert "4" in text
    assert "3" in text
    assert "2026-11-22" in text


def test_values_are_inserted_once_and_as_they_are():
    evil = person(text="{rule} {{text}} %s {0.__class__}", device_name="{text}")
    assert render("{device}|{text}", evil, rule="secret") == "{text}|{rule} {{text}} %s {0.__class__}"


def test_braces_are_written_twice():
    assert render("{{device}} {device}", person(), rule="R") == "{device} Gate"
    assert check_template("{{device}}") is None


@pytest.mark.parametrize("template", ["{nothing}", "{device.name}", "{0}", "{", "a } b", "{device!r}", "{}", "{a{b}}"])
def test_a_template_that_is_wrong_is_refused_with_what_would_be_right(template: str):
    assert check_template(template)


def test_controls_are_removed_and_the_length_is_bounded():
    assert render("{text}", person(text="a\x00b\u2028c\ud800d"), rule="R") == "abcd"
    assert len(render("{text}" * 30, person(text="x" * 1000), rule="R")) == 1000
