"""What a plugin requires of the plugin API, and what is said when this VAS does not have it."""

from types import SimpleNamespace

import pytest

from gateway import plugin_version
from gateway.plugin_version import WrongVersion, check_version


@pytest.fixture(autouse=True)
def present(monkeypatch):
    monkeypatch.setattr(plugin_version, "API_VERSION", "1.3")


@pytest.mark.parametrize(
    "module",
    [
        {},
        {"api_version": 1},
        {"requires_plugin_api": ">=1.0,<2"},
        {"requires_plugin_api": "~=1.2"},
        {"requires_plugin_api": "==1.*"},
        {"api_version": 1, "requires_plugin_api": ">=1.3"},
    ],
)
def test_a_plugin_that_fits_is_accepted(module):
    check_version(SimpleNamespace(**module))


@pytest.mark.parametrize(
    ("module", "sentence", "remedy"),
    [
        (
            {"api_version": 2},
            "it needs version 2 of the plugin API; this VAS has 1.3",
            "update VAS, or install an older",
        ),
        ({"api_version": 0}, "it needs version 0 of the plugin API; this VAS has 1.3", "update the plugin"),
        ({"api_version": "1"}, "it needs version 1 of the plugin API", "update the plugin"),
        (
            {"requires_plugin_api": ">=1.4,<2"},
            "it needs version >=1.4,<2 of the plugin API; this VAS has 1.3",
            "update VAS",
        ),
        ({"requires_plugin_api": "==2.*"}, "it needs version ==2.*", "update VAS"),
        ({"requires_plugin_api": "<1.2"}, "it needs version <1.2", "update the plugin"),
        ({"requires_plugin_api": "one"}, "must be a text like '>=1.0,<2', not 'one'", "correct 'requires_plugin_api'"),
        ({"requires_plugin_api": 1.0}, "must be a text like '>=1.0,<2', not 1.0", "correct 'requires_plugin_api'"),
        ({"requires_plugin_api": [1]}, "must be a text like", "correct 'requires_plugin_api'"),
        ({"requires_plugin_api": "===x"}, "it needs version ===x", "update the plugin"),
    ],
)
def test_a_plugin_that_does_not_fit_is_told_why_and_what_to_do(module, sentence, remedy):
    with pytest.raises(WrongVersion) as raised:
        check_version(SimpleNamespace(**module))
    assert sentence in raised.value.message
    assert remedy in raised.value.remedy
