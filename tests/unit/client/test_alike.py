"""The two clients offer the same calls with the same parameters."""

from __future__ import annotations

import inspect

import absah

FOR_THE_BRIDGE = {"record_message_attempts"}


def calls(kind: type[object]) -> dict[str, list[str]]:
    """The public methods of a client with the names of their parameters."""
    return {
        name: list(inspect.signature(method).parameters)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in FOR_THE_BRIDGE
    }


def test_both_clients_are_alike() -> None:
    assert calls(absah.Client) == calls(absah.AsyncClient)
