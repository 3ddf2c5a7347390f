"""Settings are read once; every invalid one is reported with the accepted values, and secrets are generated once."""

import os
import stat
from pathlib import Path

import pytest

from gateway.config import SECRET_FILES, Config, describe_settings
from gateway.errors import ConfigError
from gateway.secrets import SecretBox

KEYS = {"SECRET_KEY": "k" * 16, "SFU_SECRET": "s" * 16}


def read(**environ: str) -> Config:
    return Config.from_environment(KEYS | environ)


def test_the_defaults_are_those_of_one_machine():
    config = read()
    assert config.database_url == "sqlite:///var/vas.db"
    assert config.host == "127.0.0.1", "nothing listens on the network unless configured"
    assert config.redis_url.startswith("unix:///"), "the private Redis of this machine"
    assert config.allow_loopback_sources is False


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("PORT", "0", "must be between 1 and 65535, not 0"),
        ("PORT", "eighty", "must be a number from 1 to 65535, not 'eighty'"),
        ("PORT", "80.5", "must be a number"),
        ("STALL_SECONDS", "1", "must be between 2 and 300"),
        ("STALL_SECONDS", "nan", "must be between"),
        ("STALL_SECONDS", "inf", "must be between"),
        ("STREAM_SLOTS", "-1", "must be between 1 and 512"),
        ("BUS_MAX_BYTES", "10", "must be between 1048576 and"),
        ("DATABASE_URL", "mysql://u:hidden@h/n", "must start with one of sqlite://, postgresql://"),
        ("REDIS_URL", "localhost:6379", "must start with one of redis://"),
        ("MEDIA_REDIS_URL", "http://x", "must start with one of redis://"),
        *(
            (name, text, "must be redis://HOST:PORT/DB")
            for name in ("REDIS_URL", "MEDIA_REDIS_URL")
            for text in (
                "unix:",
                "unix://",
                "unix:///",
                "unix://run/redis.sock",
                "unix:///run/redis.sock?db=one",
                "unix:///run/redis.sock?socket_keepalive=1",
                "redis:",
                "redis://h:port/0",
                "redis://h:99999/0",
                "redis://h?db=one",
                "redis://h?unknown=1",
                "redis://:p4ss/w0rd@h",
            )
        ),
        ("MEDIASOUP_WS_URL", "http://x", "must start with one of ws://"),
        ("SFU_PUBLIC_URL", "ws://x", "must start with one of http://"),
        ("SFU_SECRET", "short", "must have at least 16 characters"),
        ("SECRET_KEY", "short", "must have at least 16 characters"),
        ("ALLOW_LOOPBACK_SOURCES", "maybe", "must be 1 or 0"),
        ("ALLOWED_SOURCE_NETWORKS", "10.0.0.0/8, 300.1.1.1", "not '300.1.1.1'"),
        *(
            (
                "ALLOWED_ORIGINS",
                origin,
                f"must be origins such as https://app.example.com or http://192.168.1.5:8123, not {origin!r}",
            )
            for origin in (
                "null",
                "*",
                "app.example.com",
                "https://",
                "https://a.example/x",
                "file:///x",
                "https://a@b",
            )
        ),
        *(
            (
                "TRUSTED_HOSTS",
                host,
                f"must be host names or addresses such as cam.example.com or 192.168.1.5:8000, not {host!r}",
            )
            for host in (
                "https://cam.example",
                "cam.example/x",
                "a b",
                "*.example.com",
                "cam.example:x",
                "[::1%25eth0]",
            )
        ),
        ("PREVIOUS_SECRET_KEYS", "k," * 40, "must have at most 32 keys and commas in them"),
        ("TRUSTED_PROXIES", "proxy.example", "must be networks such as 192.168.0.0/16, not 'proxy.example'"),
        ("LOG_LEVEL", "chatty", "must be one of DEBUG, INFO, WARNING, ERROR, not 'chatty'"),
    ],
)
def test_an_invalid_value_is_reported_with_the_accepted_values(name: str, text: str, message: str):
    with pytest.raises(ConfigError) as raised:
        read(**{name: text})
    assert str(raised.value).startswith(f"'{name}' ")
    assert message in str(raised.value)


def test_all_invalid_values_are_reported_together():
    with pytest.raises(ConfigError) as raised:
        read(PORT="x", LOG_LEVEL="y", STREAM_SLOTS="z")
    assert [name for name in ("'PORT'", "'LOG_LEVEL'", "'STREAM_SLOTS'") if name not in str(raised.value)] == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SFU_SECRET", "SECRET_KEY"])
