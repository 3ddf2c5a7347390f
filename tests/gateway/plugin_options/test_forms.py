"""Forms: what JSON Schema says of fields, and schemas that cannot be used."""

import marshmallow as ma
import pytest

from gateway.hookspecs import OptionSchemas
from gateway.plugin_options.forms import Form, FormError
from gateway.plugin_options.registry import OptionsRegistry, registry_of
from tests.factories import no_plugins
from tests.options_plugin import NAME, DeviceSchema, InstallationSchema, options_plugin, with_options


def test_the_json_schema_says_what_a_form_needs():
    schema = registry_of(with_options()).find(NAME).json_schema("installation")
    found = schema["properties"]
    assert {name: part["x-kind"] for name, part in found.items()} == {
        "server": "text",
        "key": "secret",
        "enabled": "switch",
        "volume": "number",
        "pause": "duration",
        "melody": "choice",
        "days": "choices",
        "names": "texts",
        "quiet": "time_window",
        "pin": "secret",
        "places": "json",
    }
    assert [part["x-order"] for part in found.values()] == list(range(len(found)))
    assert (schema["required"], schema["additionalProperties"]) == (["server"], False)
    volume = found["volume"]
    assert (volume["title"], volume["x-unit"], volume["minimum"], volume["maximum"]) == ("Volume", "%", 0, 100)
    assert (volume["default"], volume["x-scope"], found["server"]["x-scope"]) == (50, "device", "installation")
    assert found["pin"]["writeOnly"] is True
    assert (found["melody"]["enum"], found["days"]["items"]["enum"]) == (["ding", "dong"], ["saturday", "sunday"])
    assert found["quiet"]["properties"]["from"]["maxLength"] == 5
    assert found["names"]["maxItems"] > 0


def test_a_field_without_a_title_is_named_by_its_name():
    assert Form(DeviceSchema, "device").properties["enabled"]["title"] == "Enabled"


def test_missing_values_are_their_defaults_and_none_without():
    form = Form(InstallationSchema, "installation")
    assert form.load({}) == {"server": None, "key": None}
    assert Form(DeviceSchema, "device").load({"volume": 3})["volume"] == 3


class RaisesWhenBuilt(ma.Schema):
    """Cannot be built."""

    def __init__(self, **options):
        raise RuntimeError("no engine")


class RaisesInValidation(ma.Schema):
    """Raises in a validator for each value, also for defaults."""

    volume = ma.fields.Integer(load_default=1)

    @ma.validates_schema
    def check(self, data, **_options):
        raise KeyError("volume")


class RefusesItsDefaults(ma.Schema):
    """Accepts nothing."""

    @ma.validates_schema
    def check(self, data, **_options):
        raise ma.ValidationError("never")


class ReturnsAnObject(ma.Schema):
    """Returns something else than a mapping."""

    @ma.post_load
    def make(self, data, **_options):
        return 7


class ContainsASecret(ma.Schema):
    """Its secret would be stored and shown."""

    channels = ma.fields.List(ma.fields.Nested({"token": ma.fields.String(metadata={"secret": True})}))


class ContainsItself(ma.Schema):
    """Endless."""

    parts = ma.fields.List(ma.fields.Nested(lambda: ContainsItself()))  # noqa: PLW0108 (defined later)


class HasOddDefault(ma.Schema):
    """Its default is no JSON."""

    limit = ma.fields.Raw(load_default=float("nan"))


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (RaisesWhenBuilt, "no engine"),
        (RaisesInValidation, "the schema of the plugin failed: KeyError"),
        (RefusesItsDefaults, "never"),
        (ReturnsAnObject, "returns int, not a mapping"),
        (ContainsASecret, "'channels' contains a secret field"),
        (ContainsItself, "cannot be used"),
        (HasOddDefault, "cannot be used"),
        (ma.Schema(), "must be a class of marshmallow schemas"),
        (int, "must be a class of marshmallow schemas"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_in_words(schema, reason):
    with pytest.raises(FormError, match=reason):
        Form(schema, "device")
    assert reason in OptionsRegistry(with_options(None, schema)).faults[NAME]


def test_an_option_is_of_the_installation_or_of_devices():
    class Both(ma.Schema):
        volume = ma.fields.Integer()

    assert "'volume' is in both schemas" in OptionsRegistry(with_options(Both, DeviceSchema)).faults[NAME]


@pytest.mark.parametrize("registered", [[7], [OptionSchemas(), OptionSchemas()]])
def test_register_options_returns_one_object(registered):
    manager = no_plugins()
    manager.register(options_plugin(*registered), name=NAME)
    assert "must return" in OptionsRegistry(manager).faults[NAME]


def test_a_plugin_that_fails_or_has_none_leaves_the_others_alone(caplog):
    manager = with_options()
    broken = options_plugin()
    broken.register_options = lambda: 1 / 0
    manager.register(options_plugin(), name="empty")
    manager.register(options_plugin(OptionSchemas(None, RaisesWhenBuilt)), name="broken")
    registry = OptionsRegistry(manager)
    assert [forms.plugin for forms in registry.all()] == [NAME]
    assert list(registry.faults) == ["broken"]
    assert "plugin 'broken' has no options" in caplog.text
