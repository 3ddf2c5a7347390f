"""Parsers for the values of settings; each raises ValueError with the end of a sentence that begins with the name."""

import ipaddress
import itertools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import redis

from gateway.hosts import ANY_HOST, Host, parse_origin

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
#: Items of a list of keys: their number of candidates grows with the square.
_MAX_KEYS = 32
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def parse_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("must be 1 or 0")


def parse_list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def parse_keys(text: str) -> tuple[str, ...]:
    """A list of keys that may contain commas themselves: every run of its items is a candidate.

    A key that nobody has used opens nothing, so the wrong candidates do no harm.
    """
    commas = [-1, *(place for place, character in enumerate(text) if character == ","), len(text)]
    if len(commas) > _MAX_KEYS + 1:
        raise ValueError(f"must have at most {_MAX_KEYS} keys and commas in them")
    runs = [text[start + 1 : end] for start, end in itertools.combinations(commas, 2)]
    return tuple(dict.fromkeys(key for run in runs for key in (run.strip(), run) if key.strip()))


def parse_networks(text: str) -> tuple[str, ...]:
    networks = parse_list(text)
    for network in networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise ValueError(f"must be networks such as 192.168.0.0/16, not {network!r}") from None
    return networks


def between(low: float, high: float, kind: Callable[[str], Any] = int) -> Callable[[str], Any]:
    """Build a parser for a number from `low` to `high`, both included."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"must be a number from {low} to {high}, not {text!r}") from None
        if not low <= value <= high:
            raise ValueError(f"must be between {low} and {high}, not {text}")
        return value

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.upper() not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {text!r}")
        return text.upper()

    return parse


def exact_one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {text!r}")
        return text

    return parse


def parse_time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"must be the IANA name of a time zone such as Europe/Berlin, not {text!r}") from None
    return text


def url_of(*schemes: str, may_be_empty: bool = False) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not text and may_be_empty:
            return ""
        # The message quotes only the scheme: the rest may contain a password.
        scheme = urlsplit(text).scheme
        if scheme not in schemes:
            raise ValueError(f"must start with one of {', '.join(s + '://' for s in schemes)}, not {scheme!r}")
        return text.rstrip("/") if scheme in {"ws", "wss", "http", "https"} else text

    return parse


def parse_redis_url(text: str) -> str:
    """Check a Redis URL by building a connection, which connects to nothing; empty text is accepted."""
    url = url_of("redis", "rediss", "unix", may_be_empty=True)(text)
    if not url:
        return ""
    # The message quotes nothing: any part may be one of a password that is not percent-encoded.
    message = (
        "must be redis://HOST:PORT/DB, or unix:///PATH?db=DB for a Unix socket; a value or option in it is invalid"
    )
    try:
        parts = urlsplit(url)
        if parts.scheme == "unix" and (parts.hostname or parts.path in ("", "/")):
            raise ValueError(message)
        redis.ConnectionPool.from_url(url).make_connection()
    except (TypeError, ValueError, AttributeError, redis.RedisError):
        raise ValueError(message) from None
    return url


def parse_uri_prefix(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9_-]+)+/?", text):
        raise ValueError(f"must be a path such as /vas-files, not {text!r}")
    return text.rstrip("/")


def text_of(minimum: int = 0) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text) < minimum:
            raise ValueError(f"must have at least {minimum} characters")
        return text

    return parse


def parse_hosts(text: str) -> tuple[str, ...]:
    """Host names or addresses, each with or without a port; `*` for any host."""
    hosts = parse_list(text)
    for host in hosts:
        try:
            _ = host == ANY_HOST or Host.parse(host)
        except ValueError:
            raise ValueError(
                f"must be host names or addresses such as cam.example.com or 192.168.1.5:8000, not {host[:80]!r}"
            ) from None
    return hosts


def parse_origins(text: str) -> tuple[str, ...]:
    """Web origins, as browsers write them."""
    origins = []
    for origin in parse_list(text):
        try:
            origins.append(parse_origin(origin))
        except ValueError:
            raise ValueError(
                f"must be origins such as https://app.example.com or http://192.168.1.5:8123, not {origin[:80]!r}"
            ) from None
    return tuple(origins)
