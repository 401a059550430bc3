"""The methods of ValidationService that are about validations that are kept."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
from google.protobuf import json_format

from absah.v1 import validation_service_pb2 as pb2
from absah_server.core import names
from absah_server.core.acceptance import Acceptance
from absah_server.core.errors import NothingKept, ValidationNotFound
from absah_server.core.listing import History
from absah_server.core.submission import Submission
from absah_server.rpc import callers, conversion, errors, filters, keysets

Context = grpc.aio.ServicerContext[Any, Any]
LIST = "ListValidations"


class KeptMethods:
    """Asks `acceptance` and `history`, which are None where the server keeps nothing."""

    acceptance: Acceptance | None
    history: History | None

    def deadline(self, context: Context) -> float:
        """When the call must have its answer, an event loop time."""
        raise NotImplementedError

    async def CreateValidation(  # noqa: N802
        self, request: pb2.CreateValidationRequest, context: Context
    ) -> pb2.CreateValidationResponse:
        work = self._create(request, context)
        del request  # it holds all documents once more
        return await errors.answer(context, work)

    async def GetValidation(  # noqa: N802
        self, request: pb2.GetValidationRequest, context: Context
    ) -> pb2.GetValidationResponse:
        return await errors.answer(context, self._get(request, context))

    async def ListValidations(  # noqa: N802
        self, request: pb2.ListValidationsRequest, context: Context
    ) -> pb2.ListValidationsResponse:
        return await errors.answer(context, self._list(request, context))

    async def CancelValidation(  # noqa: N802
        self, request: pb2.CancelValidationRequest, context: Context
    ) -> pb2.CancelValidationResponse:
        return await errors.answer(context, self._cancel(request, context))

    async def _create(
        self, request: pb2.CreateValidationRequest, context: Context
    ) -> pb2.CreateValidationResponse:
        if self.acceptance is None:
            raise NothingKept
        caller = callers.caller_of(context)
        asked: Submission = conversion.submission_from_proto(request.request)
        del request
        made = await self.acceptance.create(caller, asked, deadline=self.deadline(context))
        response = pb2.CreateValidationResponse()
        conversion.fill_validation(response.validation, made, return_artifacts=False)
        return response

    async def _get(
        self, request: pb2.GetValidationRequest, context: Context
    ) -> pb2.GetValidationResponse:
        tenant = callers.caller_of(context).tenant
        found = await self._history().get(tenant, id_of(request.name))
        response = pb2.GetValidationResponse()
        conversion.fill_validation(response.validation, found, return_artifacts=False)
        return response

    async def _list(
        self, request: pb2.ListValidationsRequest, context: Context
    ) -> pb2.ListValidationsResponse:
        tenant = callers.caller_of(context).tenant
        wanted = filters.filter_from_proto(request.filter)
        query = [tenant, json_format.MessageToDict(request.filter)]
        before = None
        if request.page_token:
            before = keysets.last_of(LIST, query, request.page_token, parse=_last)
        size = keysets.size(request.page_size)
        # One more than is shown tells whether there is a next page.
        found = await self._history().page(tenant, wanted, before=before, limit=size + 1)
        response = pb2.ListValidationsResponse()
        for each in found[:size]:
            conversion.fill_validation(response.validations.add(), each, return_artifacts=False)
        if len(found) > size:
            last = id_of(found[size - 1].name).hex
            response.next_page_token = keysets.token(LIST, query, last)
        return response

    async def _cancel(
        self, request: pb2.CancelValidationRequest, context: Context
    ) -> pb2.CancelValidationResponse:
        caller = callers.caller_of(context)
        cancelled = await self._history().cancel(caller, id_of(request.name))
        response = pb2.CancelValidationResponse()
        conversion.fill_validation(response.validation, cancelled, return_artifacts=False)
        return response

    def _history(self) -> History:
        if self.history is None:
            raise NothingKept
        return self.history


def _last(written: str) -> uuid.UUID:
    """The id in a page token; raises ValueError for one of no time that there is."""
    found = uuid.UUID(written)
    names.time_of(found)
    return found


def id_of(name: str) -> uuid.UUID:
    """The id in a validation's name; raises `ValidationNotFound` for what is no such name."""
    found = names.parse_id(name, collection="validations")
    if found is None:
        raise ValidationNotFound(name=name)
    return found
