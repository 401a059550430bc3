"""The methods of AdminService that are about models."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import grpc
from google.protobuf import duration_pb2

from absah.admin.v1 import admin_service_pb2 as pb2
from absah_server.core.auditing import Auditor
from absah_server.core.availability import Availability
from absah_server.core.callers import Caller
from absah_server.core.errors import RequestInvalid, StoreUnavailable
from absah_server.core.models import (
    Agreement,
    Candidate,
    Change,
    Mode,
    ModelLife,
    ModelState,
    Rollout,
    ShadowReport,
    Statistics,
    VersionState,
)
from absah_server.rpc import callers, errors, paging, scalars

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
PREFIX = "models/"
MODES = {
    pb2.CANDIDATE_MODE_SHADOW: Mode.SHADOW,
    pb2.CANDIDATE_MODE_CANARY: Mode.CANARY,
}
MOST_REASON_CHARACTERS = 1000


class ModelMethods:
    """Asks `models`, and `availability` which checkers wait for one.

    What changes something is told to `auditor`, None where the server keeps nothing.
    """

    models: ModelLife
    availability: Availability
    auditor: Auditor | None

    async def ListModels(  # noqa: N802
        self, request: pb2.ListModelsRequest, context: Context
    ) -> pb2.ListModelsResponse:
        return await errors.answer(context, self._list_models(request))

    async def GetModel(  # noqa: N802
        self, request: pb2.GetModelRequest, context: Context
    ) -> pb2.GetModelResponse:
        return await errors.answer(context, self._get_model(request))

    async def LoadModel(  # noqa: N802
        self, request: pb2.LoadModelRequest, context: Context
    ) -> pb2.LoadModelResponse:
        return await errors.answer(context, self._load_model(request, context))

    async def UnloadModel(  # noqa: N802
        self, request: pb2.UnloadModelRequest, context: Context
    ) -> pb2.UnloadModelResponse:
        return await errors.answer(context, self._unload_model(request, context))

    async def SetRollout(  # noqa: N802
        self, request: pb2.SetRolloutRequest, context: Context
    ) -> pb2.SetRolloutResponse:
        return await errors.answer(context, self._set_rollout(request, context))

    async def RollBackModel(  # noqa: N802
        self, request: pb2.RollBackModelRequest, context: Context
    ) -> pb2.RollBackModelResponse:
        return await errors.answer(context, self._roll_back_model(request, context))

    async def GetShadowReport(  # noqa: N802
        self, request: pb2.GetShadowReportRequest, context: Context
    ) -> pb2.GetShadowReportResponse:
        return await errors.answer(context, self._get_shadow_report(request))

    async def _list_models(self, request: pb2.ListModelsRequest) -> pb2.ListModelsResponse:
        shown, following = paging.page(
            self.models.states(),
            lambda state: state.name,
            method="ListModels",
            size=request.page_size,
            token=request.page_token,
        )
        return pb2.ListModelsResponse(
            models=[self._to_proto(state) for state in shown], next_page_token=following
        )

    async def _get_model(self, request: pb2.GetModelRequest) -> pb2.GetModelResponse:
        return pb2.GetModelResponse(model=self._model(_name(request.name)))

    async def _load_model(
        self, request: pb2.LoadModelRequest, context: Context
    ) -> pb2.LoadModelResponse:
        name, caller = _name(request.name), callers.caller_of(context)
        await self.models.load(name, request.version or None)
        await self._tell(caller, "model.loaded", name, {"version": request.version})
        return pb2.LoadModelResponse(model=self._model(name))

    async def _unload_model(
        self, request: pb2.UnloadModelRequest, context: Context
    ) -> pb2.UnloadModelResponse:
        name, caller = _name(request.name), callers.caller_of(context)
        await self.models.unload(name, request.version)
        await self._tell(caller, "model.unloaded", name, {"version": request.version})
        return pb2.UnloadModelResponse(model=self._model(name))

    async def _set_rollout(
        self, request: pb2.SetRolloutRequest, context: Context
    ) -> pb2.SetRolloutResponse:
        name, caller = _name(request.name), callers.caller_of(context)
        rollout = rollout_from_proto(request.rollout)
        # As the commands name it that write the file themselves.
        action = rollout.candidate.mode.value if rollout.candidate else "promote"
        change = Change(action=action, by=caller.client, reason=_reason(request.reason))
        await self.models.set_rollout(name, rollout, change, dict(request.sha256))
        await self._tell_rollout(caller, "model.rollout_set", name, change)
        return pb2.SetRolloutResponse(model=self._model(name))

    async def _roll_back_model(
        self, request: pb2.RollBackModelRequest, context: Context
    ) -> pb2.RollBackModelResponse:
        name, caller = _name(request.name), callers.caller_of(context)
        change = Change(action="rollback", by=caller.client, reason=_reason(request.reason))
        await self.models.roll_back(name, change)
        await self._tell_rollout(caller, "model.rolled_back", name, change)
        return pb2.RollBackModelResponse(model=self._model(name))

    async def _tell_rollout(self, caller: Caller, action: str, name: str, change: Change) -> None:
        rollout = self.models.state(name).rollout
        assert rollout is not None
        await self._tell(caller, action, name, rollout.in_brief() | {"reason": change.reason})

    async def _tell(
        self, caller: Caller, action: str, name: str, details: dict[str, object]
    ) -> None:
        """Write down what was done; it is done, so that a store out of reach refuses nothing."""
        if self.auditor is None:
            return
        try:
            await self.auditor.operated(caller, action, f"{PREFIX}{name}", details)
        except StoreUnavailable:
            log.error("action not audited", extra={"action": action, "model": name})

    async def _get_shadow_report(
        self, request: pb2.GetShadowReportRequest
    ) -> pb2.GetShadowReportResponse:
        name = _name(request.name)
        report = self.models.shadow_report(name)
        return pb2.GetShadowReportResponse(report=report_to_proto(name, report))

    def _model(self, name: str) -> pb2.Model:
        return self._to_proto(self.models.state(name))

    def _to_proto(self, state: ModelState) -> pb2.Model:
        return pb2.Model(
            name=f"{PREFIX}{state.name}",
            rollout=rollout_to_proto(state.rollout) if state.rollout else None,
            versions=[_version(version) for version in state.versions],
            problem=state.problem,
            unavailable_checkers=self.availability.unavailable(state.name),
        )


def _name(name: str) -> str:
    short = name.removeprefix(PREFIX)
    if not short:
        raise RequestInvalid(("name", f'is empty; such as "{PREFIX}entities_ner" is wanted'))
    return short


def _reason(text: str) -> str:
    if len(text) > MOST_REASON_CHARACTERS:
        raise RequestInvalid(("reason", f"is longer than {MOST_REASON_CHARACTERS} characters"))
    scalars.verify_texts({"reason": text})
    return text


def rollout_from_proto(pb: pb2.Rollout) -> Rollout:
    """Raises `RequestInvalid`."""
    candidate = None
    if pb.HasField("candidate"):
        if pb.candidate.mode not in MODES:
            raise RequestInvalid(("rollout.candidate.mode", "is neither SHADOW nor CANARY"))
        candidate = Candidate(
            version=pb.candidate.version,
            mode=MODES[pb.candidate.mode],
            share=pb.candidate.share,
        )
    return Rollout(current=pb.current, previous=pb.previous or None, candidate=candidate)


def rollout_to_proto(rollout: Rollout) -> pb2.Rollout:
    """The message of a rollout."""
    pb = pb2.Rollout(current=rollout.current, previous=rollout.previous or "")
    if rollout.candidate is not None:
        mode = next(number for number, mode in MODES.items() if mode is rollout.candidate.mode)
        pb.candidate.CopyFrom(
            pb2.Candidate(
                version=rollout.candidate.version, mode=mode, share=rollout.candidate.share
            )
        )
    return pb


def report_to_proto(model: str, report: ShadowReport) -> pb2.ShadowReport:
    """The message of a shadow report."""
    pb = pb2.ShadowReport(
        model=f"{PREFIX}{model}",
        current=report.current,
        candidate=report.candidate,
        drawn=report.drawn,
        compared=report.compared,
        dropped=report.dropped,
        failed=report.failed,
        outputs=[_agreement(name, output) for name, output in report.outputs.items()],
        current_latency=_duration(report.current_seconds),
        candidate_latency=_duration(report.candidate_seconds),
        absolute_tolerance=report.absolute_tolerance,
        relative_tolerance=report.relative_tolerance,
    )
    pb.start_time.FromDatetime(report.start)
    return pb


def _agreement(name: str, output: Agreement) -> pb2.OutputAgreement:
    return pb2.OutputAgreement(
        output=name,
        different_shapes=output.different_shapes,
        within_tolerance=output.within_tolerance,
        max_difference=output.largest,
        mean_difference=output.mean_difference,
        same_argmax=output.same_argmax,
    )


def _version(version: VersionState) -> pb2.ModelVersion:
    counted = version.statistics
    return pb2.ModelVersion(
        version=version.version,
        sha256=version.digest,
        engine=version.engine,
        statistics=None if counted is None else _statistics(counted),
    )


def _statistics(counted: Statistics) -> pb2.ModelStatistics:
    return pb2.ModelStatistics(
        requests=counted.requests,
        succeeded=counted.succeeded,
        failed=counted.failed,
        dropped=counted.dropped,
        refused=counted.refused,
        items=counted.items,
        batches=counted.batches,
        queue_time=_duration(counted.queue_seconds),
        compute_time=_duration(counted.compute_seconds),
        queued=counted.queued,
        running=counted.running,
    )


def _duration(seconds: float) -> duration_pb2.Duration:
    pb = duration_pb2.Duration()
    pb.FromTimedelta(datetime.timedelta(seconds=seconds))
    return pb
