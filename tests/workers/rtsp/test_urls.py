"""The URLs of requests, however wrong the camera's own are: found by trying, without credentials, on one connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices.sources import parse_source
from tests.workers.rtsp.camera import Answer, ScriptedCamera, Seen, play, run, session_of
from workers.rtsp.messages import Reply
from workers.rtsp.urls import aggregate_urls, base_urls, clean_url, request_url, track_urls

REQUEST = "rtsp://192.0.2.1:554/x"


def bases(content_base: str | None, control: str | None = "*", request: str = REQUEST, **headers: str) -> list[str]:
    given_headers = {"content-base": [content_base]} if content_base is not None else {}
    given_headers |= {name.replace("_", "-"): [value] for name, value in headers.items()}
    return base_urls(request, control, Reply(200, headers=given_headers))[0]


@pytest.mark.parametrize(
    ("content_base", "control", "url"),
    [
        ("rtsp://192.0.2.1:554/x/", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("rtsp://192.0.2.1:554/x", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        (None, "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("  ", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("192.0.2.1:554/x/", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("192.0.2.1/x/", "trackID=0", "rtsp://192.0.2.1/x/trackID=0"),
        ("//192.0.2.1:554/x/", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("/x/", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("rtsp://10.0.0.9/x/", "trackID=0", "rtsp://10.0.0.9/x/trackID=0"),
        ("rtsp://u:p@192.0.2.1:554/x/", "trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("rtsp://192.0.2.1:554/x?a=1&b=2", "trackID=0", "rtsp://192.0.2.1:554/x?a=1&b=2/trackID=0"),
        ("rtsp://192.0.2.1:554/x/", "*", "rtsp://192.0.2.1:554/x/"),
        ("rtsp://192.0.2.1:554/x/", "", "rtsp://192.0.2.1:554/x/"),
        ("rtsp://192.0.2.1:554/x/", "rtsp://192.0.2.1:554/x/t1", "rtsp://192.0.2.1:554/x/t1"),
        ("rtsp://192.0.2.1:554/x/", "RTSP://u:p@192.0.2.1:554/x/t1", "RTSP://192.0.2.1:554/x/t1"),
        ("rtsp://192.0.2.1:554/x/", "track 1", "rtsp://192.0.2.1:554/x/track%201"),
        ("rtsp://192.0.2.1:554/x/", "/trackID=0", "rtsp://192.0.2.1:554/x/trackID=0"),
        ("rtsp://192.0.2.1:554/x/", "?ctype=video", "rtsp://192.0.2.1:554/x/?ctype=video"),
        ("<rtsp://192.0.2.1:554/x/>", '"t"', "rtsp://192.0.2.1:554/x/t"),
    ],
)
def test_the_first_url_of_a_track_is_what_tolerant_players_send(content_base: str | None, control: str, url: str):
    assert track_urls(bases(content_base), control)[0] == url


def test_an_absolute_control_of_the_session_counts_before_content_base():
    found = bases("rtsp://192.0.2.1:554/other/", "rtsp://192.0.2.1:554/x/")
    assert track_urls(found, "t")[0] == "rtsp://192.0.2.1:554/x/t"
    assert aggregate_urls(found)[0] == "rtsp://192.0.2.1:554/x/"


def test_content_location_counts_where_there_is_no_content_base():
    assert track_urls(bases(None, content_location="rtsp://192.0.2.1:554/y/"), "t")[0] == "rtsp://192.0.2.1:554/y/t"


@pytest.mark.parametrize(
    ("content_base", "control", "quirks"),
    [
        ("192.0.2.1:554/x/", "*", ["Content-Base without a scheme"]),
        ("", "*", ["Content-Base is empty"]),
        ("rtsp://10.9.9.9/x/", "*", ["Content-Base names another host"]),
        ("rtsp://u:p@192.0.2.1/x/", "*", ["Content-Base contains a login"]),
        ("/x/", "*", ["Content-Base is only a path"]),
        ("nonsense", "*", ["Content-Base is no URL"]),
        ("rtsp://192.0.2.1/x/", None, ["no session control"]),
        ("rtsp://192.0.2.1/x/", "*", []),
    ],
)
def test_what_is_unusual_is_said(content_base: str, control: str | None, quirks: list[str]):
    assert base_urls(REQUEST, control, Reply(200, headers={"content-base": [content_base]}))[1] == quirks


#: Content-Base ({at}: host and port of the camera), session control, track control, and the one URL that it answers.
CAMERAS = {
    "without a scheme": ("{at}/live/", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "empty": ("", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "missing": (None, "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "another host that it wants": ("rtsp://10.1.2.3/live/", "*", "trackID=0", "rtsp://10.1.2.3/live/trackID=0"),
    "another host that it does not want": ("rtsp://10.1.2.3/live/", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "without a final slash": ("rtsp://{at}/live", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "without a slash, as RFC 3986": ("rtsp://{at}/live/x", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "with a login": ("rtsp://a:b@{at}/live/", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "with a login whose password has a slash": ("rtsp://a:b/c@{at}/live/", "*", "t", "rtsp://{at}/live/t"),
    "with a login and no scheme": ("a:b@{at}/live/", "*", "t", "rtsp://{at}/live/t"),
    "a query before the track": ("rtsp://{at}/live?a=1&b=2", "*", "trackID=0", "rtsp://{at}/live?a=1&b=2/trackID=0"),
    "a query after the track": ("rtsp://{at}/live?a=1", "*", "trackID=0", "rtsp://{at}/live/trackID=0?a=1"),
    "a query that is dropped": ("rtsp://{at}/live?a=1", "*", "trackID=0", "rtsp://{at}/live/trackID=0"),
    "no control of the session": ("rtsp://{at}/live/", None, "trackID=0", "rtsp://{at}/live/trackID=0"),
    "absolute tracks": ("rtsp://{at}/live/", "*", "rtsp://{at}/other/t0", "rtsp://{at}/other/t0"),
    "absolute tracks with a login": ("rtsp://{at}/live/", "*", "rtsp://a:b@{at}/live/t0", "rtsp://{at}/live/t0"),
    "absolute tracks of an inner address": ("rtsp://{at}/", "*", "rtsp://10.1.2.3:554/live/t0", "rtsp://{at}/live/t0"),
    "a star for the track": ("rtsp://{at}/live/", "*", "*", "rtsp://{at}/live/"),
    "no control of the track": ("rtsp://{at}/live/", "*", "", "rtsp://{at}/live/"),
    "a star, wants its request": ("rtsp://{at}/live/", "*", "*", "rtsp://{at}/live"),
    "a blank in the track": ("rtsp://{at}/live/", "*", "track 1", "rtsp://{at}/live/track%201"),
    "a blank that stays": ("rtsp://{at}/live/", "*", "track 1", "rtsp://{at}/live/track 1"),
    "a path for the track": ("rtsp://{at}/live/", "*", "/live/t0", "rtsp://{at}/live/t0"),
    "an absolute control of the session": ("rtsp://{at}/y/", "rtsp://{at}/live/", "t0", "rtsp://{at}/live/t0"),
    "a relative control of the session": ("rtsp://{at}/live/", "session", "t0", "rtsp://{at}/live/session/t0"),
    "a base that leads nowhere": ("rtsp://{at}/wrong/", "*", "t0", "rtsp://{at}/live/t0"),
}


@pytest.mark.parametrize("status", [404, 400, 454])
@pytest.mark.parametrize("name", CAMERAS)
def test_a_camera_that_answers_one_url_only_plays(name: str, status: int):
    content_base, session_control, control, wanted = CAMERAS[name]

    async def test():
        camera = ScriptedCamera()
        async with camera:
            at = f"127.0.0.1:{camera.port}"
            lines = ["v=0", *([f"a=control:{session_control}"] if session_control else [])]
            lines += ["m=video 0 RTP/AVP 26", *([f"a=control:{control}"] if control else []), ""]
            body = "\r\n".join(lines).replace("{at}", at)
            headers = {} if content_base is None else {"Content-Base": content_base.replace("{at}", at)}

            def set_up(seen: Seen) -> Answer:
                return camera.plain(seen) if seen.url == wanted.replace("{at}", at) else Answer(status)

            camera.scripts = {"DESCRIBE": Answer(headers=headers, body=body), "SETUP": set_up}
            async with session_of(camera.target("admin:secret")) as session:
                await play(session)
            assert camera.connections == 1
            assert not [item.url for item in camera.requests if "@" in item.url]
            # A camera that locks who asks in vain is not asked often.
            assert len(camera.of("SETUP")) <= 6

    run(test)


def test_what_was_right_for_the_first_track_is_tried_first_for_the_others():
    async def test():
        sdp = "v=0\r\nm=video 0 RTP/AVP 26\r\na=control:t0\r\nm=audio 0 RTP/AVP 8\r\na=control:t1\r\n"
        script = lambda seen: camera.plain(seen) if "?a=1" in seen.url and "/t" in seen.url[:-4] else Answer(404)  # noqa: E731
        async with ScriptedCamera(sdp, SETUP=script) as camera:
            base = f"rtsp://127.0.0.1:{camera.port}/live?a=1"
            camera.scripts["DESCRIBE"] = Answer(headers={"Content-Base": base}, body=sdp)
            async with session_of(camera.target()) as session:
                await play(session)
            urls = [item.url for item in camera.of("SETUP")]
            assert urls[-2].endswith("/live/t0?a=1")
            assert urls[-1].endswith("/live/t1?a=1")

    run(test)


@pytest.mark.parametrize("answered", ["live", "live/", "live/t0"])
def test_play_finds_its_url_too(answered: str):
    async def test():
        script = lambda seen: camera.plain(seen) if seen.url.endswith(f"/{answered}") else Answer(404)  # noqa: E731
        sdp = "v=0\r\nm=video 0 RTP/AVP 26\r\na=control:t0\r\n"
        async with ScriptedCamera(sdp, PLAY=script) as camera, session_of(camera.target()) as session:
            await play(session)

    run(test)


def test_request_urls_have_no_login_and_keep_the_query_as_it_was_written():
    source = parse_source("rtsp://user:p%40ss@Camera.Example:8554/a/b?user=x&c={1}|")
    assert request_url(source) == "rtsp://camera.example:8554/a/b?user=x&c={1}|"
    assert request_url(parse_source("rtsp://u:p@[2001:db8::1]/x")) == "rtsp://[2001:db8::1]/x"


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_urls_of_one_line(content_base: str, session_control: str, control: str):
    found = track_urls(bases(content_base, session_control), control)
    assert found
    for url in found + aggregate_urls(bases(content_base, session_control)):
        assert not any(ord(letter) < 32 for letter in url)


@given(st.sampled_from(["rtsp://", "RTSPS://", "//", ""]), st.from_regex(r"[a-z]{1,5}:[a-z/:]{0,8}", fullmatch=True))
def test_logins_are_taken_out_of_any_url(scheme: str, login: str):
    assert "@" not in clean_url(f"{scheme}{login}@192.0.2.1/live")
