"""CheckerService over the registry."""

from __future__ import annotations

from typing import Any

import grpc

from absah.v1 import checker_service_pb2 as pb2
from absah.v1 import checker_service_pb2_grpc
from absah_server.core.errors import CheckerNotFound
from absah_server.core.registry import Registry
from absah_server.rpc import conversion, errors, paging

Context = grpc.aio.ServicerContext[Any, Any]


class CheckerServicer(checker_service_pb2_grpc.CheckerServiceServicer):
    """Tells which checkers there are."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def ListCheckers(  # noqa: N802
        self, request: pb2.ListCheckersRequest, context: Context
    ) -> pb2.ListCheckersResponse:
        return await errors.answer(context, self._list(request))

    async def GetChecker(  # noqa: N802
        self, request: pb2.GetCheckerRequest, context: Context
    ) -> pb2.GetCheckerResponse:
        return await errors.answer(context, self._get(request))

    async def _list(self, request: pb2.ListCheckersRequest) -> pb2.ListCheckersResponse:
        registered = sorted(self._registry.checkers.values(), key=lambda r: r.checker.name)
        shown, following = paging.page(
            registered,
            lambda r: r.checker.name,
            method="ListCheckers",
            size=request.page_size,
            token=request.page_token,
        )
        return pb2.ListCheckersResponse(
            checkers=[conversion.checker_to_proto(r) for r in shown], next_page_token=following
        )

    async def _get(self, request: pb2.GetCheckerRequest) -> pb2.GetCheckerResponse:
        name = request.name.removeprefix("checkers/")
        registered = self._registry.checkers.get(name)
        if registered is None:
            raise CheckerNotFound(name=name)
        return pb2.GetCheckerResponse(checker=conversion.checker_to_proto(registered))
