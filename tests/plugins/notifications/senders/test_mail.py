"""Mail to a real mail server."""

import email
import ssl
from email import policy as mail_policy

import pytest

from plugins.notifications.network import AddressPolicy
from plugins.notifications.senders.mail import check_address, message_id, send_mail
from plugins.notifications.senders.outcome import Message, Outcome
from tests.plugins.notifications.conftest import LOCAL, PARTS
from tests.plugins.notifications.receivers import MailServer

JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"
MESSAGE = Message(
    "msg_1", "detection.began", 1_795_341_600_000, "Gate: <person>", "10:00 & more", picture=JPEG, link="/x"
)


@pytest.fixture
def server(certificate):
    server = MailServer(certificate)
    yield server
    server.close()


def send(server: MailServer, certificate, *messages: Message, password="right", policy=LOCAL, **config) -> Outcome:
    context = ssl.create_default_context(cafile=str(certificate.parent / "cert.pem"))
    settings = PARTS["mail"] | {"port": server.port} | config
    return send_mail(
        messages or (MESSAGE,), settings, password, policy, public_url="https://vas.example", context=context
    )


def read(server: MailServer) -> email.message.EmailMessage:
    (envelope,) = server.box.mails
    return email.message_from_bytes(envelope.content, policy=mail_policy.default)


def test_a_mail_has_text_html_and_the_picture_inline(server, certificate):
    assert send(server, certificate).ok
    mail = read(server)
    assert mail["Subject"] == "Gate: <person>"
    assert mail["Message-ID"] == "<msg_1@example.org>"
    assert "https://vas.example/x" in mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    assert "Gate: &lt;person&gt;" in page
    assert 'src="cid:msg_1@vas"' in page
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/jpeg"]
    assert picture["Content-ID"] == "<msg_1@vas>"
    assert picture.get_content() == JPEG
    assert server.box.logins == [(b"vas", b"right")]


def test_several_notifications_are_one_mail_with_a_stable_id(server, certificate):
    second = Message("msg_2", "state.failed", 1_795_341_601_000, "Door", "second")
    assert send(server, certificate, MESSAGE, second).ok
    mail = read(server)
    assert mail["Subject"] == "Gate: <person> (and 1 more)"
    assert "second" in mail.get_body(("plain",)).get_content()
    assert message_id(["a", "b"], "x@y") == message_id(["a", "b"], "x@y") != message_id(["a"], "x@y")


def test_tls_from_the_beginning(certificate):
    server = MailServer(certificate, is_tls=True)
    try:
        assert send(server, certificate, encryption="tls").ok
        assert len(server.box.mails) == 1
    finally:
        server.close()


def test_an_untrusted_certificate_is_no_reason_to_send_in_the_clear(server):
    outcome = send_mail((MESSAGE,), PARTS["mail"] | {"port": server.port}, "right", LOCAL)
    assert (outcome.ok, outcome.reason) == (False, "tls_failed")
    assert server.box.mails == []
    assert server.box.logins == []


def test_a_wrong_password_is_told_and_tried_again(server, certificate):
    outcome = send(server, certificate, password="wrong")
    assert (outcome.ok, outcome.reason, outcome.is_final, outcome.status) == (False, "refused", False, 535)


def test_a_refusal_for_good_is_final_and_a_temporary_one_is_not(server, certificate):
    server.box.refusal = "550 no such user"
    assert send(server, certificate).is_final
    server.box.refusal = "451 try again later"
    assert not send(server, certificate).is_final


def test_line_breaks_in_a_title_make_no_headers(server, certificate):
    assert send(server, certificate, Message("m", "t", 0, "a\r\nBcc: evil@example.org", "b")).ok
    assert read(server)["Bcc"] is None


def test_a_mail_server_in_a_private_network_needs_the_option():
    outcome = send_mail((MESSAGE,), PARTS["mail"], None, AddressPolicy())
    assert outcome.reason == "address_not_allowed"


def test_a_closed_port_is_unreachable():
    assert send_mail((MESSAGE,), PARTS["mail"] | {"port": 1}, None, LOCAL).reason == "unreachable"


@pytest.mark.parametrize(
    "text", ["", "x", "a@", "@b", "a b@c.d", "a@b\r\nBcc: c@d.e", "<a@b.c>", "a@b.c, d@e.f", "ä@b.c"]
)
def test_what_is_no_mail_address_is_refused(text: str):
    assert check_address(text)
    assert check_address("guard@example.org") is None
