"""Where notifications may go."""

import pytest

from gateway.errors import InvalidValue
from plugins.notifications.network import AddressPolicy, AddressRefused, AddressUnknown, check_networks

PUBLIC = "93.184.216.34"


def policy(*networks: str, **names: list[str]) -> AddressPolicy:
    return AddressPolicy(networks, resolve=lambda host: names.get(host.replace(".", "_"), []))


def test_a_name_is_resolved_once_and_the_addresses_are_kept():
    target = policy(hooks_example_org=[PUBLIC, "2606:2800:220:1::1"]).find_url("https://hooks.example.org/x")
    assert (target.host, target.port, target.addresses) == ("hooks.example.org", 443, (PUBLIC, "2606:2800:220:1::1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/",
        "http://168.63.129.16/",
        "http://224.0.0.1/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://255.255.255.255/",
    ],
)
def test_no_address_of_the_machine_or_of_private_networks_is_allowed(url: str):
    with pytest.raises(AddressRefused):
        policy().find_url(url)


def test_one_refused_address_of_a_name_refuses_the_name():
    with pytest.raises(AddressRefused, match="allowed_networks"):
        policy(hooks_example_org=[PUBLIC, "10.0.0.1"]).find_url("https://hooks.example.org/")


def test_networks_of_the_option_are_allowed_and_no_others():
    allowed = policy("192.168.1.0/24", "127.0.0.0/8", "::1/128")
    assert allowed.find_url("http://192.168.1.7:8080/").port == 8080
    assert allowed.find_host("127.0.0.1", 1883).addresses == ("127.0.0.1",)
    assert allowed.find_host("::1", 1883).addresses == ("::1",)
    with pytest.raises(AddressRefused):
        allowed.find_url("http://192.168.2.7/")


def test_metadata_services_are_refused_even_if_their_network_is_allowed():
    with pytest.raises(AddressRefused):
        policy("0.0.0.0/0").find_url("http://169.254.169.254/")


def test_a_name_without_an_address_is_unknown():
    with pytest.raises(AddressUnknown):
        policy().find_url("https://nowhere.example/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://",
        "https://user:pw@a.example/",
        "https://a b/",
        "javascript:x",
        "//a",
        "https://a:0/",
    ],
)
def test_a_url_that_cannot_be_right_is_refused_by_its_field(url: str):
    with pytest.raises(InvalidValue) as caught:
        policy().find_url(url)
    assert caught.value.field == "url"


@pytest.mark.parametrize("host", ["a.example/x", "user@a.example", "a.example:99", "", "a b"])
def test_a_host_is_a_name_or_an_address_alone(host: str):
    with pytest.raises(InvalidValue):
        policy().find_host(host, 25)


def test_networks_are_checked_by_name():
    assert check_networks(["10.0.0.0/8", "192.168.1.7", "fd00::/8"]) is None
    assert "'10.0.0.0/99'" in check_networks(["10.0.0.0/99"])
