"""The options: what is refused, and that they become settings."""

import marshmallow as ma
import pytest

from gateway.plugin_options.forms import Form
from plugins.s3_archiver.options import DeviceOptions, InstallationOptions
from plugins.s3_archiver.settings import KINDS, UploadSettings, read_settings

GOOD = {"bucket": "footage", "endpoint": "https://s3.example", "access_key": "AK", "secret_key": "secret"}


def test_without_options_nothing_is_archived_and_with_a_bucket_everything_of_every_device():
    settings = read_settings(Form(InstallationOptions, "installation").load({}))
    assert settings.bucket is None
    assert settings.uploads == UploadSettings()
    assert DeviceOptions().load({}) == {"archived": list(KINDS)}


def test_options_become_settings():
    window = {"from": "22:00", "to": "06:00"}
    settings = read_settings(InstallationOptions().load(GOOD | {"kilobytes_per_second": 500, "window": window}))
    assert settings.bucket.url == "https://s3.example"
    assert settings.bucket.bucket_url == "https://s3.example/footage"
    assert settings.uploads == UploadSettings(bytes_per_second=500_000, window=window)
    assert "secret" not in repr(settings)


def test_aws_is_addressed_by_path_or_host():
    aws = {"bucket": "footage", "region": "eu-central-1"}
    assert read_settings(InstallationOptions().load(aws)).bucket.bucket_url == (
        "https://s3.eu-central-1.amazonaws.com/footage"
    )
    assert read_settings(InstallationOptions().load(aws | {"addressing": "host"})).bucket.bucket_url == (
        "https://footage.s3.eu-central-1.amazonaws.com"
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"bucket": "a"}, "bucket"),
        ({"bucket": "../x"}, "bucket"),
        ({"bucket": "a/b"}, "bucket"),
        ({"endpoint": "s3.example"}, "endpoint"),
        ({"endpoint": "https://s3.example/path"}, "endpoint"),
        ({"endpoint": "https://user:password@s3.example"}, "endpoint"),
        ({"endpoint": "https://s3.example:99999"}, "endpoint"),
        ({"endpoint": "ftp://s3.example"}, "endpoint"),
        ({"endpoint": "http://s3.example"}, "endpoint"),
        ({"endpoint": "http://169.254.169.254", "allow_http": True}, "endpoint"),
        ({"endpoint": "https://[fe80::1]"}, "endpoint"),
        ({"endpoint": "https://10.0.0.1", "addressing": "host"}, "addressing"),
        ({"endpoint": "https://[2001:db8::1]", "addressing": "host"}, "addressing"),
        ({"bucket": "Foot_age", "addressing": "host"}, "addressing"),
        ({"prefix": "/a"}, "prefix"),
        ({"prefix": "a/../b"}, "prefix"),
        ({"prefix": "a//b"}, "prefix"),
        ({"region": "eu west"}, "region"),
        ({"access_key": "a b"}, "access_key"),
        ({"storage_class": "GLACIER"}, "storage_class"),
        ({"storage_class": "standard"}, "storage_class"),
        ({"kms_key": "key"}, "kms_key"),
        ({"ca_certificate": "no certificate"}, "ca_certificate"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"concurrency": 5}, "concurrency"),
        ({"kilobytes_per_second": 1}, "kilobytes_per_second"),
        ({"window": {"from": "1", "to": "2"}}, "window"),
        ({"encryption": "none of these"}, "encryption"),
    ],
)
def test_bad_options_are_refused_by_name(values, field):
    with pytest.raises(ma.ValidationError) as raised:
        InstallationOptions().load(GOOD | values)
    assert list(raised.value.messages) == [field]


@pytest.mark.parametrize("archived", [["footage"], ["segments"] * 5, "segments"])
def test_bad_options_of_a_device_are_refused(archived):
    with pytest.raises(ma.ValidationError):
        DeviceOptions().load({"archived": archived})


def test_an_endpoint_without_encryption_needs_its_own_option():
    values = GOOD | {"endpoint": "http://10.0.0.1:9000", "allow_http": True}
    assert InstallationOptions().load(values)["endpoint"] == "http://10.0.0.1:9000"
