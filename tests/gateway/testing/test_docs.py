"""The guide for authors names every hook, every fixture and every member of a trial."""

import re

import pytest

from gateway.testing import fixtures
from gateway.testing.facts import TrialFacts
from gateway.testing.trial import PluginTrial
from tests.contracts.repository import ROOT
from tests.contracts.test_hooks import HOOKS

GUIDE = (ROOT / "docs/plugins/README.md").read_text()
TESTING = (ROOT / "docs/plugins/testing.md").read_text()


def public(of: type) -> list[str]:
    return [name for name in vars(of) if not name.startswith("_") and name != "close"]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_guide_says_what_each_hook_is_for(hook):
    assert re.search(rf"\b{hook}\b", GUIDE)


@pytest.mark.parametrize("name", [*public(PluginTrial), "device", "clock", "config", "facts", "plugin"])
def test_each_member_of_a_trial_is_described(name):
    assert re.search(rf"`(?:[^`]*\b)?{name}\b", TESTING)


@pytest.mark.parametrize("name", public(TrialFacts))
def test_each_fact_is_described(name):
    assert re.search(rf"`(?:facts)?\.{name}\b", TESTING)


def test_each_fixture_is_described():
    named = set(re.findall(r"^\| `(\w+)` \|", TESTING, re.MULTILINE))
    assert {"plugin_trial", "running_product", "demo_camera", "plugin_under_test", "product_settings"} <= named
    assert all(hasattr(fixtures, name) for name in ("plugin_trial", "running_product", "demo_camera"))
