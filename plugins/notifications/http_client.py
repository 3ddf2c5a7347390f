"""One HTTP request to a receiver that users chose: to its checked address, without redirects, bounded in time and size.

aiohttp does the protocol; its resolver is replaced by the addresses that the policy has checked.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from plugins.notifications.network import Target

#: For everything, from connecting to the last byte of the answer.
TIMEOUT_SECONDS = 10.0
#: The answer is read up to this; more is left unread, and the connection closed.
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a receiver answered. `text` is the beginning of the body, as far as it is text."""

    status: int
    text: str = ""
    retry_after: str | None = None


class HttpFailed(Exception):
    """No answer: the message says why, without naming addresses; `reason` is a code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Pinned(AbstractResolver):
    """Answers every question with the checked addresses."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[dict[str, Any]]:
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in self._target.addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def post(url: str, target: Target, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
    """POST `body` to `url`, whose host was checked as `target`. Raises HttpFailed."""
    seconds = TIMEOUT_SECONDS
    connector = aiohttp.TCPConnector(resolver=_Pinned(target), use_dns_cache=False, force_close=True)
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False, trust_env=False) as http,
            http.post(url, data=body, headers=dict(headers), allow_redirects=False) as answer,
        ):
            read = await _read(answer)
            return HttpAnswer(answer.status, _as_text(read), answer.headers.get("Retry-After"))
    except TimeoutError:
        raise HttpFailed("timed_out", f"no complete answer within {seconds:g} s") from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise HttpFailed("tls_failed", f"the certificate is not accepted: {error.certificate_error}") from None
    except (aiohttp.ClientSSLError, ssl.SSLError):
        raise HttpFailed("tls_failed", "the encrypted connection failed") from None
    except aiohttp.ClientConnectorError as error:
        raise HttpFailed("unreachable", f"no connection: {error.os_error.strerror or 'unknown error'}") from None
    except aiohttp.ServerDisconnectedError:
        raise HttpFailed("closed", "the receiver closed the connection without an answer") from None
    except (aiohttp.ClientError, ValueError, OSError, asyncio.IncompleteReadError) as error:
        raise HttpFailed("bad_answer", f"the answer is not HTTP: {type(error).__name__}") from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The first `MAX_ANSWER` bytes. What cannot be read does not matter: the status is known already."""
    read = bytearray()
    try:
        while len(read) < MAX_ANSWER:
            chunk = await answer.content.read(MAX_ANSWER - len(read))
            if not chunk:
                break
            read += chunk
    except (aiohttp.ClientError, OSError):
        pass
    return bytes(read)


def _as_text(data: bytes) -> str:
    text = data[:2000].decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)[:500]
