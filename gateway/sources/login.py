"""Proofs of user and password: Basic (RFC 7617) and Digest (RFC 2617, RFC 7616), as cameras ask for them.

A login that the camera refused is never sent again: cameras lock users and addresses after a few refusals.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.sources.camera_text import clean_camera_text
from gateway.sources.tracks import SourceError

#: Digest algorithms, the strongest first; Basic is weaker than all.
_ALGORITHMS = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
_STRENGTH = tuple(f"{name}{suffix}" for name in _ALGORITHMS for suffix in ("", "-SESS"))
_MAX_CHALLENGES = 16
#: How often a camera may call a nonce stale within one request.
_MAX_STALE = 2

_MAX_LINE = 4096

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,40})(?=[\s,]|$)(?!\s{0,8}=)")
#: A quoted value that does not end takes the rest of the line.
_PARAMETER = re.compile(r'([A-Za-z0-9_-]{1,40})\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s,"]*))')
_SEPARATORS = re.compile(r"[\s,]+")
_WORD = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that a camera offers; parameter names in lower case, values without quotes."""

    scheme: str
    parameters: dict[str, str]

    @property
    def algorithm(self) -> str:
        return (self.parameters.get("algorithm") or "MD5").strip().upper()

    @property
    def nonce(self) -> str:
        return self.parameters.get("nonce", "")

    @property
    def is_stale(self) -> bool:
        return self.parameters.get("stale", "").strip().lower() == "true"

    @property
    def qop(self) -> str | None:
        """The quality of protection to use: "auth" if offered, "auth-int" if alone, "" for none, None: unknown ones."""
        offered = [word.strip().lower() for word in self.parameters.get("qop", "").split(",") if word.strip()]
        if not offered:
            return ""
        return next((word for word in ("auth", "auth-int") if word in offered), None)

    @property
    def strength(self) -> int:
        """The higher the better; 0: not supported."""
        if self.scheme == "basic":
            return 1
        if self.scheme == "digest" and self.nonce and self.qop is not None and self.algorithm in _STRENGTH:
            return 2 + len(_STRENGTH) - _STRENGTH.index(self.algorithm)
        return 0

    @property
    def name(self) -> str:
        """For people: "basic", "digest SHA-256"."""
        if self.scheme != "digest":
            return self.scheme[:20]
        algorithm = self.algorithm[:20]
        return f"digest {algorithm.replace('-SESS', '-sess')}"


def parse_challenges(lines: list[str]) -> list[Challenge]:
    """The challenges of all WWW-Authenticate headers, each of which may hold several."""
    found: list[Challenge] = []
    for line in lines[:_MAX_CHALLENGES]:
        text, position = line[:_MAX_LINE], 0
        while position < len(text) and len(found) <= _MAX_CHALLENGES:
            if skipped := _SEPARATORS.match(text, position):
                position = skipped.end()
            elif scheme := _SCHEME.match(text, position):
                found.append(Challenge(scheme[1].lower(), {}))
                position = scheme.end()
            elif found and (parameter := _PARAMETER.match(text, position)):
                quoted = parameter[2]
                value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else parameter[3]
                found[-1].parameters.setdefault(parameter[1].lower(), value)
                position = parameter.end()
            else:
                position = _WORD.match(text, position).end()
    return found[:_MAX_CHALLENGES]


