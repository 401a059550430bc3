"""Connection parameters of the brokers that bridge.yaml names."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence

import pika

from absah_bridge.config import Broker

HEARTBEAT_SECONDS = 20
"""pika answers heartbeats from the event loop, which no message holds up."""
BLOCKED_SECONDS = 300.0
"""A connection that the broker blocks for longer is given up, and another broker is tried."""
URL_VARIABLE = "ABSAH_AMQP_URL"


def parameters(brokers: Sequence[Broker]) -> list[pika.ConnectionParameters]:
    """What pika needs to connect to each of them, in their order.

    The environment variable ABSAH_AMQP_URL goes over all that is named. Raises ValueError for a
    URL that is none, OSError for a certificate that cannot be read.
    """
    if url := os.environ.get(URL_VARIABLE):
        return [_parameters(url, None)]
    return [_parameters(broker.url.get_secret_value(), broker) for broker in brokers]


def _parameters(url: str, broker: Broker | None) -> pika.ConnectionParameters:
    made = pika.URLParameters(url)
    made.heartbeat = HEARTBEAT_SECONDS
    made.blocked_connection_timeout = BLOCKED_SECONDS
    made.connection_attempts = 1
    made.socket_timeout = 5.0
    made.stack_timeout = 10.0
    made.client_properties = {"connection_name": "absah-bridge", "product": "Absah"}
    if broker is not None and made.ssl_options is not None:
        context = ssl.create_default_context(cafile=broker.ca_file)
        if broker.certificate_file is not None:
            context.load_cert_chain(broker.certificate_file, broker.key_file)
        made.ssl_options = pika.SSLOptions(context, made.host)
    return made
