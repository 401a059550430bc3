"""The calls of a client that tell which checkers and policies a server has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from absah.errors import from_rpc_error
from absah.v1 import (
    checker_service_pb2,
    checker_service_pb2_grpc,
    policy_service_pb2,
    policy_service_pb2_grpc,
)


class CatalogCalls:
    """The calls; `Client` gives them their channel."""

    _checkers: checker_service_pb2_grpc.CheckerServiceStub
    _policies: policy_service_pb2_grpc.PolicyServiceStub
    _timeout_seconds: float

    def checkers(self) -> list[checker_service_pb2.Checker]:
        """All checkers of the server."""
        found, message = [], checker_service_pb2.ListCheckersRequest()
        while True:
            answer = self._catalog_call(self._checkers.ListCheckers, message)
            found += answer.checkers
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    def policies(self) -> list[policy_service_pb2.Policy]:
        """All versions of all policies of the server, without their source."""
        found, message = [], policy_service_pb2.ListPoliciesRequest()
        while True:
            answer = self._catalog_call(self._policies.ListPolicies, message)
            found += answer.policies
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    def policy(self, name: str) -> policy_service_pb2.Policy:
        """A policy with its source, by name ("field-report") or version ("field-report@1")."""
        message = policy_service_pb2.GetPolicyRequest(name=f"policies/{name}")
        found: policy_service_pb2.Policy = self._catalog_call(
            self._policies.GetPolicy, message
        ).policy
        return found

    def _catalog_call(self, method: Callable[..., Any], message: Any) -> Any:
        try:
            return method(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc


class AsyncCatalogCalls:
    """The same for asyncio; `AsyncClient` gives them their channel."""

    _checkers: checker_service_pb2_grpc.CheckerServiceStub
    _policies: policy_service_pb2_grpc.PolicyServiceStub
    _timeout_seconds: float

    async def checkers(self) -> list[checker_service_pb2.Checker]:
        """All checkers of the server."""
        found, message = [], checker_service_pb2.ListCheckersRequest()
        while True:
            answer = await self._catalog_call(self._checkers.ListCheckers, message)
            found += answer.checkers
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    async def policies(self) -> list[policy_service_pb2.Policy]:
        """All versions of all policies of the server, without their source."""
        found, message = [], policy_service_pb2.ListPoliciesRequest()
        while True:
            answer = await self._catalog_call(self._policies.ListPolicies, message)
            found += answer.policies
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    async def policy(self, name: str) -> policy_service_pb2.Policy:
        """A policy with its source, by name ("field-report") or version ("field-report@1")."""
        message = policy_service_pb2.GetPolicyRequest(name=f"policies/{name}")
        answer = await self._catalog_call(self._policies.GetPolicy, message)
        found: policy_service_pb2.Policy = answer.policy
        return found

    async def _catalog_call(self, method: Callable[..., Any], message: Any) -> Any:
        try:
            return await method(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc
