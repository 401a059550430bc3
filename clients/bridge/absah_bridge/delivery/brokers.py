"""Connection parameters of the brokers that bridge.yaml names."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence

import pika

from absah_bridge.config import Broker
from absah_bridge.errors import BridgeError

HEARTBEAT_SECONDS = 20
"""pika answers heartbeats from the event loop, which no message holds up."""
BLOCKED_SECONDS = 300.0
"""A connection that the broker blocks for longer is given up, and another broker is tried."""
URL_VARIABLE = "ABSAH_AMQP_URL"


class BrokerInvalid(BridgeError):
    """A broker's URL is none; it is not quoted, since it holds a password."""

    def __init__(self) -> None:
        super().__init__(
            "a broker's URL is not of the form amqps://user:password@host:5671/vhost, its user, "
            "password and vhost percent-encoded"
        )


class BrokerInClear(BridgeError):
    """Certificates are named, and a URL that does not use them."""

    def __init__(self) -> None:
        super().__init__(
            "a broker has ca_file, certificate_file or key_file, and a URL that begins with "
            "amqp://, by which messages and the password would go unencrypted: write amqps://, "
            "or leave the files out"
        )


def parameters(brokers: Sequence[Broker]) -> list[pika.ConnectionParameters]:
    """What pika needs to connect to each of them, in their order.

    The environment variable ABSAH_AMQP_URL goes over all that is named, with the certificates of
    the first. Raises `BrokerInvalid`, `BrokerInClear`, or OSError for a certificate that cannot be
    read.
    """
    if url := os.environ.get(URL_VARIABLE):
        return [_parameters(url, brokers[0] if brokers else None)]
    return [_parameters(broker.url.get_secret_value(), broker) for broker in brokers]


def _parameters(url: str, broker: Broker | None) -> pika.ConnectionParameters:
    if not url.startswith(("amqp://", "amqps://")):
        raise BrokerInvalid
    try:
        made = pika.URLParameters(url)
    except (ValueError, TypeError) as exc:
        raise BrokerInvalid from exc
    made.heartbeat = HEARTBEAT_SECONDS
    made.blocked_connection_timeout = BLOCKED_SECONDS
    made.connection_attempts = 1
    made.socket_timeout = 5.0
    made.stack_timeout = 10.0
    made.client_properties = {"connection_name": "absah-bridge", "product": "Absah"}
    if broker is None:
        return made
    if made.ssl_options is None:
        if broker.ca_file or broker.certificate_file or broker.key_file:
            raise BrokerInClear
    else:
        context = ssl.create_default_context(cafile=broker.ca_file)
        if broker.certificate_file is not None:
            context.load_cert_chain(broker.certificate_file, broker.key_file)
        made.ssl_options = pika.SSLOptions(context, made.host)
    return made
