"""Checks that the ports of the stack are free before anything starts, and names the setting of a taken one."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Port:
    """A port on which a process of the stack will listen, and the setting that changes it."""

    setting: str
    address: str
    number: int
    purpose: str
    is_udp: bool = False


def find_taken(ports: list[Port]) -> list[Port]:
    """Return the last taken port of each setting; the next one to try is the one after it."""
    return list({port.setting: port for port in ports if not is_free(port)}.values())


def is_free(port: Port) -> bool:
    family = socket.AF_INET6 if ":" in port.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if port.is_udp else socket.SOCK_STREAM
    with contextlib.closing(socket.socket(family, kind)) as probe:
        if not port.is_udp:
            # As servers do: connections of an earlier run in TIME_WAIT are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.address, port.number))
        except OSError as error:
            return error.errno not in {errno.EADDRINUSE, errno.EACCES}
    return True


def describe(port: Port) -> str:
    free = port.number + 1
    while not is_free(Port(port.setting, port.address, free, port.purpose, port.is_udp)) and free < 65535:
        free += 1
    return (
        f"port {port.number} ({port.purpose}) is taken by another program; "
        f"choose another, for example: {port.setting}={free} make run"
    )
