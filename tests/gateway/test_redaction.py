"""Secrets are removed from URLs and text."""

import pytest

from gateway.redaction import is_redacted, redact_text, redact_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:pw@10.0.0.1:554/a", "rtsp://***@10.0.0.1:554/a"),
        ("rtsp://user@10.0.0.1/a", "rtsp://***@10.0.0.1/a"),
        ("rtsp://10.0.0.1/a?channel=1&password=x&subtype=0", "rtsp://10.0.0.1/a?channel=1&password=***&subtype=0"),
        ("rtsp://10.0.0.1/a?auth=YWRt&access_token=t", "rtsp://10.0.0.1/a?auth=***&access_token=***"),
        ("rtsp://10.0.0.1/a?key=1&monkey=2", "rtsp://10.0.0.1/a?key=***&monkey=2"),
        (
            "rtsp://10.0.0.1/user=admin_password=geheim_channel=1_stream=0.sdp",
            "rtsp://10.0.0.1/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsp://10.0.0.1/user=admin&password=&channel=1", "rtsp://10.0.0.1/user=***&password=&channel=1"),
        ("rtsp://10.0.0.1/a@b?x=1", "rtsp://10.0.0.1/a@b?x=1"),
        ("rtsps://[2001:db8::1]:322/x", "rtsps://[2001:db8::1]:322/x"),
    ],
)
def test_urls_keep_everything_but_their_secrets(url, shown):
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


def test_a_redacted_url_is_recognised_by_its_mask():
    assert is_redacted("rtsp://***@10.0.0.1/")
    assert is_redacted("rtsp://10.0.0.1/?token=***")
    assert not is_redacted("rtsp://user:pw@10.0.0.1/")


def test_credentials_in_urls_parameters_and_tokens_are_removed_from_text():
    line = "[rtsp @ 0x55] rtsp://admin:geheim@10.0.0.1/x?token=abc123: 401; Authorization: Basic YWRtaW46Z2VoZWlt"
    shown = redact_text(line)
    assert not [secret for secret in ("geheim", "abc123", "YWRtaW46") if secret in shown]
    assert "10.0.0.1/x" in shown
    assert "401" in shown


def test_given_secrets_are_removed_from_text():
    assert redact_text("login admin/p@ss failed", ["p@ss"]) == "login admin/*** failed"


def test_plain_text_is_unchanged():
    text = "device 12 started: 25 fps at 10.0.0.1:554"
    assert redact_text(text) == text
