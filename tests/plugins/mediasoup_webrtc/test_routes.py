"""The address of the SFU for viewers."""

import pytest

from plugins.mediasoup_webrtc import MediasoupWebrtc
from plugins.mediasoup_webrtc.routes import public_sfu_url
from tests.factories import make_config


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("http://127.0.0.1:8000/", "http://127.0.0.1:4100"),
        ("https://cams.example.com/", "https://cams.example.com:4100"),
        ("http://[2001:db8::7]:8000/", "http://[2001:db8::7]:4100"),
    ],
)
def test_without_a_setting_the_sfu_is_on_the_host_of_the_page(page: str, expected: str):
    assert public_sfu_url(make_config(sfu_port=4100), page) == expected


def test_the_setting_takes_precedence():
    assert (
        public_sfu_url(make_config(sfu_public_url="https://sfu.example.com"), "http://x/") == "https://sfu.example.com"
    )


def test_register_blueprints_returns_the_viewers_of_streams():
    assert [blueprint.name for blueprint in MediasoupWebrtc().register_blueprints(make_config())] == ["viewers"]
