"""Requests that pages of other sites make: changes, names that lead here (DNS rebinding), reading and showing."""

import pytest

from gateway.app import create_app
from tests.factories import device_body, make_config, no_plugins

URL = "/api/v1/devices"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def make_client(config, **settings):
    values = {name: getattr(config, name) for name in ("database_url", "redis_url", "var_dir", "ui_dir")}
    return create_app(make_config(**values, **settings), no_plugins()).test_client()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": "http://localhost"}, 201),
        ({"Origin": "http://localhost:80"}, 201),
        ({"Origin": "HTTP://LOCALHOST"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 201),
        # The scheme is part of an origin: a page that came without TLS may have been changed on its way.
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "https://localhost:80"}, 403),
        ({"Origin": "ws://localhost"}, 403),
        ({"Origin": "localhost"}, 403),
        # A browser tells that page and gateway have the same scheme, where a proxy ends TLS.
        ({"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "https://localhost", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:8080"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost@evil.example"}, 403),
        ({"Origin": "http://localhost/path"}, 403),
        ({"Origin": "http://localhost http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "anything"}, 403),
    ],
)
def test_pages_of_other_sites_change_nothing(client, headers, status):
    answer = client.post(URL, json=device_body(), headers=headers)
    assert answer.status_code == status
    assert len(client.get(URL, headers=headers).json) == (1 if status == 201 else 0)
    if status == 403:
        assert answer.json["reason"] == "cross_site"
        assert "ALLOWED_ORIGINS" in answer.json["message"]
        assert "TRUSTED_PROXIES" in answer.json["message"]


def test_an_allowed_origin_may_change_and_read(config):
    client = make_client(config, allowed_origins=("https://app.example.com",))
    headers = {"Origin": "https://app.example.com"}
    answer = client.post(URL, json=device_body(), headers=headers | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "X-Pagination" in answer.headers["Access-Control-Expose-Headers"]
    assert "PUT" in client.options(URL, headers=headers).headers["Access-Control-Allow-Methods"]
    for origin in ("https://evil.example", "http://app.example.com", "https://app.example.com:8443", "null"):
        assert client.post(URL, json=device_body(), headers={"Origin": origin}).status_code == 403
        other = client.get(URL, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in other.headers


HOSTS = [
    ("vas.example.com", 200),
    ("VAS.example.com:8443", 200),
    ("vas.example.com.", 200),
    ("10.0.0.2", 200),
    ("[2001:db8::1]:8000", 200),
    ("port.example.com:8443", 200),
    ("port.example.com", 400),
    ("port.example.com:80", 400),
    ("evil.example", 400),
    ("vas.example.com.evil.example", 400),
    ("10.0.0.1", 400),
    ("localhost", 400),
    ("", 400),
]


def test_only_trusted_hosts_are_answered(config):
    trusted = ("VAS.example.com", "port.example.com:8443", "10.0.0.2", "[2001:DB8:0::1]")
    client = make_client(config, trusted_hosts=trusted)
    for host, status in HOSTS:
        assert client.get(URL, headers={"Host": host}).status_code == status, host


OWN_HOSTS = (
    *("localhost", "LOCALHOST:8000", "localhost.", "a.localhost", "127.0.0.1", "[::1]:80", "192.168.1.5:8000"),
    *("203.0.113.9", "[2001:db8::7]", "cam-box", "CAM-BOX:8000", "cam-box.local", "cam-box.lan.example", ""),
)
OTHER_HOSTS = (
    *("attacker.example", "attacker.example:8000", "localhost.attacker.example", "127.0.0.1.attacker.example"),
    *("192.168.1.5.nip.io", "local", "web", "xlocalhost", "cam-box.attacker.example", "cam-box.lan", "0x7f.1"),
    *("2130706433", "127.1", "[::1", "[::1%25eth0]", "[127.0.0.1]", "1.2.3.4.5", "a" * 260, "a..b", "-a"),
)


def test_without_trusted_hosts_only_names_that_are_this_machines_are_answered(config, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Cam-Box.lan.example")
    client = make_client(config, host="listens.example")
    for host in (*OWN_HOSTS, "listens.example:8000"):
        assert client.get(URL, headers={"Host": host}).status_code == 200, host
    for host in OTHER_HOSTS:
        for path in (URL, "/", "/docs", "/api/v1/openapi.json", "/nothing"):
            answer = client.get(path, headers={"Host": host})
            assert (answer.status_code, answer.json["reason"]) == (400, "untrusted_host"), (host, path)
    message = client.get(URL, headers={"Host": "attacker.example"}).json["message"]
    assert "add it to the setting TRUSTED_HOSTS, such as TRUSTED_HOSTS=attacker.example" in message


def test_a_name_that_leads_here_changes_nothing(config):
    """DNS rebinding: to the browser the page and the gateway are one site."""
    client = make_client(config)
    for more in ({}, {"Sec-Fetch-Site": "same-origin"}):
        headers = {"Host": "attacker.example:8000", "Origin": "http://attacker.example:8000", **more}
        assert client.post(URL, json=device_body(), headers=headers).status_code == 400
    assert client.get(URL).json == []


def test_orchestrators_ask_under_any_host_whether_the_process_is_ready(config):
    for hosts in ((), ("cam.example.com",)):
        client = make_client(config, trusted_hosts=hosts)
        for host in ("10.0.0.7:8000", "web", ""):
            for path in ("/api/v1/health/live", "/api/v1/health/ready"):
                # Not ready, because no plugin is installed here; but the host is not refused.
                assert client.get(path, headers={"Host": host}).status_code in (200, 503)
        assert client.get("/api/v1/health", headers={"Host": "web"}).status_code == 400


def test_any_host_can_be_trusted_by_a_star(config):
    client = make_client(config, trusted_hosts=("*",))
    assert client.get(URL, headers={"Host": "anything.example"}).status_code == 200
    assert client.get(URL, headers={"Host": "a b"}).status_code == 400


POSTER = f"{URL}/00000000-0000-0000-0000-000000000000/poster.jpg"


def test_pages_of_other_sites_cannot_show_a_reply(config):
    client = make_client(config, allowed_origins=("https://app.example.com",))
    headers = [{}, {"Referer": "https://evil.example/"}, {"Referer": "https://app.example.com.evil.example/"}]
    headers += [{"Referer": "app.example.com"}, {"Origin": "https://evil.example"}, {"Referer": "https://"}]
    for path in (URL, POSTER, "/", "/docs", "/assets/x.js", "/api/v1/nothing"):
        for sent in headers:
            answer = client.get(path, headers=sent)
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_pages_of_allowed_origins_can_show_a_reply(config):
    """A plain `<img>` sends no Origin, and names its page in Referer."""
    client = make_client(config, allowed_origins=("https://app.example.com",))
    for referer in ("https://app.example.com/", "https://app.example.com/wall?x=https://evil.example"):
        answer = client.get(POSTER, headers={"Referer": referer})
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert {"Origin", "Referer"} <= set(answer.vary)
    with_cors = client.get(POSTER, headers={"Origin": "https://app.example.com"})
    assert with_cors.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_replies_do_not_vary_by_page_without_allowed_origins(client):
    assert set(client.get(URL, headers={"Referer": "https://app.example.com/"}).vary) == {"Accept-Encoding"}


def test_every_reply_says_whether_it_may_be_stored(client):
    """By default it may not, whatever its path."""
    for path in (URL, "/api/v1/nothing", "/%61pi/v1/devices", "/docs", "/docs/start.js"):
        assert client.get(path, headers={"Host": "localhost"}).headers["Cache-Control"] == "no-store"
