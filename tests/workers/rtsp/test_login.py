"""Logins: Basic and Digest in all forms of cameras, and never a refused one twice."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from gateway.devices.sources import credentials_of, parse_source
from gateway.sources.login import Login, build_digest, parse_challenges
from tests.workers.rtsp.camera import (
    CALM,
    VIDEO_SDP,
    Answer,
    ScriptedCamera,
    Seen,
    Taken,
    play,
    reason_of,
    run,
    session_of,
)
from workers.rtp.units import SourceError

USER, PASSWORD = "admin", "p:ss w@rd/é%"
LOGIN = "admin:p%3Ass%20w%40rd%2F%C3%A9%25"
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def fields_of(header: str) -> dict[str, str]:
    """The parameters of an Authorization header."""
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', header)
    return {name: re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in found}


class Guard:
    """Checks logins as a camera does, independently of the code that makes them."""

    def __init__(self, *challenges: str, realm: str = "camera", password: str = PASSWORD, nonce: str = "n0") -> None:
        self.challenges = challenges or ('Digest realm="camera", nonce="n0"',)
        self.realm, self.password, self.nonce = realm, password, nonce
        self.checked: list[str] = []
        self.counts: list[str] = []
        self.refused = 0

    def accepts(self, seen: Seen) -> bool:
        header = seen.headers.get("authorization")
        if header is None:
            return False
        self.checked.append(header)
        if header.startswith("Basic "):
            return base64.b64decode(header[6:]) == f"{USER}:{self.password}".encode()
        given = fields_of(header)
        algorithm = given.get("algorithm", "MD5")
        name = _HASHES[algorithm.upper().removesuffix("-SESS")]

        def digest(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        first = digest(f"{USER}:{self.realm}:{self.password}")
        if algorithm.upper().endswith("-SESS"):
            first = digest(f"{first}:{given['nonce']}:{given['cnonce']}")
        second = digest(f"{seen.method}:{seen.url}")
        if given.get("qop") == "auth-int":
            second = digest(f"{seen.method}:{seen.url}:{digest('')}")
        middle = given["nonce"]
        if "qop" in given:
            self.counts.append(given["nc"])
            middle += f":{given['nc']}:{given['cnonce']}:{given['qop']}"
        return (
            given["response"] == digest(f"{first}:{middle}:{second}")
            and given["uri"] == seen.url
            and given["realm"] == self.realm
            and given["nonce"] == self.nonce
            and given["username"] == USER
        )

    def challenge(self) -> Answer:
        lines = [item.replace("n0", self.nonce) for item in self.challenges]
        return Answer(401, {"WWW-Authenticate": lines})


def guarded(guard: Guard, *methods: str, sdp: str = VIDEO_SDP) -> ScriptedCamera:
    """A camera that asks for a login at these methods."""
    camera = ScriptedCamera(sdp)

    def answer(seen: Seen) -> Answer:
        if guard.accepts(seen):
            return camera.plain(seen)
        guard.refused += "authorization" in seen.headers
        return guard.challenge()

    camera.scripts = dict.fromkeys(methods or ("DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN"), answer)
    return camera


MD5 = 'Digest realm="camera", nonce="n0"'
SHA = 'Digest realm="camera", nonce="n0", algorithm=SHA-256'
FORMS = [
    ([MD5], "digest MD5"),
    (['Digest realm="camera", nonce="n0", algorithm=MD5, opaque="o"'], "digest MD5"),
    (['Digest realm="camera", nonce="n0", algorithm="MD5", stale=FALSE'], "digest MD5"),
    (['Digest realm="camera",nonce="n0",qop="auth"'], "digest MD5"),
    (['Digest realm="camera", nonce="n0", qop="auth,auth-int"'], "digest MD5"),
    (['Digest realm="camera", nonce="n0", qop="auth-int"'], "digest MD5"),
    (['Digest realm="camera", nonce="n0", qop=auth'], "digest MD5"),
    (['Digest realm="camera", nonce="n0", algorithm=MD5-sess, qop="auth"'], "digest MD5-sess"),
    (['Digest realm="camera", nonce="n0", algorithm=MD5-sess'], "digest MD5-sess"),
    ([SHA], "digest SHA-256"),
    (['Digest realm="camera", nonce="n0", algorithm=sha-256, qop="auth"'], "digest SHA-256"),
    (['Digest realm="camera", nonce="n0", algorithm=SHA-256-sess, qop="auth"'], "digest SHA-256-sess"),
    (['Digest realm="camera", nonce="n0", algorithm=SHA-512-256, qop="auth"'], "digest SHA-512-256"),
    ([MD5, SHA], "digest SHA-256"),
    ([SHA, MD5], "digest SHA-256"),
    ([f"{MD5}, {SHA}"], "digest SHA-256"),
    ([f'Basic realm="camera", {MD5}'], "digest MD5"),
    (['Basic realm="camera"', MD5], "digest MD5"),
    ([MD5, 'Basic realm="camera"'], "digest MD5"),
    (['Basic realm="camera"'], "basic"),
    (["Basic"], "basic"),
    (['basic realm="a, b=c"'], "basic"),
    (["Negotiate", "NTLM TlRMTVNTUAAC", MD5], "digest MD5"),
    (['Digest realm="camera", nonce="n0", algorithm=SHA-3, qop=auth', MD5], "digest MD5"),
    (['Digest realm="camera" nonce="n0"'], "digest MD5"),
    (['  Digest   realm = "camera" ,  nonce = "n0" '], "digest MD5"),
]


@pytest.mark.parametrize(("challenges", "kind"), FORMS)
def test_a_login_of_any_form_is_accepted_with_one_proof_per_request(challenges: list[str], kind: str):
    async def test():
        guard = Guard(*challenges)
        async with guarded(guard) as camera, session_of(camera.target(LOGIN)) as session:
            description, _ = await play(session)
            assert description.login == session.login == kind
            assert guard.refused == 0
            assert len(guard.checked) == 3
            await session.close()
            assert camera.of("TEARDOWN")[0]["authorization"]
            assert guard.refused == 0

    run(test)


@pytest.mark.parametrize(
    ("realm", "written"),
    [
        ('Lobby, "north" door', r"Lobby, \"north\" door"),
        ("back\\slash", "back\\\\slash"),
        ("Digest realm=x, nonce=y", "Digest realm=x, nonce=y"),
        ("", ""),
        ("caméra", "caméra"),
        ("Login to 4F00A1=", "Login to 4F00A1="),
    ],
)
def test_realms_with_commas_quotes_and_words_of_challenges(realm: str, written: str):
    async def test():
        guard = Guard(f'Digest realm="{written}", nonce="n0", qop="auth"', realm=realm)
        async with guarded(guard) as camera, session_of(camera.target(LOGIN)) as session:
            await play(session)
            assert guard.refused == 0

    run(test)


@pytest.mark.parametrize("method", ["OPTIONS", "SETUP", "PLAY"])
def test_a_camera_may_ask_at_any_request(method: str):
    async def test():
        guard = Guard()
        async with guarded(guard, method) as camera, session_of(camera.target(LOGIN)) as session:
            await play(session)
            assert (guard.refused, session.login) == (0, "digest MD5")

    run(test)


def test_the_count_of_a_nonce_rises_and_begins_again_with_a_new_one():
    async def test():
        guard = Guard('Digest realm="camera", nonce="n0", qop="auth"')
        async with guarded(guard) as camera, session_of(camera.target(LOGIN)) as session:
            description = await session.describe()
            guard.nonce = "n1"
            guard.challenges = ('Digest realm="camera", nonce="n1", qop="auth", stale=true',)
            await session.play(description.tracks, Taken())
            assert guard.counts == ["00000001", "00000002", "00000001", "00000002"]

    run(test)


@pytest.mark.parametrize("stale", [", stale=true", ", stale=TRUE", ', stale="true"', ""])
def test_a_nonce_that_worked_may_be_replaced_at_any_request(stale: str):
    """Also without the word: cameras forget nonces, and after one that worked a new one is worth a try."""

    async def test():
        guard = Guard(f'Digest realm="camera", nonce="n0"{stale}')
        camera = guarded(guard)
        for method, script in list(camera.scripts.items()):

            def renew(seen: Seen, script=script) -> Answer:
                answer = script(seen)
                if answer.status == 200:
                    guard.nonce += "x"
                return answer

            camera.scripts[method] = renew
        async with camera, session_of(camera.target(LOGIN), pace=replace(CALM, quiet=0.01)) as session:
            await play(session)
            await camera.wait_for("GET_PARAMETER", 6)
            assert len(camera.of("DESCRIBE")) == 2
            assert len(camera.of("SETUP")) == len(camera.of("PLAY")) == 2

    run(test)


WRONG = [[MD5], [SHA], ['Basic realm="camera"'], [MD5, SHA], [f'{MD5}, qop="auth"'], ['Basic realm="x"', MD5]]


@pytest.mark.parametrize("challenges", WRONG)
def test_a_wrong_password_is_sent_once(challenges: list[str]):
    async def test():
        guard = Guard(*challenges, password="another")
        async with guarded(guard) as camera, session_of(camera.target(LOGIN)) as session:
            assert (await reason_of(session.describe())).reason == "unauthorized"
            assert guard.refused == 1
            await session.close()
            assert guard.refused == 1

    run(test)


def test_a_wrong_password_is_sent_once_although_each_refusal_has_a_new_nonce():
    async def test():
        guard = Guard(password="another")
        camera = guarded(guard)
        script = camera.scripts["DESCRIBE"]

        def renew(seen: Seen) -> Answer:
            guard.nonce += "x"
            return script(seen)

        camera.scripts["DESCRIBE"] = renew
        async with camera, session_of(camera.target(LOGIN)) as session:
            assert (await reason_of(session.describe())).reason == "unauthorized"
            assert guard.refused == 1

    run(test)


def test_a_camera_that_calls_every_nonce_stale_is_given_up_soon():
    async def test():
        guard = Guard(f"{MD5}, stale=true", password="another")
        camera = guarded(guard)
        script = camera.scripts["DESCRIBE"]

        def renew(seen: Seen) -> Answer:
            guard.nonce += "x"
            return script(seen)

        camera.scripts["DESCRIBE"] = renew
        async with camera, session_of(camera.target(LOGIN)) as session:
            assert (await reason_of(session.describe())).reason == "unauthorized"
            assert guard.refused <= 3

    run(test)


def test_a_login_that_worked_and_is_refused_has_a_reason_of_its_own():
    async def test():
        guard = Guard()
        async with guarded(guard) as camera, session_of(camera.target(LOGIN)) as session:
            description = await session.describe()
            guard.password = "changed"
            playing = session.play(description.tracks, Taken())
            assert (await reason_of(playing)).reason == "login_revoked"
            assert guard.refused == 1

    run(test)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "the camera asks for a login, but does not say which kind"),
        (["Negotiate"], "the camera asks for a kind of login that is not supported: negotiate"),
        (['Digest realm="x", nonce="n", algorithm=SHA-3'], "not supported: digest SHA-3"),
        (['Digest realm="x", nonce="n", qop="token"'], "not supported: digest MD5"),
        (['Digest realm="x"'], "not supported: digest MD5"),
        (["=,;\"'"], "does not say which kind"),
    ],
)
def test_a_login_of_an_unknown_kind_is_named_and_nothing_is_sent(lines: list[str], message: str):
    async def test():
        script = Answer(401, {"WWW-Authenticate": lines} if lines else {})
        async with ScriptedCamera(DESCRIBE=script) as camera, session_of(camera.target(LOGIN)) as session:
            error = await reason_of(session.describe())
            assert error.reason == "login_unsupported"
            assert message in error.message
            assert not any("authorization" in item.headers for item in camera.requests)

    run(test)


def test_without_a_user_the_reason_says_that_one_is_asked_for():
    async def test():
        guard = Guard()
        async with guarded(guard) as camera, session_of(camera.target()) as session:
            error = await reason_of(session.describe())
            assert error.reason == "unauthorized"
            assert "none are given" in error.message
            assert len(camera.of("DESCRIBE")) == 1

    run(test)


PASSWORDS = [
    "plain",
    "%40%3A%2F%3F%23%25",
    "p%2540ss",
    "a%20b",
    "%C3%A9",
    "%E9",
    "%22quoted%22%5C",
    "x" * 63,
    "",
    "=!$^[]|",
    "a:b",
]


@pytest.mark.parametrize("written", PASSWORDS)
@pytest.mark.parametrize("challenge", [MD5, 'Basic realm="camera"'])
def test_passwords_as_people_have_them_are_proved_byte_for_byte(written: str, challenge: str):
    from urllib.parse import unquote_to_bytes

    source = parse_source(f"rtsp://admin:{written.replace('[', '%5B').replace(']', '%5D').replace('^', '%5E')}@h/x")
    login = Login(credentials_of(source), new_nonce=lambda: "c")
    attempt = login.begin()
    assert attempt.authorize("DESCRIBE", "rtsp://h/x") is None
    attempt.answer([challenge])
    value = attempt.authorize("DESCRIBE", "rtsp://h/x")
    password = unquote_to_bytes(written)
    if challenge.startswith("Basic"):
        assert base64.b64decode(value[6:]) == b"admin:" + password
        return
    first = hashlib.md5(b"admin:camera:" + password).hexdigest()
    second = hashlib.md5(b"DESCRIBE:rtsp://h/x").hexdigest()
    assert fields_of(value)["response"] == hashlib.md5(f"{first}:n0:{second}".encode()).hexdigest()


def test_the_proofs_are_those_of_the_examples_in_rfc_7616():
    nonce, opaque = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    expected = {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }
    for algorithm, response in expected.items():
        line = f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        challenge = parse_challenges([line + f'nonce="{nonce}", opaque="{opaque}"'])[0]
        value = build_digest(
            challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", client_nonce=client, count=1
        )
        assert fields_of(value) == {
            "username": "Mufasa",
            "realm": "http-auth@example.org",
            "nonce": nonce,
            "uri": "/dir/index.html",
            "response": response,
            "algorithm": algorithm,
            "opaque": opaque,
            "cnonce": client,
            "qop": "auth",
            "nc": "00000001",
        }


def test_quotes_in_user_names_do_not_end_the_header():
    challenge = parse_challenges([MD5])[0]
    value = build_digest(challenge, 'a"b\\c', "p", "PLAY", "rtsp://h/", client_nonce="c", count=1)
    assert 'username="a\\"b\\\\c"' in value
    assert fields_of(value)["username"] == 'a"b\\c'


def test_a_keep_alive_whose_login_is_refused_is_not_repeated_and_explains_the_end():
    async def test():
        guard = Guard()
        pace = replace(CALM, quiet=0.01)
        async with guarded(guard) as camera, session_of(camera.target(LOGIN), pace=pace) as session:
            await play(session)
            await camera.wait_for("GET_PARAMETER", 2)
            guard.password = "changed"
            while not guard.refused:
                await camera.wait_for("GET_PARAMETER", len(camera.of("GET_PARAMETER")) + 1)
            camera.write(b"\r\n")
            camera.writers[-1].close()
            assert (await reason_of(session.wait_ended())).reason == "login_revoked"
            assert guard.refused == 1

    run(test)


@pytest.mark.parametrize(
    "line",
    [
        "a" * 60_000,
        " " * 60_000 + "(",
        'x="' * 20_000,
        "Digest " + ", " * 30_000,
        'Digest a="' + "\\" * 60_000,
        "Digest =" * 9000,
    ],
)
def test_headers_without_end_take_no_time(line: str):
    import time

    began = time.process_time()
    parse_challenges([line] * 200)
    assert time.process_time() - began < 2


def test_an_unfinished_quoted_value_reaches_to_the_end_of_its_line():
    assert parse_challenges(['Digest nonce="n", realm="a, b'])[0].parameters == {"nonce": "n", "realm": "a, b"}


def test_a_nonce_that_is_stale_before_it_ever_worked_is_replaced():
    lines = ['Digest realm="camera", nonce="n1", stale=true']
    attempt = Login((USER, PASSWORD)).begin()
    attempt.answer([MD5])
    assert 'nonce="n0"' in attempt.authorize("DESCRIBE", "rtsp://h/")
    attempt.answer(lines)
    assert 'nonce="n1"' in attempt.authorize("DESCRIBE", "rtsp://h/")
    with pytest.raises(SourceError) as refused:
        attempt.answer([MD5])
    assert refused.value.reason == "unauthorized"
    assert attempt.authorize("DESCRIBE", "rtsp://h/") is None
