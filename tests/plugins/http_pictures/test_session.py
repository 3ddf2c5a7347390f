"""Sessions with HTTP cameras: streams and single pictures, logins, redirects, wrong types, faults."""

import asyncio
import base64
import io

import pytest
from PIL import Image

from gateway.sources.tls import TlsTrust
from gateway.sources.tracks import SourceError
from plugins.http_pictures import session as session_module
from tests.cameras.http_pictures import SINGLE, HttpCamera, make_picture
from tests.conftest import free_port
from tests.plugins.http_pictures.conftest import build_opener
from tests.workers.rtsp.certificates import make_certificate
from workers.ingest.camera import Camera

PNG = b"\x89PNG" + b"x" * 100_000


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(session_module, "POLL_SECONDS", 0.1)


def test_a_stream_is_described_by_its_pictures(camera, look_at):
    found = look_at(camera.url())
    video = found.source.video
    assert found.reason is None
    assert (video.codec, video.width, video.height, video.pixel_format) == ("mjpeg", 320, 192, "yuvj420p")
    assert (found.server, found.login, found.notes) == ("pictures", "none", ())
    with Image.open(io.BytesIO(base64.b64decode(found.picture))) as image:
        assert image.size == (320, 192)
    assert len(camera.requests) == 1


def test_single_pictures_are_asked_for_again_and_again(camera, look_at):
    camera.behave(**vars(SINGLE))
    found = look_at(camera.url())
    assert found.reason is None
    assert found.source.video.codec == "mjpeg"
    assert len(camera.requests) > 1
    assert "single pictures" in found.notes[0]