def test_an_error_message_quotes_no_secret(name: str):
    with pytest.raises(ConfigError) as raised:
        read(**{name: "x://u:p4ssw0rd"})
    assert "p4ssw0rd" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://[::1]:6379/2",
        "rediss://u:p%40ss@h:6380/0?ssl_cert_reqs=none",
        "redis://h?db=3&socket_timeout=1",
        "unix:///run/redis.sock",
        "unix://u:p4ssw0rd@/run/redis.sock?db=3",
    ],
)
def test_redis_is_reached_by_network_or_unix_socket(url: str):
    config = read(REDIS_URL=url, MEDIA_REDIS_URL=url)
    assert (config.redis_url, config.bus_redis_url) == (url, url)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["one-key-0123456789"], "one-key-0123456789"),
        (["one,key,0123456789"], "one,key,0123456789"),
        (["one, key,,0123456789,"], "one, key,,0123456789,"),
        (["first,key-0123456789", "second-key-0123456"], "first,key-0123456789,second-key-0123456"),
        (
            ["first,key-0123456789", "second,key,0123456", "third-key-01234567"],
            "first,key-0123456789, second,key,0123456 ,third-key-01234567",
        ),
    ],
)
def test_a_former_key_may_contain_commas(keys, text):
    """SECRET_KEY may, so whatever it was must be readable again after it was changed."""
    sealed = [SecretBox(key).seal("x", "c") for key in keys]
    box = SecretBox.from_config(read(SECRET_KEY="new-key-0123456789", PREVIOUS_SECRET_KEYS=text))
    assert [box.open(one, "c") for one in sealed] == ["x"] * len(keys)


def test_no_secret_is_shown_by_repr():
    config = read(
        DATABASE_URL="postgresql://u:p4ssw0rd@h/n",
        REDIS_URL="redis://:p4ssw0rd@h",
        MEDIA_REDIS_URL="redis://:p4ssw0rd@h",
        PREVIOUS_SECRET_KEYS="p4ssw0rd",
    )
    assert "p4ssw0rd" not in repr(config)
    assert not any(secret in repr(config) for secret in KEYS.values())


def test_an_empty_value_means_the_default():
    config = read(PORT="", MEDIA_REDIS_URL="", DATABASE_URL="", TRUSTED_HOSTS="")
    assert config == read()


def test_lists_and_words_are_read_leniently():
    config = read(
        TRUSTED_HOSTS=" a.example , b.example,",
        ALLOW_LOOPBACK_SOURCES="Yes",
        LOG_LEVEL="debug",
        ALLOWED_SOURCE_NETWORKS="10.0.0.1/8,fd00::/8",
    )
    assert config.trusted_hosts == ("a.example", "b.example")
    assert config.allow_loopback_sources is True
    assert read(ALLOWED_ORIGINS="HTTPS://App.example:443/, http://[::1]:80").allowed_origins == (
        "https://app.example",
        "http://[::1]",
    )
    assert config.log_level == "DEBUG"
    assert config.allowed_source_networks == ("10.0.0.1/8", "fd00::/8")


@pytest.mark.parametrize(("ws", "http"), [("ws://h:1/", "http://h:1"), ("wss://h", "https://h")])
def test_the_sfus_http_address_follows_its_websocket_address(ws: str, http: str):
    assert read(MEDIASOUP_WS_URL=ws).sfu_http_url == http


def test_the_file_env_is_read_and_the_environment_takes_precedence(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(
        "PORT=8100\nHOST=10.1.1.1\nSECRET_KEY=kkkkkkkkkkkkkkkk\nSFU_SECRET=ssssssssssssssss\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "HOST", *KEYS):
        # Set and removed: monkeypatch restores the variable that the reading puts into the environment.
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOST", "10.2.2.2")
    config = Config.from_environment()
    assert (config.port, config.host) == (8100, "10.2.2.2")


def test_missing_secrets_are_generated_once_and_stored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = Config.from_environment({"VAR_DIR": str(tmp_path)})
    second = Config.from_environment({"VAR_DIR": str(tmp_path), "SECRET_KEY": "", "SFU_SECRET": ""})
    assert (first.secret_key, first.sfu_secret) == (second.secret_key, second.sfu_secret)
    assert first.secret_key != first.sfu_secret
    assert len(first.secret_key) == 64
    for name in SECRET_FILES:
        assert stat.S_IMODE(os.stat(tmp_path / "secrets" / name).st_mode) == 0o600
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == set(SECRET_FILES), "no temporary files remain"


def test_every_setting_has_a_unit_and_a_description():
    for setting in describe_settings():
        assert setting.unit, setting.name
        assert len(setting.about) > 10, setting.name
    defaults = {setting.name: setting.default for setting in describe_settings()}
    assert (
        defaults["PORT"],
        defaults["STALL_SECONDS"],
        defaults["ALLOW_LOOPBACK_SOURCES"],
        defaults["TRUSTED_HOSTS"],
    ) == ("8000", "10", "0", "")


def test_footage_and_exports_are_below_var_dir_unless_configured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"VAR_DIR": str(tmp_path), "RECORDINGS_DIR": "/mnt/footage"}
    config = Config.from_environment(given)
    assert (config.recordings_dir, config.exports_dir) == (Path("/mnt/footage"), tmp_path / "exports")
