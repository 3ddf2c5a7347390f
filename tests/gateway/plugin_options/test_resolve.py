"""Effective options: the highest level that has a fitting value counts."""

import marshmallow as ma

from gateway.plugin_options.forms import Form
from gateway.plugin_options.resolve import Layer, Origin, Problem, resolve, unknown_names
from tests.options_plugin import DeviceSchema

FORM = Form(DeviceSchema, "device")


def device(**values):
    return Layer("device", values)


def tag(name, **values):
    return Layer("tag", values, name)


def installation(**values):
    return Layer("installation", values)


def test_a_device_goes_before_its_tags_before_the_installation_before_defaults():
    layers = [device(pause=1), tag("a", pause=2, volume=2), installation(pause=3, volume=3, melody="dong")]
    found = resolve(FORM, layers)
    assert [found.values[name] for name in ("pause", "volume", "melody", "enabled")] == [1, 2, "dong", True]
    assert found.origins["pause"] == Origin("device")
    assert found.origins["volume"] == Origin("tag", "a")
    assert found.origins["melody"] == Origin("installation")
    assert found.origins["enabled"] == Origin("default")
    assert found.problems == ()


def test_of_tags_that_disagree_the_first_counts_and_the_others_are_named():
    found = resolve(FORM, [device(), tag("a", volume=1), tag("b", volume=2), tag("c", volume=1)])
    assert found.values["volume"] == 1
    assert found.origins["volume"] == Origin("tag", "a", ("b",))


def test_a_value_that_does_not_fit_gives_way_to_the_next_level_and_is_named():
    found = resolve(FORM, [device(volume=500), tag("a", volume="x"), installation(volume=7, pause=5)])
    assert (found.values["volume"], found.values["pause"]) == (7, 5)
    assert [(one.name, one.level, one.tag) for one in found.problems] == [
        ("volume", "device", None),
        ("volume", "tag", "a"),
    ]
    assert "from 0 to 100" in found.problems[0].message


def test_values_that_do_not_fit_each_other_give_way_by_their_level():
    found = resolve(FORM, [device(melody="dong"), installation(volume=90)])
    assert (found.values["melody"], found.values["volume"]) == ("dong", 50)
    assert [(one.name, one.level) for one in found.problems] == [("volume", "installation")]


class Whole(ma.Schema):
    """Its validator blames no field."""

    a = ma.fields.Integer(load_default=0)
    b = ma.fields.Integer(load_default=0)

    @ma.validates_schema
    def check(self, data, **_options):
        if data["a"] + data["b"] > 10:
            raise ma.ValidationError("too much") if data["a"] < 100 else TypeError("a")


def test_a_fault_of_all_values_together_drops_the_highest_level():
    found = resolve(Form(Whole, "device"), [device(a=9), installation(b=8)])
    assert (found.values, found.problems) == ({"a": 0, "b": 8}, (Problem(None, "device", None, "too much"),))


def test_a_validator_that_raises_costs_only_the_values_that_it_raises_for():
    found = resolve(Form(Whole, "device"), [device(a=100), installation(b=8)])
    assert found.values == {"a": 0, "b": 8}
    assert "TypeError" in found.problems[0].message


def test_names_that_the_schema_no_longer_has_are_problems():
    found = unknown_names(installation(volume=1, colour="red"), FORM)
    assert [(one.name, one.level) for one in found] == [("colour", "installation")]


def test_a_null_is_a_value_where_the_option_accepts_it():
    quiet = {"from": "22:00", "to": "06:00"}
    assert resolve(FORM, [device(quiet=None), installation(quiet=quiet)]).values["quiet"] is None
    assert resolve(FORM, [device(), installation(quiet=quiet)]).values["quiet"] == quiet
