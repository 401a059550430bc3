"""The methods of AdminService that are about documents."""

from __future__ import annotations

from typing import Any

import grpc

from absah.admin.v1 import admin_service_pb2 as pb2
from absah_server.core.errors import NothingKept
from absah_server.core.purging import Purged, Purger
from absah_server.rpc import callers, errors

Context = grpc.aio.ServicerContext[Any, Any]


class DocumentMethods:
    """Asks `purger`, which is None where the server keeps nothing."""

    purger: Purger | None

    async def PurgeDocuments(  # noqa: N802
        self, request: pb2.PurgeDocumentsRequest, context: Context
    ) -> pb2.PurgeDocumentsResponse:
        return await errors.answer(context, self._purge(request, context))

    async def _purge(
        self, request: pb2.PurgeDocumentsRequest, context: Context
    ) -> pb2.PurgeDocumentsResponse:
        caller = callers.caller_of(context)
        if self.purger is None:
            raise NothingKept
        if request.dry_run:
            return _response(await self.purger.due(caller.tenant))
        return _response(await self.purger.purge(caller))


def _response(value: Purged) -> pb2.PurgeDocumentsResponse:
    return pb2.PurgeDocumentsResponse(
        erased_validations=value.validations,
        deleted_documents=value.documents,
        deleted_bytes=value.size_bytes,
        removed_contents=value.contents,
        removed_uploads=value.uploads,
    )
