"""Opening a connection to a camera: to its checked addresses only, with the trust in its certificate."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.sources import tls
from gateway.sources.tls import TlsTrust
from gateway.sources.tracks import SourceError

_KEEPALIVE = ((socket.TCP_KEEPIDLE, 20), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 4))
#: The more a failure says about a camera, the later it stands here.
_RANK = ("unknown_host", "unreachable", "timed_out", "refused")

_UNREACHABLE = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EACCES, errno.EPERM}
)


async def dial(
    build_protocol: Callable[[], Any],
    host: str,
    port: int,
    addresses: tuple[str, ...],
    *,
    trust: TlsTrust | None,
    seconds: float,
) -> tuple[asyncio.Transport, Any]:
    """Connect to the first of `addresses` that answers, without another look-up; returns transport and protocol.

    `trust`: which certificate for `host` is accepted; None: no encryption. `build_protocol` is called for each address.
    Raises the SourceError that says most.
    """
    context = tls.build_context(trust) if trust is not None else None
    loop = asyncio.get_running_loop()
    limit = seconds / max(1, len(addresses))
    best: SourceError | None = None
    for address in addresses:
        try:
            opening = loop.create_connection(
                build_protocol,
                address,
                port,
                ssl=context,
                server_hostname=host if context else None,
                ssl_handshake_timeout=limit + 1 if context else None,
                ssl_shutdown_timeout=1.0 if context else None,
            )
            transport, protocol = await _connect(opening, limit, is_tls=context is not None)
            if trust is not None:
                _check_certificate(transport, trust)
            if transport.is_closing():
                raise SourceError("closed_by_camera", "the camera closed the connection at once")
        except SourceError as error:
            if best is None or _rank(error) > _rank(best):
                best = error
        else:
            return transport, protocol
    raise best or SourceError("unknown_host")


def _check_certificate(transport: asyncio.Transport, trust: TlsTrust) -> None:
    try:
        tls.check_certificate(trust, transport.get_extra_info("ssl_object").getpeercert(binary_form=True))
    except SourceError:
        transport.abort()
        raise


async def _connect(
    opening: Coroutine[Any, Any, tuple[asyncio.Transport, Any]], seconds: float, *, is_tls: bool
) -> tuple[asyncio.Transport, Any]:
    try:
        async with asyncio.timeout(seconds):
            transport, protocol = await opening
    except TimeoutError:
        raise SourceError("timed_out", f"the camera did not accept a connection within {seconds:g} s") from None
    except ssl.SSLError as error:
        raise tls.explain(error) from None
    except OSError as error:
        raise _explain(error, is_tls=is_tls) from None
    except ValueError:
        raise SourceError("unreachable", "the address of the camera cannot be connected to") from None
    _tune(transport.get_extra_info("socket"))
    return transport, protocol


def _tune(sock: socket.socket | None) -> None:
    """Have the kernel notice a camera that has vanished; asyncio has set TCP_NODELAY already."""
    if sock is None:
        return
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _rank(error: SourceError) -> int:
    return _RANK.index(error.reason) if error.reason in _RANK else len(_RANK)


def _explain(error: OSError, *, is_tls: bool) -> SourceError:
    if isinstance(error, ConnectionRefusedError):
        return SourceError("refused")
    if error.errno == errno.ETIMEDOUT:
        return SourceError("timed_out")
    if error.errno in _UNREACHABLE:
        return SourceError("unreachable")
    if isinstance(error, ConnectionError):
        return tls.explain(error) if is_tls else SourceError("closed_by_camera", "the camera reset the connection")
    if isinstance(error, socket.gaierror):
        return SourceError("unknown_host")
    return SourceError("unreachable", f"the camera cannot be connected to: {error.strerror or 'unknown error'}")
