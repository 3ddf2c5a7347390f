"""Requests to a camera within a session: with its login, its session identifier, and a note of what is unusual."""

import re

from gateway.sources.login import Login
from workers.rtp.units import SourceError
from workers.rtsp.connection import Connection
from workers.rtsp.messages import Reply

_DEFAULT_TIMEOUT = 60.0
_MAX_TIMEOUT = 86400
_MAX_QUIRKS = 20


class Dialogue:
    """What is said on a connection, from OPTIONS to TEARDOWN."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.connection: Connection | None = None
        self.session_id: str | None = None
        #: The camera's own time limit for a session without requests, in seconds.
        self.session_timeout = _DEFAULT_TIMEOUT
        #: What is unusual about the camera, as short sentences.
        self.quirks: list[str] = []

    async def ask(self, method: str, url: str, headers: dict[str, str] | None = None) -> Reply:
        """A request with session and login; raises SourceError if the login is refused or no reply comes."""
        if self.connection is None:
            raise SourceError("requested", "the session is not connected")
        connection, attempt = self.connection, self.login.begin()
        while True:
            sent = dict(headers or {})
            if self.session_id is not None:
                sent["Session"] = self.session_id
            proof = attempt.authorize(method, url)
            if proof is not None:
                sent["Authorization"] = proof
            reply = await connection.request(method, url, sent)
            if reply.status != 401:
                if reply.is_ok:
                    attempt.accept()
                return reply
            attempt.answer(reply.headers.get("www-authenticate", []))

    def read_session(self, reply: Reply) -> None:
        """Take identifier and timeout from the Session header of a reply to SETUP."""
        text = reply.get("session")
        if text is None:
            if self.session_id is None:
                self.note("gives its session no identifier")
            return
        identifier, _, rest = text.partition(";")
        identifier = identifier.strip()[:512]
        if self.session_id is None:
            self.session_id = identifier
        elif self.session_id != identifier:
            self.note("gives each track a session of its own")
        found = re.search(r"timeout\s*=\s*\"?(\d{1,6})", rest, re.IGNORECASE)
        if found and 0 < int(found[1]) <= _MAX_TIMEOUT:
            self.session_timeout = float(found[1])

    def note(self, quirk: str) -> None:
        """Note what is unusual about the camera, once."""
        if quirk not in self.quirks and len(self.quirks) < _MAX_QUIRKS:
            self.quirks.append(quirk)
