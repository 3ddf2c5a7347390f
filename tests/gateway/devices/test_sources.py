"""The policy for source URLs."""

import ipaddress

import pytest

from gateway.devices.sources import (
    MAX_URL_LENGTH,
    AddressNotAllowed,
    SourcePolicy,
    check_addresses,
    check_source,
    parse_source,
    read_fingerprint,
    resolve_host,
)
from gateway.errors import InvalidValue

STRICT = SourcePolicy()


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://192.168.1.20/stream",
        "rtsp://192.168.1.20:8554/stream?channel=1&subtype=0",
        "rtsps://camera.example.com/live",
        "rtsp://user:p%40ss%2Fw%C3%B6rd@cam-1.local:554/h264",
        "rtsp://user@10.0.0.1",
        "rtsp://[2001:db8::20]:554/x",
        "rtsp://cam_5/Streaming/Channels/101",
        "rtsp://10.0.0.5/user=admin_password=_channel=1_stream=0.sdp?real_stream",
        "rtsp://10.0.0.5:554/cam/realmonitor?channel=1&subtype=00&authbasic=YWRtaW46",
    ],
)
def test_common_camera_urls_are_allowed_unchanged(url):
    assert check_source(url, STRICT).url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://10.0.0.1/", "must start with rtsp:// or rtsps://"),
        ("file:///etc/passwd", "must start with"),
        ("concat:rtsp://a|rtsp://b", "must start with"),
        ("-i rtsp://10.0.0.1/", "must start with"),
        ("rtsp:10.0.0.1", "must start with"),
        ("", "must start with"),
        ("rtsp://", "must name a host"),
        ("rtsp:///path", "must name a host"),
        ("rtsp://user:pw@/x", "must name a host"),
        ("rtsp://:554/x", "must name a host"),
        ("rtsp://-v/x", "must name a host of letters"),
        ("rtsp://a..b/x", "must name a host of letters"),
        ("rtsp://10.0.0.1 -f null/", "must not contain spaces"),
        ("rtsp://10.0.0.1/\r\nDESCRIBE", "must not contain spaces"),
        ("rtsp://10.0.0.1/\0", "must not contain spaces"),
        ("rtsp://10.0.0.1/a#b", "%23"),
        ("rtsp://10.0.0.1\\@example.com/", "must not contain spaces"),
        ("rtsp://k\u00e4mera/", "percent-encoded"),
        ("rtsp://10.0.0.1/%0d%0aX", "not even percent-encoded"),
        ("rtsp://u:%00@10.0.0.1/", "not even percent-encoded"),
        ("rtsp://10.0.0.1/%zz", "two hexadecimal digits"),
        ("rtsp://u:p@ss@10.0.0.1/", "%40"),
        ("rtsp://:pw@10.0.0.1/", "must name the user"),
        ("rtsp://10.0.0.1:0/", "port from 1 to 65535"),
        ("rtsp://10.0.0.1:65536/", "port from 1 to 65535"),
        ("rtsp://10.0.0.1:rtsp/", "port from 1 to 65535"),
        ("rtsp://2001:db8::1/", "brackets"),
        ("rtsp://[2001:db8::zz]/", "not an IPv6 address"),
        ("rtsp://[fe80::1%25eth0]/", "network interface"),
        ("rtsp://1.2.3.4.5/", "not an IPv4 address"),
        ("rtsp://1.2.3.256/", "not an IPv4 address"),
        ("rtsp://10.0.0.1/x?tcp", "'transport'"),
        ("rtsp://10.0.0.1/x?a=1&multicast", "'transport'"),
        ("rtsp://10.0.0.1/" + "x" * MAX_URL_LENGTH, "at most"),
        ("rtsp://" + "u" * 130 + "@10.0.0.1/", "user and password"),
    ],
)
def test_a_refusal_names_the_field_and_what_would_be_right(url, words):
    with pytest.raises(InvalidValue) as refusal:
        check_source(url, SourcePolicy(), "sub_source_url")
    assert refusal.value.field == "sub_source_url"
    assert "'sub_source_url'" in refusal.value.message
    assert words in refusal.value.message


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "0xA9.0xFE.0xA9.0xFE",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.16689662",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[64:ff9b:1:a9fe:a9:fe00::]",
        "[64:ff9b:1:a9:fe:a9fe::]",
        "[64:ff9b:1:0:a9:fea9:fe00:0]",
        "[64:ff9b:1:7f00:0:100::]",
        "[64:ff9b:1::7f00:1]",
        "[64:ff9b:1::]",
        "[::ffff:0:169.254.169.254]",
        "[::ffff:0:7f00:1]",
        "[2001:db8::5efe:169.254.169.254]",
        "[2001:db8::200:5efe:127.0.0.1]",
        "[2002:a9fe:a9fe::1]",
        "[::169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "metadata.google.internal.",
        "0.0.0.0",
        "0",
        "[::]",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.250",
        "[ff02::1]",
        "255.255.255.255",
        "240.0.0.1",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "cam.localhost",
    ],
)
def test_forbidden_addresses_are_refused_in_every_notation(host):
    with pytest.raises(AddressNotAllowed) as refusal:
        check_source(f"rtsp://user:geheim@{host}:554/x", STRICT)
    assert "geheim" not in refusal.value.message


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ("u:a/b", "a password that contains '/': write it as %2F, or send the password in the field 'password'"),
        ("u:what?", "a password that contains '?': write it as %3F"),
        ("u:a#1", "a password that contains '#': write it as %23"),
        ("u:a@b", "a password that contains '@': write it as %40"),
        ("u:100%", "a password that contains '%': write it as %25"),
        ("u:%zz", "a password that contains '%'"),
        ("u:a b", "a password that contains a blank: write it as %20"),
        ("u:^", "a password that contains '^': write it as %5E"),
        ("u:a\\b", "a password that contains '\\': write it as %5C"),
        ("u:é", "a password that contains 'é': write it as %C3%A9"),
        ("u:a\tb", "a password with the character U+0009"),
        ("a@b:x", "a username that contains '@': write it as %40, or send the username in the field 'username'"),
        ("u:a//b@c", "a password that contains '/'"),
    ],
)
@pytest.mark.parametrize("rest", ["10.0.0.1/stream1", "10.0.0.1:554", "cam.local/a?b=c", "[2001:db8::1]/x"])
def test_a_raw_character_of_a_password_is_named(login, rest, words):
    with pytest.raises(InvalidValue) as refusal:
        parse_source(f"rtsp://{login}@{rest}")
    assert refusal.value.message.startswith("'source_url' has ")
    assert words in refusal.value.message


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://10.0.0.1:554/user@home",
        "rtsp://10.0.0.1/user@home?x=a@b",
        "rtsp://[2001:db8::1]/a@b",
        "rtsp://cam.local/a:b@c",
        "rtsp://u:p@10.0.0.1/a@b",
        "rtsp://u:a:b;c=d,e!f$g&h'(i)*+|{}~\"[]@10.0.0.1/",
    ],
)
def test_an_at_sign_behind_the_host_belongs_to_no_password(url):
    assert parse_source(url).url == url


