"""PolicyService over the loaded policies."""

from __future__ import annotations

from typing import Any

import grpc

from absah.v1 import policy_service_pb2 as pb2
from absah.v1 import policy_service_pb2_grpc
from absah_server.core.policy_file import Policies
from absah_server.rpc import conversion, errors, paging

Context = grpc.aio.ServicerContext[Any, Any]


class PolicyServicer(policy_service_pb2_grpc.PolicyServiceServicer):
    """Tells which policies there are."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    async def ListPolicies(  # noqa: N802
        self, request: pb2.ListPoliciesRequest, context: Context
    ) -> pb2.ListPoliciesResponse:
        return await errors.answer(context, self._list(request))

    async def GetPolicy(  # noqa: N802
        self, request: pb2.GetPolicyRequest, context: Context
    ) -> pb2.GetPolicyResponse:
        return await errors.answer(context, self._get(request))

    async def _list(self, request: pb2.ListPoliciesRequest) -> pb2.ListPoliciesResponse:
        shown, following = paging.page(
            self._policies.all(),
            lambda policy: policy.reference,
            method="ListPolicies",
            size=request.page_size,
            token=request.page_token,
        )
        return pb2.ListPoliciesResponse(
            policies=[conversion.policy_to_proto(p, with_source=False) for p in shown],
            next_page_token=following,
        )

    async def _get(self, request: pb2.GetPolicyRequest) -> pb2.GetPolicyResponse:
        policy = self._policies.get(request.name.removeprefix("policies/"))
        return pb2.GetPolicyResponse(policy=conversion.policy_to_proto(policy, with_source=True))
