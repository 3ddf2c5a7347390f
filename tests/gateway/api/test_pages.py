"""The built UI and Swagger UI."""

import gzip

import pytest

from gateway.app import create_app
from tests.factories import make_config, no_plugins

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ui(tmp_path):
    """A built UI."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "swagger").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>VAS</title>")
    (folder / "assets" / "index-1a2b3c.js").write_text("1")
    (folder / "swagger" / "swagger-ui-bundle.js").write_text("2")
    (tmp_path / "secret.txt").write_text("hidden words")
    return folder


@pytest.fixture
def compressed(ui):
    """The same with the compressed files of its script and its start page."""
    for name in ("index.html", "assets/index-1a2b3c.js"):
        content = (ui / name).read_bytes()
        (ui / f"{name}.gz").write_bytes(gzip.compress(content))
        (ui / f"{name}.br").write_bytes(b"brotli of " + content)
    return ui


@pytest.fixture
def client(config, ui):
    values = {name: getattr(config, name) for name in ("database_url", "redis_url")}
    return create_app(make_config(**values, ui_dir=ui), no_plugins()).test_client()


@pytest.mark.parametrize("path", ["/", "/devices", "/devices/5/edit", "/index.html", "/devices/front.gate"])
def test_client_routes_get_the_start_page(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert "<title>VAS" in answer.text


def test_hashed_files_may_be_cached_indefinitely(client):
    answer = client.get("/assets/index-1a2b3c.js")
    assert (answer.text, answer.headers["Cache-Control"]) == ("1", "public, max-age=31536000, immutable")
    assert "javascript" in answer.content_type


@pytest.mark.parametrize(
    "ranges",
    [
        "x",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=-0",
        "bytes=-99999999",
        "bytes=0-4",
        "bytes=0-1,3-4",
        "bytes=5-2",
        "bytes=a-b",
        "bytes=900000-",
        "bytes=0-" + "9" * 5000,
        "items=0-3",
        "",
    ],
)
def test_a_range_of_a_page_is_ignored(client, ranges):
    for path in ("/", "/devices", "/assets/index-1a2b3c.js"):
        whole = client.get(path)
        for method, body in (("GET", whole.data), ("HEAD", b"")):
            answer = client.open(path, method=method, headers={"Range": ranges})
            assert (answer.status_code, answer.content_length, answer.data) == (200, len(whole.data), body)
            assert "Content-Range" not in answer.headers


def test_a_page_is_sent_again_only_when_it_changed(client):
    first = client.get("/")
    for headers in (
        {"If-None-Match": first.headers["ETag"], "Range": "x"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        answer = client.get("/", headers=headers)
        assert (answer.status_code, answer.data) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/devices/5", "/assets/index-1a2b3c.js"])
@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.9", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("*;q=0", None),
        ("deflate", None),
        ("identity, gzip;q=0.4", None),
        ("gzip;q=x", None),
        (",;=,", None),
        ("", None),
        (None, None),
    ],
)
def test_a_page_is_sent_in_the_smallest_encoding_that_the_client_accepts(client, compressed, path, accepted, encoding):
    plain = client.get(path)
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.content_type == plain.content_type
    assert answer.headers["Cache-Control"] == plain.headers["Cache-Control"]
    body = {"br": b"brotli of " + plain.data, "gzip": gzip.compress(plain.data), None: plain.data}[encoding]
    assert (len(answer.data), answer.content_length) == (len(body), len(body))
    head = client.head(path, headers=headers)
    assert (head.content_length, head.data) == (len(body), b"")


def test_each_encoding_of_a_page_is_a_version_of_its_own(client, compressed):
    tags = {}
    for accepted in ("br", "gzip", ""):
        headers = {"Accept-Encoding": accepted}
        tags[accepted] = client.get("/", headers=headers).headers["ETag"]
        again = client.get("/", headers=headers | {"If-None-Match": tags[accepted], "Range": "bytes=0-3"})
        assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept-Encoding")
        whole = client.get("/", headers=headers | {"Range": "bytes=0-3"})
        assert (whole.status_code, "Content-Range" in whole.headers) == (200, False)
    assert len(set(tags.values())) == 3
    assert client.get("/", headers={"Accept-Encoding": "gzip", "If-None-Match": tags["br"]}).status_code == 200


def test_a_page_without_a_compressed_file_is_sent_as_it_is(client):
    answer = client.get("/", headers={"Accept-Encoding": "br, gzip"})
    assert (answer.status_code, "Content-Encoding" in answer.headers, "Vary" in answer.headers) == (200, False, False)


@pytest.mark.parametrize("path", ["/assets/index-1a2b3c.js.br", "/assets/index-1a2b3c.js.gz"])
def test_a_compressed_file_is_no_page_of_its_own(client, compressed, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/assets/gone.js", "/swagger/gone.js", "/api/v1/gone", "/api", "/docs/gone"])
def test_unknown_paths_that_are_no_pages_are_not_found(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json["reason"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/..\\secret.txt",
        "//etc/passwd",
        "/%00",
        "/a%00b",
    ],
)
def test_no_file_outside_the_ui_is_served(client, path):
    # A path with two slashes is the address of a host to the test's client.
    answer = client.get(path, headers={"Host": "localhost"})
    assert answer.status_code in (200, 308, 404)
    assert "hidden words" not in answer.text
    assert "root:" not in answer.text


def test_swagger_ui_comes_from_local_files_alone(client):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text.replace("http://www.w3.org", "")
    assert "<script>" not in page.text
    assert "/api/v1/openapi.json" in client.get("/docs/start.js").text
    assert client.get("/swagger/swagger-ui-bundle.js").text == "2"


def test_without_a_built_ui_the_reply_says_how_to_build_it(config, tmp_path):
    values = {name: getattr(config, name) for name in ("database_url", "redis_url")}
    client = create_app(make_config(**values, ui_dir=tmp_path / "none"), no_plugins()).test_client()
    for path in ("/", "/docs", "/devices/7"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "npm --prefix ui" in answer.text