@pytest.mark.parametrize("text", ["AB" * 32, "ab" * 32, ":".join(["Ab"] * 32), "  " + " ".join(["ab"] * 32) + "\n"])
def test_a_fingerprint_is_read_in_the_notations_of_browsers_and_openssl(text):
    assert read_fingerprint(text) == "ab" * 32


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "zz" * 32, "ab" * 20, "１" * 64])
def test_what_is_no_fingerprint_of_sha_256_is_none(text):
    assert read_fingerprint(text) is None


def test_loopback_is_allowed_only_by_its_setting():
    policy = SourcePolicy(allow_loopback=True)
    for host in ("127.0.0.1", "[::1]", "localhost", "127.1"):
        assert check_source(f"rtsp://{host}:8554/x", policy).host
    with pytest.raises(AddressNotAllowed):
        check_source("rtsp://169.254.169.254/", policy)


def test_with_allowed_networks_every_other_address_is_refused():
    policy = SourcePolicy(networks=(ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("2001:db8::/32")))
    check_source("rtsp://10.20.3.4/x", policy)
    check_source("rtsp://[2001:db8::5]/x", policy)
    for url in ("rtsp://10.21.0.1/", "rtsp://8.8.8.8/", "rtsp://[2001:db9::1]/", "rtsp://127.0.0.1/"):
        with pytest.raises(AddressNotAllowed):
            check_source(url, policy)


def test_cameras_behind_address_translation_are_allowed_where_their_own_address_is():
    for url in (
        "rtsp://[64:ff9b::192.168.1.5]/",
        "rtsp://[64:ff9b:1::192.168.1.5]/",
        "rtsp://[64:ff9b:1:0:c0:a801:500:0]/",
    ):
        assert check_source(url, STRICT).address
    policy = SourcePolicy(networks=(ipaddress.ip_network("192.168.0.0/16"), ipaddress.ip_network("64:ff9b:1::/48")))
    assert check_source("rtsp://[64:ff9b:1::192.168.1.5]/", policy).address
    with pytest.raises(AddressNotAllowed):
        check_source("rtsp://[64:ff9b:1::10.0.0.1]/", policy)


def test_every_address_of_a_name_is_checked():
    source = check_source("rtsp://cam.example.com/x", STRICT)
    assert check_addresses(source, STRICT, resolve=lambda _: ["10.0.0.9"]) == ["10.0.0.9"]
    with pytest.raises(AddressNotAllowed, match=r"cam\.example\.com \(169\.254\.169\.254\)"):
        check_addresses(source, STRICT, resolve=lambda _: ["10.0.0.9", "169.254.169.254"])
    with pytest.raises(AddressNotAllowed):
        check_addresses(source, STRICT, resolve=lambda _: ["fe80::1%eth0"])


def test_a_name_that_cannot_be_resolved_now_is_allowed():
    assert check_addresses(check_source("rtsp://cam.example.com/x", STRICT), STRICT, resolve=lambda _: []) == []


def test_names_are_resolved_and_unknown_ones_have_no_addresses():
    assert {"127.0.0.1", "::1"}.intersection(resolve_host("localhost"))
    assert resolve_host("no-such-host.invalid") == []


def test_unusual_notations_are_stored_in_canonical_form():
    assert parse_source("RTSP://u:p@0x0A000001:554/A?b=C").url == "rtsp://u:p@10.0.0.1:554/A?b=C"
    assert parse_source("rtsp://CAM.Example.com./X").url == "rtsp://cam.example.com/X"


def test_credentials_are_percent_decoded_and_hidden_from_repr():
    source = parse_source("rtsp://us%65r:p%40ss@10.0.0.1/secret-path")
    assert source.credentials == ("user", "p@ss")
    assert "p%40ss" not in repr(source)
    assert parse_source("rtsp://10.0.0.1/").credentials is None
