"""Headers of reverse proxies: believed from TRUSTED_PROXIES, and from nobody by default."""

import pytest
from flask import request

from gateway.app import create_app
from tests.factories import make_config, no_plugins

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FORWARDED = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "cam.example.com",
    "X-Forwarded-Prefix": "/vas",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "X-Real-IP": "198.51.100.7",
    "Forwarded": "for=198.51.100.7;proto=https;host=cam.example.com",
    "X-Forwarded-Server": "x",
}


def ask(config, headers, *, peer="127.0.0.1", scheme="http", **settings):
    """What the application sees of a request: address, scheme, host, path, and the proxies' headers."""
    values = {name: getattr(config, name) for name in ("database_url", "redis_url", "var_dir")}
    app = create_app(make_config(**values, **settings), no_plugins())
    seen = []

    @app.before_request
    def note():
        left = [name for name in request.environ if "FORWARD" in name or name == "HTTP_X_REAL_IP"]
        seen.append((request.remote_addr, request.scheme, request.host, request.script_root + request.path, left))

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": scheme}
    app.test_client().get("/api/v1/devices", headers=headers, environ_overrides=environ)
    return seen[0][:4] if not seen[0][4] else seen[0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.0.0.1", ""])
def test_no_proxy_is_believed_by_default(config, peer):
    """Not even on this machine, and not what the server has believed (`wsgi.url_scheme`)."""
    expected = (peer, "http", "localhost", "/api/v1/devices")
    assert ask(config, FORWARDED, peer=peer, scheme="https") == expected
    assert ask(config, FORWARDED, peer=peer, trusted_proxies=("192.0.2.0/24",)) == expected


def test_a_server_that_ends_tls_itself_keeps_its_scheme(config):
    assert ask(config, {}, scheme="https")[1] == "https"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (FORWARDED, ("198.51.100.7", "https", "cam.example.com")),
        ({}, ("10.0.0.1", "http", "localhost")),
        ({"X-Forwarded-For": "198.51.100.7:5678"}, ("198.51.100.7", "http", "localhost")),
        ({"X-Forwarded-For": "2001:db8::1"}, ("2001:db8::1", "http", "localhost")),
        ({"X-Forwarded-For": "[2001:db8::1]:5678"}, ("2001:db8::1", "http", "localhost")),
        ({"X-Forwarded-For": "::ffff:198.51.100.7"}, ("198.51.100.7", "http", "localhost")),
        # What the client wrote itself stands on the left.
        ({"X-Forwarded-For": "1.1.1.1, 198.51.100.7"}, ("198.51.100.7", "http", "localhost")),
        ({"X-Forwarded-For": "10.9.9.9, 198.51.100.7, 10.0.0.2"}, ("198.51.100.7", "http", "localhost")),
        ({"X-Forwarded-For": "10.0.0.3, 10.0.0.2"}, ("10.0.0.3", "http", "localhost")),
        ({"X-Forwarded-For": "198.51.100.7, nonsense"}, ("10.0.0.1", "http", "localhost")),
        ({"X-Forwarded-For": "nonsense, 10.0.0.2"}, ("10.0.0.2", "http", "localhost")),
        ({"X-Forwarded-For": ","}, ("10.0.0.1", "http", "localhost")),
        ({"X-Forwarded-Proto": "http, https"}, ("10.0.0.1", "https", "localhost")),
        (
            {"X-Forwarded-For": "198.51.100.7, 10.0.0.2", "X-Forwarded-Proto": "https, http"},
            ("198.51.100.7", "https", "localhost"),
        ),
        (
            {"X-Forwarded-For": "1.1.1.1, 198.51.100.7", "X-Forwarded-Proto": "https, http"},
            ("198.51.100.7", "http", "localhost"),
        ),
        ({"X-Forwarded-Proto": "javascript"}, ("10.0.0.1", "http", "localhost")),
        ({"X-Forwarded-Host": "evil.example, cam.example.com"}, ("10.0.0.1", "http", "cam.example.com")),
    ],
)
def test_a_trusted_proxy_is_believed(config, headers, expected):
    seen = ask(config, headers, peer="10.0.0.1", trusted_proxies=("10.0.0.0/8",), trusted_hosts=("*",))
    assert seen == (*expected, "/api/v1/devices")


def test_the_host_of_a_trusted_proxy_is_checked_as_any_other(config):
    values = {name: getattr(config, name) for name in ("database_url", "redis_url", "var_dir")}
    settings = {"trusted_proxies": ("127.0.0.1",), "trusted_hosts": ("cam.example.com",)}
    client = create_app(make_config(**values, **settings), no_plugins()).test_client()
    for host, status in (("cam.example.com", 200), ("evil.example", 400), ("a b", 400), ("", 400)):
        assert client.get("/api/v1/devices", headers={"X-Forwarded-Host": host}).status_code == status
    https = {"X-Forwarded-Host": "cam.example.com", "X-Forwarded-Proto": "https"}
    for origin, status in (("https://cam.example.com", 422), ("http://cam.example.com", 403)):
        assert client.post("/api/v1/devices", json={}, headers=https | {"Origin": origin}).status_code == status
