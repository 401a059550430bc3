"""Channels to a server: their options, retries and credentials, and who calls by them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable

import grpc

from absah.callers import TellingChannel, interceptors

DEFAULT_ADDRESS = "127.0.0.1:50051"
SERVICE_CONFIG = json.dumps(
    {
        "methodConfig": [
            {
                "name": [
                    {"service": "absah.v1.ValidationService", "method": "Validate"},
                    {"service": "absah.v1.ValidationService", "method": "CreateValidation"},
                ],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            },
            {
                "name": [
                    {"service": "absah.v1.ValidationService"},
                    {"service": "absah.v1.CheckerService"},
                    {"service": "absah.v1.PolicyService"},
                    {"service": "absah.v1.DocumentService", "method": "GetDocument"},
                    {"service": "absah.v1.DocumentService", "method": "DeleteDocument"},
                    {"service": "absah.v1.ReviewService", "method": "ListReviews"},
                    {"service": "absah.v1.ReviewService", "method": "GetReview"},
                ],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            },
        ]
    }
)
"""Retries of what is safe to send again: the server answers UNAVAILABLE for what it has not begun,
or could not record for certain, and what has a request id is recorded once."""
CHANNEL_OPTIONS = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that was away for long is found soon, one that vanished without a word is missed.
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


def blocking(
    address: str, *, secure: bool | grpc.ChannelCredentials, tenant: str, client: str
) -> grpc.Channel:
    """A channel whose calls block."""
    credentials = _credentials(secure)
    channel = (
        grpc.secure_channel(address, credentials, CHANNEL_OPTIONS)
        if credentials
        else grpc.insecure_channel(address, CHANNEL_OPTIONS)
    )
    return grpc.intercept_channel(channel, *interceptors(tenant, client))


def asynchronous(
    address: str,
    *,
    secure: bool | grpc.ChannelCredentials,
    tenant: str,
    client: str,
    metadata: Callable[[], Iterable[tuple[str, str]]] | None,
) -> TellingChannel:
    """A channel for asyncio; `metadata` is asked at each call for what else it is to carry."""
    _keep_polling()
    credentials = _credentials(secure)
    channel = (
        grpc.aio.secure_channel(address, credentials, CHANNEL_OPTIONS)
        if credentials
        else grpc.aio.insecure_channel(address, CHANNEL_OPTIONS)
    )
    return TellingChannel(channel, tenant, client, metadata)


@functools.cache
def _keep_polling() -> None:
    """Keep gRPC's thread for asyncio as long as the process lives. It would end with the last
    channel, and may be waited for then for ever: https://github.com/grpc/grpc/pull/40989"""
    grpc.aio.init_grpc_aio()


def _credentials(secure: bool | grpc.ChannelCredentials) -> grpc.ChannelCredentials | None:
    if isinstance(secure, grpc.ChannelCredentials):
        return secure
    return grpc.ssl_channel_credentials() if secure else None
