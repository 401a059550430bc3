"""ReviewService over the core's desk."""

from __future__ import annotations

import uuid
from typing import Any

import grpc

from absah.v1 import review_service_pb2 as pb2
from absah.v1 import review_service_pb2_grpc, validation_pb2
from absah_server.core.errors import RequestInvalid
from absah_server.core.policy import Decision
from absah_server.core.review import Review, ReviewFilter, ReviewState, Ruling
from absah_server.core.reviewing import Desk
from absah_server.rpc import callers, conversion, errors, keysets, scalars

Context = grpc.aio.ServicerContext[Any, Any]
METHOD = "ListReviews"
STATES = {s: getattr(pb2, f"REVIEW_STATE_{s.value}") for s in ReviewState}
WANTED = {pb2.REVIEW_STATE_UNSPECIFIED: None, **{number: s for s, number in STATES.items()}}
DECISIONS = {getattr(validation_pb2, f"DECISION_{d.value}"): d for d in Decision}


class ReviewServicer(review_service_pb2_grpc.ReviewServiceServicer):
    """Lists reviews and lets people claim and decide them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def ListReviews(  # noqa: N802
        self, request: pb2.ListReviewsRequest, context: Context
    ) -> pb2.ListReviewsResponse:
        return await errors.answer(context, self._list(request, context))

    async def GetReview(  # noqa: N802
        self, request: pb2.GetReviewRequest, context: Context
    ) -> pb2.GetReviewResponse:
        return await errors.answer(context, self._get(request, context))

    async def ClaimReview(  # noqa: N802
        self, request: pb2.ClaimReviewRequest, context: Context
    ) -> pb2.ClaimReviewResponse:
        return await errors.answer(context, self._claim(request, context))

    async def ReleaseReview(  # noqa: N802
        self, request: pb2.ReleaseReviewRequest, context: Context
    ) -> pb2.ReleaseReviewResponse:
        return await errors.answer(context, self._release(request, context))

    async def DecideReview(  # noqa: N802
        self, request: pb2.DecideReviewRequest, context: Context
    ) -> pb2.DecideReviewResponse:
        return await errors.answer(context, self._decide(request, context))

    async def _list(
        self, request: pb2.ListReviewsRequest, context: Context
    ) -> pb2.ListReviewsResponse:
        tenant = callers.caller_of(context).tenant
        wanted = _filter(request)
        size = keysets.size(request.page_size)
        query = [tenant, request.state, wanted.policy, wanted.reviewer]
        after = None
        if request.page_token:
            after = keysets.last_of(METHOD, query, request.page_token, parse=uuid.UUID)
        found = await self._desk.listed(tenant, wanted, after=after, limit=size + 1)
        response = pb2.ListReviewsResponse()
        for review in found[:size]:
            _fill(response.reviews.add(), review)
        if len(found) > size:
            response.next_page_token = keysets.token(METHOD, query, found[size - 1].id.hex)
        return response

    async def _get(self, request: pb2.GetReviewRequest, context: Context) -> pb2.GetReviewResponse:
        response = pb2.GetReviewResponse()
        tenant = callers.caller_of(context).tenant
        _fill(response.review, await self._desk.get(tenant, request.name))
        return response

    async def _claim(
        self, request: pb2.ClaimReviewRequest, context: Context
    ) -> pb2.ClaimReviewResponse:
        response = pb2.ClaimReviewResponse()
        caller = callers.caller_of(context)
        _fill(response.review, await self._desk.claim(caller, request.name, request.reviewer))
        return response

    async def _release(
        self, request: pb2.ReleaseReviewRequest, context: Context
    ) -> pb2.ReleaseReviewResponse:
        response = pb2.ReleaseReviewResponse()
        caller = callers.caller_of(context)
        _fill(response.review, await self._desk.release(caller, request.name, request.reviewer))
        return response

    async def _decide(
        self, request: pb2.DecideReviewRequest, context: Context
    ) -> pb2.DecideReviewResponse:
        if request.decision not in DECISIONS:
            raise RequestInvalid(("decision", "must be ACCEPT or REJECT"))
        ruling = Ruling(
            reviewer=request.reviewer,
            decision=DECISIONS[request.decision],
            reason=request.reason,
        )
        response = pb2.DecideReviewResponse()
        caller = callers.caller_of(context)
        _fill(response.review, await self._desk.decide(caller, request.name, ruling))
        return response


def _filter(request: pb2.ListReviewsRequest) -> ReviewFilter:
    if request.state not in WANTED:
        raise RequestInvalid(("state", f"{request.state} is no state of a review"))
    scalars.verify_texts({"policy": request.policy, "reviewer": request.reviewer})
    return ReviewFilter(
        state=WANTED[request.state],
        policy=request.policy.removeprefix("policies/"),
        reviewer=request.reviewer,
    )


def _fill(pb: pb2.Review, value: Review) -> None:
    """Write a review into an empty message."""
    pb.name = value.name
    pb.validation = value.validation
    pb.policy = value.policy
    pb.state = STATES[value.state]
    pb.reviewer = value.reviewer
    pb.create_time.FromDatetime(value.create_time)
    if value.claim_expire_time:
        pb.claim_expire_time.FromDatetime(value.claim_expire_time)
    if value.human_decision:
        conversion.fill_human_decision(pb.human_decision, value.human_decision)
    if value.verdict:
        pb.verdict.CopyFrom(conversion.verdict_to_proto(value.verdict))
