"""The options of the installation."""

import pytest
from marshmallow import ValidationError

from plugins.notifications import register_options
from plugins.notifications.options import InstallationOptions, Settings


def test_register_options_offers_options_with_defaults_that_are_those_of_the_settings():
    (schemas,) = register_options()
    assert Settings.from_options(schemas.installation().load({})) == Settings()


@pytest.mark.parametrize(
    "values",
    [
        {"allowed_networks": ["10.0.0.0/99"]},
        {"allowed_networks": ["localhost"]},
        {"public_url": "javascript:x"},
        {"public_url": "https://"},
        {"keep_days": 0},
    ],
)
def test_options_that_cannot_be_right_are_refused(values: dict):
    with pytest.raises(ValidationError):
        InstallationOptions().load(values)


def test_an_address_loses_its_last_slash():
    loaded = InstallationOptions().load({"public_url": "https://cams.example/", "allowed_networks": ["10.0.0.7"]})
    settings = Settings.from_options(loaded)
    assert settings.public_url == "https://cams.example"
    assert settings.allowed_networks == ("10.0.0.7",)
