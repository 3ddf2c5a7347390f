"""A connection to a broker: to its checked address, with the trust in its certificate and the will `offline`."""

import asyncio
import socket
import ssl
import uuid
from collections.abc import Mapping
from typing import Any

import aiomqtt

from plugins.notifications.mqtt.topics import OFFLINE, Topics
from plugins.notifications.network import AddressPolicy, Target

_SECONDS = 10.0
KEEPALIVE_SECONDS = 30
#: Commands that wait to be handled; more are dropped.
_MAX_WAITING = 100


async def build_client(
    config: Mapping[str, Any], password: str | None, policy: AddressPolicy, topics: Topics
) -> aiomqtt.Client:
    """A client that is not connected yet. Raises AddressRefused, AddressUnknown, InvalidValue."""
    target = await asyncio.to_thread(policy.find_host, config["host"], config["port"])
    client = aiomqtt.Client(
        hostname=config["host"],
        port=config["port"],
        username=config.get("username") or None,
        password=password or None,
        identifier=f"vas-{uuid.uuid4().hex[:12]}",
        will=aiomqtt.Will(topics.status, OFFLINE, qos=1, retain=True),
        clean_session=True,
        keepalive=KEEPALIVE_SECONDS,
        timeout=_SECONDS,
        max_queued_incoming_messages=_MAX_WAITING,
        tls_context=_tls_context(config) if config.get("tls") else None,
    )
    _pin(client, target)
    return client


def _tls_context(config: Mapping[str, Any]) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=config.get("ca_certificate") or None)


def _pin(client: aiomqtt.Client, target: Target) -> None:
    """Let paho connect to the checked addresses, without another look-up. The name stays for TLS."""

    def connect() -> socket.socket:
        failure: OSError | None = None
        for address in target.addresses:
            try:
                return socket.create_connection((address, target.port), timeout=_SECONDS)
            except OSError as error:
                failure = error
        raise failure or OSError("no address")

    paho = client._client
    if not hasattr(paho, "_create_socket_connection"):
        raise RuntimeError("this version of paho-mqtt cannot be given an address")
    paho._create_socket_connection = connect
    paho.connect_timeout = _SECONDS
