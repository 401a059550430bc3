"""The method of ValidationService that runs a validation again."""

from __future__ import annotations

from typing import Any

import grpc

from absah.v1 import validation_service_pb2 as pb2
from absah_server.core.errors import NothingKept
from absah_server.core.replaying import Replayer
from absah_server.rpc import callers, conversion, errors
from absah_server.rpc.kept_validations import id_of

Context = grpc.aio.ServicerContext[Any, Any]


class ReplayMethods:
    """Asks `replayer`, which is None where the server keeps nothing."""

    replayer: Replayer | None

    def deadline(self, context: Context) -> float:
        """When the call must have its answer, an event loop time."""
        raise NotImplementedError

    async def ReplayValidation(  # noqa: N802
        self, request: pb2.ReplayValidationRequest, context: Context
    ) -> pb2.ReplayValidationResponse:
        return await errors.answer(context, self._replay(request, context))

    async def _replay(
        self, request: pb2.ReplayValidationRequest, context: Context
    ) -> pb2.ReplayValidationResponse:
        if self.replayer is None:
            raise NothingKept
        replay = await self.replayer.replay(
            callers.caller_of(context), id_of(request.name), deadline=self.deadline(context)
        )
        response = pb2.ReplayValidationResponse()
        conversion.fill_validation(response.validation, replay.validation, return_artifacts=False)
        for each in replay.differences:
            response.differences.add(path=each.path, recorded=each.recorded, replayed=each.replayed)
        return response
