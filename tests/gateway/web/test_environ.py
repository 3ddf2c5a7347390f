"""The WSGI environment: the path as sent, headers by their names, and nothing that a header could pretend."""

import pytest

from gateway.web.environ import InvalidTarget, build_environ


def scope(target: bytes = b"/", *headers: tuple[bytes, bytes], **values):
    path, _, query = target.partition(b"?")
    return {
        "method": "GET",
        "raw_path": path,
        "query_string": query,
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("192.168.7.9", 4711),
        "headers": [(b"host", b"localhost"), *headers],
    } | values


def test_the_path_is_decoded_once_as_bytes():
    environ = build_environ(scope(b"/a%20b/%C3%A9/%252f?q=%20&r"), b"")
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a b/é/%2f"
    assert (environ["SCRIPT_NAME"], environ["QUERY_STRING"], environ["HTTP_HOST"]) == ("", "q=%20&r", "localhost")
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"], environ["wsgi.url_scheme"]) == (
        "192.168.7.9",
        "8000",
        "http",
    )


def test_repeated_headers_are_joined_and_names_with_underscores_left_out():
    headers = (
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x_a", b"3"),
        (b"script_name", b"/x"),
    )
    environ = build_environ(scope(b"/", *headers), b"")
    assert (environ["HTTP_X_A"], environ["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")
    assert environ["SCRIPT_NAME"] == ""
    assert "HTTP_SCRIPT_NAME" not in environ


def test_a_chunked_body_is_complete_here():
    headers = ((b"transfer-encoding", b"chunked"), (b"expect", b"100-continue"), (b"content-type", b"application/json"))
    environ = build_environ(scope(b"/", *headers), b"{}")
    assert (environ["CONTENT_LENGTH"], environ["CONTENT_TYPE"], environ["wsgi.input"].read()) == (
        "2",
        "application/json",
        b"{}",
    )
    assert not {"HTTP_TRANSFER_ENCODING", "HTTP_EXPECT", "HTTP_CONTENT_TYPE"} & environ.keys()
    assert "CONTENT_LENGTH" not in build_environ(scope(), b"")


@pytest.mark.parametrize(
    ("target", "path"),
    [(b"http://localhost/a", "/a"), (b"HTTPS://LOCALHOST", "/"), (b"http://localhost/a%2fb?c", "/a/b")],
)
def test_a_complete_url_is_its_path(target, path):
    assert build_environ(scope(target), b"")["PATH_INFO"] == path


@pytest.mark.parametrize(
    "target", [b"http://other/", b"http://localhost:8000/", b"ftp://localhost/", b"localhost:80", b"http:///a"]
)
def test_any_other_target_is_refused(target):
    with pytest.raises(InvalidTarget):
        build_environ(scope(target), b"")


def test_a_unix_socket_has_no_addresses():
    environ = build_environ(scope(client=None, server=None), b"")
    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"]) == ("", "")
