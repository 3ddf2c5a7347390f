"""Options of wrong values are refused by name; those that are accepted mean the same to the analysis."""

import math

import marshmallow as ma
import pytest

from gateway.plugin_options.forms import Form
from plugins.ai_analytics.option_schemas import DeviceOptionsSchema, InstallationOptions
from plugins.ai_analytics.options import DeviceOptions, Rule
from plugins.ai_analytics.zones import Zone

TRIANGLE = [[0, 0], [1, 0], [0, 1]]
DEVICE, INSTALLATION = Form(DeviceOptionsSchema, "device"), Form(InstallationOptions, "installation")


def test_the_defaults_of_both_are_the_same():
    assert DeviceOptions.read(DEVICE.load({})) == DeviceOptions()
    assert DeviceOptions.read({}) == DeviceOptions()
    assert not DeviceOptions().is_on


def test_values_mean_the_same_to_the_analysis():
    values = {
        "is_on": True,
        "detectors": ["objects", "http"],
        "labels": ["Person"],
        "min_size_percent": 10,
        "zones": [{"name": "Gate", "points": TRIANGLE, "labels": ["Car"], "color": "#ffb000"}],
        "masks": [{"points": TRIANGLE}],
        "rules": [{"actions": ["bookmark"], "zones": ["Gate"], "min_score": 0.5}],
    }
    options = DeviceOptions.read(DEVICE.load(values))
    points = tuple((float(x), float(y)) for x, y in TRIANGLE)
    assert options.detectors == ("objects", "http")
    assert options.labels == {"person"}
    assert options.min_size == pytest.approx(0.1)
    assert options.zones == (Zone("Gate", points, frozenset({"car"})),)
    assert options.masks == (points,)
    assert options.rules == (Rule(frozenset({"bookmark"}), zones=frozenset({"Gate"}), min_score=0.5),)


@pytest.mark.parametrize(
    "values",
    [
        {"zones": [{"name": "a", "points": TRIANGLE[:2]}]},
        {"zones": [{"name": "a", "points": [[0, 0], [1, 1], [0.5, 0.5]]}]},
        {"zones": [{"name": "a", "points": [[0, 0], [1, 1], [0, 1.5]]}]},
        {"zones": [{"name": "a", "points": [[0, 0], [1, 1], [0, math.nan]]}]},
        {"zones": [{"name": "a", "points": [[0, 0], [1, 1], [0, True]]}]},
        {"zones": [{"name": "a", "points": [[0, 0], [1, 1], [0, "1"]]}]},
        {"zones": [{"name": "a", "points": "everywhere"}]},
        {"zones": [{"name": "a", "points": [[0, 0], [1, 1], [1, 0.1], [0, 0.8]]}]},
        {"zones": [{"name": "a", "points": TRIANGLE, "color": "red"}]},
        {"zones": [{"name": "a", "points": TRIANGLE}] * 2},
        {"zones": [{"name": str(n), "points": TRIANGLE} for n in range(40)]},
        {"zones": [{"name": "", "points": TRIANGLE}]},
        {"masks": [{}]},
        {"rules": [{"actions": []}]},
        {"rules": [{"actions": ["shoot"]}]},
        {"rules": [{"actions": ["record"], "min_score": 2}]},
        {"detectors": ["x" * 100]},
        {"labels": ["person"] * 100},
        {"fps": 0},
        {"fps": 100},
        {"fps": math.nan},
        {"min_score": 0},
        {"sensitivity": 0},
        {"is_on": "yes"},
        {"unknown": 1},
    ],
)
def test_wrong_values_are_refused(values):
    with pytest.raises(ma.ValidationError):
        DEVICE.load(values)


@pytest.mark.parametrize("values", [{"http_timeout_seconds": 60}, {"detector_memory_mb": 1}, {"model_file": 7}])
def test_wrong_options_of_the_installation_are_refused(values):
    with pytest.raises(ma.ValidationError):
        INSTALLATION.load(values)


def test_forms_know_zones_and_secrets():
    assert {name: DEVICE.properties[name]["x-kind"] for name in ("zones", "masks", "rules")} == {
        "zones": "zones",
        "masks": "masks",
        "rules": "rules",
    }
    assert INSTALLATION.secrets == {"http_token"}