FORMS = {
    "no quotes": {"content_type": "multipart/x-mixed-replace;boundary=--frame"},
    "no boundary named": {"content_type": "multipart/x-mixed-replace"},
    "another boundary": {"content_type": "multipart/x-mixed-replace; boundary=other"},
    "capitals": {"content_type": "Multipart/X-Mixed-Replace; BOUNDARY=frame"},
    "mixed": {"content_type": "multipart/mixed; boundary=frame"},
    "a length although there is no end": {"headers": ("Content-Length: 100",)},
    "chunked": {"is_chunked": True},
    "no lengths": {"part": lambda picture: b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n"},
    "pictures alone": {"part": lambda picture: picture},
    "no type": {"content_type": None, "part": lambda picture: picture},
    "a stream that is called a picture": {"content_type": "image/jpeg", "part": lambda picture: picture},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_streams_are_read_in_the_forms_that_cameras_write(camera, look_at, form):
    camera.behave(**form)
    found = look_at(camera.url())
    assert found.reason is None
    assert (found.source.video.width, found.source.video.height) == (320, 192)
    assert len(camera.requests) == 1


SINGLES = {
    "with a length": {"headers": (f"Content-Length: {len(make_picture())}",), "picture": lambda _: make_picture()},
    "chunked": {"is_chunked": True},
    "octets": {"content_type": "application/octet-stream"},
    "jpg": {"content_type": "image/jpg; charset=utf-8"},
}


@pytest.mark.parametrize("form", SINGLES.values(), ids=SINGLES)
def test_single_pictures_come_in_several_forms(look_at, form):
    with HttpCamera(picture=form.get("picture", make_picture)) as camera:
        camera.behave(**vars(SINGLE) | {name: value for name, value in form.items() if name != "picture"})
        assert look_at(camera.url()).reason is None
        assert len(camera.requests) > 1


REASONS = {
    "nothing there": ({"status": "404 Not Found"}, "not_found"),
    "forbidden": ({"status": "403 Forbidden"}, "forbidden"),
    "busy": ({"status": "503 Service Unavailable"}, "too_many_connections"),
    "broken": ({"status": "500 Oops"}, "camera_error"),
    "nothing to show": ({"status": "204 No Content"}, "no_video"),
    "a web page": ({"content_type": "text/html; charset=utf-8"}, "no_video"),
    "another kind of picture": ({"content_type": "image/png"}, "unsupported_codec"),
    "a film": ({"content_type": "video/mp4"}, "unsupported_codec"),
    "parts of another kind": (
        {"part": lambda _: b"--frame\r\nContent-Type: image/png\r\n\r\n" + PNG},
        "unsupported_codec",
    ),
    "parts of text": ({"part": lambda _: b"--frame\r\nContent-Type: text/plain\r\n\r\n" + PNG}, "no_video"),
    "no picture": ({"part": lambda _: b"x" * 1_000_000}, "invalid_data"),
    "an empty picture": ({"content_type": "image/jpeg", "part": lambda _: b"", "pictures": 1}, "no_video"),
    "no HTTP": ({"raw": b"RTSP/1.0 200 OK\r\n\r\n"}, "invalid_data"),
    "garbage": ({"raw": bytes(range(256)) * 400}, "invalid_data"),
    "a head without an end": ({"raw": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000}, "invalid_data"),
    "endless headers": ({"raw": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000}, "invalid_data"),
    "chunks that are none": (
        {"raw": b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
        "invalid_data",
    ),
    "nothing": ({"raw": b""}, "closed_by_camera"),
    "silence": ({"is_silent": True}, "timed_out"),
    "a redirect to itself": ({"redirect": "/"}, "redirected"),
    "a redirect to a file": ({"redirect": "file:///etc/passwd"}, "redirected"),
    "a redirect to a metadata service": ({"redirect": "http://169.254.169.254/latest"}, "address_not_allowed"),
    "a redirect to nowhere": ({"redirect": ""}, "redirected"),
    "a redirect that is no URL": ({"redirect": "http://[::1"}, "redirected"),
}


@pytest.mark.parametrize(("form", "reason"), REASONS.values(), ids=REASONS)
def test_each_failure_has_its_reason(camera, look_at, form, reason):
    camera.behave(**form)
    found = look_at(camera.url())
    assert found.reason.code == reason, found.reason


def test_nothing_listens(look_at):
    assert look_at(f"http://127.0.0.1:{free_port()}/").reason.code == "refused"


def test_pictures_that_are_damaged_are_named(look_at):
    with HttpCamera(picture=lambda number: b"\xff\xd8\xff\xe0" + b"\0\4xx" + b"\xff\xd9") as camera:
        camera.behave(fps=100)
        assert look_at(camera.url()).reason.code == "invalid_data"


@pytest.mark.parametrize("algorithm", [None, "MD5", "SHA-256"])
def test_logins_are_proved_and_wrong_ones_named(camera, look_at, algorithm):
    camera.behave(login=("viewer", "pa 55"), algorithm=algorithm)
    found = look_at(camera.url(login="viewer:pa%2055@"))
    assert found.reason is None
    assert found.login == ("basic" if algorithm is None else f"digest {algorithm}")
    assert look_at(camera.url(login="viewer:wrong@")).reason.code == "unauthorized"
    assert len(camera.logins) == 2, "a refused login is not sent again"
    assert look_at(camera.url()).reason.code == "unauthorized"
    assert len(camera.logins) == 2


def test_a_redirect_is_followed_with_the_login_at_the_same_host_alone(camera, look_at):
    camera.behave("/", redirect="/really")
    camera.behave("/really", login=("viewer", "pass"))
    assert look_at(camera.url(login="viewer:pass@")).reason is None
    with HttpCamera() as other:
        other.behave(login=("viewer", "pass"))
        camera.behave("/", redirect=other.url(login="viewer:pass@").replace("127.0.0.1", "localhost"))
        assert look_at(camera.url(login="viewer:pass@")).reason.code == "unauthorized"
        assert other.requests
        assert not other.logins


def test_a_redirect_leads_to_the_schemes_of_the_plugin_alone(camera, look_at):
    camera.behave("/", redirect=camera.url().replace("http", "rtsp"))
    assert look_at(camera.url()).reason.code == "redirected"
    assert len(camera.requests) == 1


def test_https_trusts_what_the_device_says(tmp_path, look_at):
    certificate = make_certificate(tmp_path)
    with HttpCamera(context=certificate.server) as camera:
        assert look_at(camera.url()).reason.code == "tls_untrusted"
        assert look_at(camera.url(), trust=TlsTrust("pinned", "00" * 32)).reason.code == "tls_changed"
        assert not camera.requests, "nothing is sent before the certificate is trusted"
        assert look_at(camera.url(), trust=TlsTrust("pinned", certificate.fingerprint)).reason is None
        assert look_at(camera.url(), trust=TlsTrust("any")).reason is None


def test_a_page_on_the_port_of_http_does_not_speak_tls(camera, look_at):
    assert look_at(camera.url().replace("http", "https")).reason.code in ("tls_not_spoken", "tls_failed")


async def play(url: str, count: int, then=lambda: None) -> tuple[list, SourceError | None]:
    """The units of a session until there are so many, and the error with which it ends after `then`."""
    units, changed = [], asyncio.Event()

    def take(unit) -> None:
        units.append(unit)
        changed.set()

    camera = Camera(await build_opener().open(url), take)
    try:
        await camera.open()
        ended = asyncio.ensure_future(camera.wait_ended())
        while len(units) < count and not ended.done():
            changed.clear()
            waiting = asyncio.ensure_future(changed.wait())
            await asyncio.wait([waiting, ended], return_when=asyncio.FIRST_COMPLETED, timeout=10)
            waiting.cancel()
        if then is None:
            ended.cancel()
            return units, None
        then()
        await asyncio.wait([ended], timeout=10)
        return units, ended.exception()
    finally:
        await camera.close()
        await camera.close()


def test_pictures_have_rising_times_and_the_bytes_of_the_camera(camera):
    units, _ = asyncio.run(play(camera.url(), 12, None))
    assert [unit.data for unit in units] == [make_picture(number) for number in range(len(units))]
    times = [unit.time for unit in units]
    assert times == sorted(set(times))
    assert all(unit.is_key for unit in units)
    assert [unit.codec_data is not None for unit in units[:3]] == [True, False, False]


def test_a_stream_that_is_cut_ends_with_a_reason(camera):
    _, error = asyncio.run(play(camera.url(), 3, camera.drop))
    assert error.reason == "closed_by_camera"


def test_a_stream_that_ends_ends_the_session(camera):
    camera.behave(pictures=3)
    units, error = asyncio.run(play(camera.url(), 99))
    assert len(units) == 3
    assert error.reason == "closed_by_camera"


def test_one_failed_request_for_a_picture_ends_nothing_and_three_do(camera):
    camera.behave(**vars(SINGLE))
    seen = []

    def fail_once() -> None:
        camera.behave(status="500 Oops")

    units, error = asyncio.run(play(camera.url(), 3, fail_once))
    seen += units
    assert len(seen) >= 3
    assert error.reason == "camera_error"
    assert len(camera.requests) >= len(seen) + 3


def test_a_camera_of_single_pictures_that_refuses_the_login_later_is_not_asked_again(camera):
    camera.behave(**vars(SINGLE) | {"login": ("viewer", "pass")})
    units, error = asyncio.run(
        play(camera.url(login="viewer:pass@"), 2, lambda: camera.behave(login=("viewer", "changed")))
    )
    assert len(units) >= 2
    assert error.reason == "login_revoked"


def test_a_change_of_size_is_new_codec_data():
    with HttpCamera(picture=lambda number: make_picture(number, (320, 192) if number < 3 else (640, 360))) as camera:
        units, _ = asyncio.run(play(camera.url(), 6, None))
    assert [(unit.codec_data.width if unit.codec_data else None) for unit in units[:5]] == [320, None, None, 640, None]
