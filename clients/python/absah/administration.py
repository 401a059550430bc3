"""A client for operators: what AdminService offers.

It has no retries of its own, since most of its calls change something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import grpc

from absah import channels
from absah.admin.v1 import admin_service_pb2 as pb2
from absah.admin.v1 import admin_service_pb2_grpc
from absah.auditing import AuditCalls
from absah.channels import DEFAULT_ADDRESS
from absah.dead_letters import DeadLetterCalls
from absah.errors import from_rpc_error
from absah.jobs import JobCalls

LOADING_SECONDS = 300.0
"""How long loading a large model may take."""


class AdminClient(AuditCalls, JobCalls, DeadLetterCalls):
    """A client that blocks; threads may share it. Models are named as in the repository.

    >>> with absah.AdminClient("127.0.0.1:50051") as admin:
    ...     admin.roll_back_model("entities_ner", reason="names of places are missed")

    `tenant` and `client` are who calls; the audit log names them. Every method raises `CallFailed`.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        secure: bool | grpc.ChannelCredentials = False,
        timeout_seconds: float = LOADING_SECONDS,
        tenant: str = "",
        client: str = "",
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._channel = channels.blocking(address, secure=secure, tenant=tenant, client=client)
        self._stub = admin_service_pb2_grpc.AdminServiceStub(self._channel)

    def purge_documents(self, *, dry_run: bool = False) -> pb2.PurgeDocumentsResponse:
        """Remove what has been kept long enough, or only tell what there is of it."""
        answer: pb2.PurgeDocumentsResponse = self._call(
            self._stub.PurgeDocuments, pb2.PurgeDocumentsRequest(dry_run=dry_run)
        )
        return answer

    def models(self) -> list[pb2.Model]:
        """All models of the server's repository, those too that are not served."""
        found, message = [], pb2.ListModelsRequest()
        while True:
            answer = self._call(self._stub.ListModels, message)
            found += answer.models
            message.page_token = answer.next_page_token
            if not message.page_token:
                return found

    def model(self, name: str) -> pb2.Model:
        """One model."""
        return self._model(self._stub.GetModel, pb2.GetModelRequest(name=_named(name)))

    def load_model(self, name: str, version: str = "") -> pb2.Model:
        """Load a version beside the others; an empty one means the current one."""
        message = pb2.LoadModelRequest(name=_named(name), version=version)
        return self._model(self._stub.LoadModel, message)

    def unload_model(self, name: str, version: str) -> pb2.Model:
        """Unload a version that the rollout does not name."""
        message = pb2.UnloadModelRequest(name=_named(name), version=version)
        return self._model(self._stub.UnloadModel, message)

    def set_rollout(
        self,
        name: str,
        rollout: pb2.Rollout,
        *,
        reason: str = "",
        digests: Mapping[str, str] | None = None,
    ) -> pb2.Model:
        """Say which versions answer; `digests` are what versions must have on the server."""
        message = pb2.SetRolloutRequest(
            name=_named(name), rollout=rollout, reason=reason, sha256=digests or {}
        )
        return self._model(self._stub.SetRollout, message)

    def roll_back_model(self, name: str, *, reason: str = "") -> pb2.Model:
        """End the candidate, or else go back to the previous version."""
        message = pb2.RollBackModelRequest(name=_named(name), reason=reason)
        return self._model(self._stub.RollBackModel, message)

    def shadow_report(self, name: str) -> pb2.ShadowReport:
        """How a candidate in shadow mode agreed so far."""
        message = pb2.GetShadowReportRequest(name=_named(name))
        report: pb2.ShadowReport = self._call(self._stub.GetShadowReport, message).report
        return report

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def __enter__(self) -> AdminClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Any], message: Any) -> Any:
        try:
            return method(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc

    def _model(self, method: Callable[..., Any], message: Any) -> pb2.Model:
        model: pb2.Model = self._call(method, message).model
        return model


def _named(model: str) -> str:
    return f"models/{model}"