class Login:
    """The login of one session: the camera's latest challenge, and the proofs made for it."""

    def __init__(self, credentials: tuple[str, str] | None, *, new_nonce: Callable[[], str] | None = None) -> None:
        self._credentials = credentials
        self._new_nonce = new_nonce or (lambda: secrets.token_hex(8))
        self._challenge: Challenge | None = None
        self._client_nonce = ""
        self._count = 0
        #: Whether the camera has accepted this login in this session.
        self.has_worked = False
        #: Set once the camera has refused the login: nothing is sent any more.
        self.refused: SourceError | None = None

    @property
    def kind(self) -> str:
        """For people: "none", "basic", "digest MD5" and so on."""
        return self._challenge.name if self._challenge else "none"

    def begin(self) -> "RequestLogin":
        """The login of one request, which may be repeated after challenges."""
        return RequestLogin(self)

    def authorize(self, method: str, url: str, body: bytes = b"") -> str | None:
        """The value of the Authorization header; None as long as the camera has not asked, or without a user."""
        if self._challenge is None or self._credentials is None or self.refused:
            return None
        user, password = self._credentials
        if self._challenge.scheme == "basic":
            text = f"{user}:{password}".encode("utf-8", "surrogateescape")
            return "Basic " + base64.b64encode(text).decode()
        self._count += 1
        return build_digest(
            self._challenge, user, password, method, url, client_nonce=self._client_nonce, count=self._count, body=body
        )

    def take(self, challenge: Challenge) -> None:
        """Use this challenge from now on."""
        self._challenge = challenge
        self._client_nonce = self._new_nonce()
        self._count = 0

    def is_current(self, challenge: Challenge) -> bool:
        """Whether proofs have been made for this very challenge."""
        current = self._challenge
        return (
            current is not None
            and self._count > 0
            and (current.scheme, current.nonce, current.parameters.get("realm"), current.algorithm)
            == (challenge.scheme, challenge.nonce, challenge.parameters.get("realm"), challenge.algorithm)
        )

    def choose(self, lines: list[str]) -> Challenge:
        """The strongest supported challenge; raises SourceError if there is none or no user to log in."""
        challenges = parse_challenges(lines)
        if self._credentials is None:
            raise SourceError("unauthorized", "the camera asks for a user name and password, and none are given")
        best = max(challenges, key=lambda item: item.strength, default=None)
        if best is None:
            raise SourceError("login_unsupported", "the camera asks for a login, but does not say which kind")
        if not best.strength:
            names = clean_camera_text(", ".join(dict.fromkeys(item.name for item in challenges)))
            message = f"the camera asks for a kind of login that is not supported: {names}"
            raise SourceError("login_unsupported", message)
        return best

    def refuse(self) -> SourceError:
        """The camera has refused the login: note it, so that it is not sent again."""
        self.refused = SourceError("login_revoked" if self.has_worked else "unauthorized")
        return self.refused


class RequestLogin:
    """The challenges of one request: decides after each 401 whether the request is sent once more."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._has_sent = False
        self._has_fresh = False
        self._stale = 0

    def authorize(self, method: str, url: str, body: bytes = b"") -> str | None:
        value = self._login.authorize(method, url, body)
        self._has_sent = value is not None
        return value

    def answer(self, lines: list[str]) -> None:
        """Take the challenge of a 401. Returns if the request is to be sent again; otherwise raises SourceError."""
        login = self._login
        if login.refused:
            raise login.refused
        challenge = login.choose(lines)
        if self._has_sent:
            is_basic = challenge.scheme == "basic"
            is_stale = challenge.is_stale and not is_basic and self._stale < _MAX_STALE
            # A camera may forget a nonce that worked without calling it stale; a proof for a fresh one is final.
            is_forgotten = login.has_worked and not is_basic and not self._has_fresh and not login.is_current(challenge)
            if not is_stale and not is_forgotten:
                raise login.refuse()
            self._stale += is_stale
        login.take(challenge)
        self._has_fresh = True

    def accept(self) -> None:
        """The camera accepted the request."""
        self._login.has_worked |= self._has_sent


def build_digest(
    challenge: Challenge,
    user: str,
    password: str,
    method: str,
    url: str,
    *,
    client_nonce: str,
    count: int,
    body: bytes = b"",
) -> str:
    """The value of the Authorization header for a Digest challenge (RFC 7616, section 3.4)."""
    parameters, algorithm, qop = challenge.parameters, challenge.algorithm, challenge.qop
    realm, nonce = parameters.get("realm", ""), challenge.nonce
    is_session = algorithm.endswith("-SESS")
    name = _ALGORITHMS[algorithm.removesuffix("-SESS")]

    def digest(text: str | bytes) -> str:
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    counted = f"{count:08x}"
    first = digest(f"{user}:{realm}:{password}")
    if is_session:
        first = digest(f"{first}:{nonce}:{client_nonce}")
    second = digest(f"{method}:{url}:{digest(body)}" if qop == "auth-int" else f"{method}:{url}")
    middle = f"{nonce}:{counted}:{client_nonce}:{qop}" if qop else nonce
    values = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": url,
        "response": digest(f"{first}:{middle}:{second}"),
    }
    text = ", ".join(f'{key}="{_quote(value)}"' for key, value in values.items())
    if parameters.get("algorithm"):
        text += f", algorithm={parameters['algorithm'].strip()}"
    if parameters.get("opaque") is not None:
        text += f', opaque="{_quote(parameters["opaque"])}"'
    if qop or is_session:
        text += f', cnonce="{client_nonce}"'
    if qop:
        text += f", qop={qop}, nc={counted}"
    return "Digest " + text


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
