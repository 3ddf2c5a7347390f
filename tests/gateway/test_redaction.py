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
        ("rtsp://10.0.0.1/a?u=admin&p=x&ch=1", "rtsp://10.0.0.1/a?u=***&p=***&ch=1"),
        ("rtsp://10.0.0.1/a?%70assword=x&p%61ss=y&z=1", "rtsp://10.0.0.1/a?%70assword=***&p%61ss=***&z=1"),
        ("rtsp://10.0.0.1/a?password%3Dx%26z%3D1", "rtsp://10.0.0.1/a?password%3D***%26z%3D1"),
        ("rtsp://10.0.0.1/a?password=x/y?z;w_v,u&z=1", "rtsp://10.0.0.1/a?password=***&z=1"),
        ("rtsp://10.0.0.1/USER=admin,PassWord1=x,ch=1/s", "rtsp://10.0.0.1/USER=***,PassWord1=***,ch=1/s"),
        ("rtsp://10.0.0.1/user=a_b_password=x_y_channel=1", "rtsp://10.0.0.1/user=***_password=***_channel=1"),
        ("rtsp://10.0.0.1/user=admin&password=x&ch=1/s?t=1", "rtsp://10.0.0.1/user=***&password=***&ch=1/s?t=1"),
        ("rtsp://10.0.0.1/live/password/x/s?y=1", "rtsp://10.0.0.1/live/password/***/s?y=1"),
        ("rtsp://10.0.0.1/step=1&compass_p=x", "rtsp://10.0.0.1/step=1&compass_p=***"),
        ("rtsp://10.0.0.1/a@b?x=1", "rtsp://10.0.0.1/a@b?x=1"),
        ("rtsps://[2001:db8::1]:322/x", "rtsps://[2001:db8::1]:322/x"),
    ],
)
def test_urls_keep_everything_but_their_secrets(url, shown):
    assert redact_url(url) == shown
    assert redact_url(shown) == shown
    assert is_redacted(shown) == (url != shown)


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /callback?code=SplxlOBeZQQYbYS6WxSbIA&state=1", "GET /callback?code=***&state=1"),
        ("code=abc", "code=***"),
        ("it ended with code=-9, status_code=404.", "it ended with code=-9, status_code=404."),
        ("next=%2Fcallback%3Fcode%3Dabc%26state%3D1", "next=%2Fcallback%3Fcode%3D***%26state%3D1"),
        ("url=rtsp%3A%2F%2Fuser%3Apw%40host%2Fx%3Fa%3D1", "url=rtsp%3A%2F%2F***%40host%2Fx%3Fa%3D1"),
        ("%2570assword=x %25%37%30=y", "%2570assword=*** %25%37%30=***"),
        ('{"user": "bob", "password": "x", "n": 1}', '{"user": "bob", "password": "***", "n": 1}'),
        ('{"password":"say \\"x\\" \\\\", "n": 1}', '{"password":"***", "n": 1}'),
        ('{"a": "{\\"apiKey\\": \\"x\\\\\\"y\\", \\"n\\": 1}"}', '{"a": "{\\"apiKey\\": \\"***\\", \\"n\\": 1}"}'),
        ("{'user_password': 'x', 'n': 1}", "{'user_password': '***', 'n': 1}"),
        ('{"pin": 1234, "tokens": ["x", "y"], "password": null}', '{"pin": ***, "tokens": ***, "password": null}'),
        ('{"client_secret" : "x', '{"client_secret" : "***'),
        ('password: "x y", n: 1', 'password: "***", n: 1'),
        ('token="x y", realm="cam"', 'token="***", realm="cam"'),
        ("'password': is not a known field", "'password': is not a known field"),
        ('{"code": 422, "reason": "invalid_value"}', '{"code": 422, "reason": "invalid_value"}'),
    ],
)
def test_secrets_are_found_in_queries_and_json_and_behind_encoded_names(text, shown):
    assert redact_text(text) == shown
    assert redact_text(shown) == shown


def test_given_secrets_are_removed_from_text():
    assert redact_text("login admin/p@ss failed", ["p@ss"]) == "login admin/*** failed"


def test_plain_text_is_unchanged():
    text = "device 12 started: 25 fps at 10.0.0.1:554"
    assert redact_text(text) == text
