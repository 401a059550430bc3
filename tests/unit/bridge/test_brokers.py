"""Brokers are spoken to as bridge.yaml says, and clients of /health do not wear the bridge out."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pydantic
import pytest
from rabbitmq import free_ports

from absah_bridge.config import Broker
from absah_bridge.delivery import brokers, health
from absah_bridge.delivery.status import Status


@pytest.mark.parametrize("name", ["ca_file", "certificate_file", "key_file"])
def test_certificates_beside_a_url_without_tls_are_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABSAH_AMQP_URL", raising=False)
    files: dict[str, Any] = {name: Path("berkas.pem")}
    broker = Broker(url=pydantic.SecretStr("amqp://siti:rahasia@127.0.0.1"), **files)
    with pytest.raises(brokers.BrokerInClear, match="write amqps://") as raised:
        brokers.parameters([broker])
    assert "rahasia" not in str(raised.value)


def test_a_url_without_tls_is_refused_from_the_environment_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ABSAH_AMQP_URL", "amqp://siti:rahasia@127.0.0.1")
    broker = Broker(url=pydantic.SecretStr("amqps://127.0.0.1"), ca_file=Path("berkas.pem"))
    with pytest.raises(brokers.BrokerInClear):
        brokers.parameters([broker])


def test_a_client_of_health_that_says_nothing_is_sent_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "CLIENT_SECONDS", 0.1)
    (port,) = free_ports(1)
    with (
        health.HealthEndpoint(Status(), port=port, host="127.0.0.1"),
        socket.create_connection(("127.0.0.1", port), timeout=30) as client,
    ):
        assert client.recv(1) == b""
