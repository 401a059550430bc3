"""The calls of a client that are about reviews: what a policy left to a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import grpc

from absah.errors import from_rpc_error
from absah.v1 import review_service_pb2 as pb2
from absah.v1 import review_service_pb2_grpc, validation_pb2


class ReviewCalls:
    """What a client asks of ReviewService. Reviews are named as "reviews/0192f0c1…"."""

    _reviews: review_service_pb2_grpc.ReviewServiceStub
    _timeout_seconds: float

    def reviews(
        self, *, state: str = "", policy: str = "", reviewer: str = "", limit: int | None = None
    ) -> Iterator[pb2.Review]:
        """Those that have waited longest first, without verdicts.

        `state` is "waiting", "claimed" or "decided"; without one, those that are not decided.
        """
        message = _listing(state, policy, reviewer)
        left = limit
        while left is None or left > 0:
            message.page_size = 100 if left is None else min(left, 100)
            answer = self._review_call(self._reviews.ListReviews, message)
            yield from answer.reviews
            if left is not None:
                left -= len(answer.reviews)
            message.page_token = answer.next_page_token
            if not message.page_token:
                return

    def review(self, name: str) -> pb2.Review:
        """One review, with what the policy said."""
        return self._review(self._reviews.GetReview, pb2.GetReviewRequest(name=name))

    def claim_review(self, name: str, reviewer: str = "") -> pb2.Review:
        """Take a review for oneself, for a time; an unnamed reviewer is the client."""
        message = pb2.ClaimReviewRequest(name=name, reviewer=reviewer)
        return self._review(self._reviews.ClaimReview, message)

    def release_review(self, name: str, reviewer: str = "") -> pb2.Review:
        """Give a claimed review back."""
        message = pb2.ReleaseReviewRequest(name=name, reviewer=reviewer)
        return self._review(self._reviews.ReleaseReview, message)

    def decide_review(
        self, name: str, decision: str, *, reason: str, reviewer: str = ""
    ) -> pb2.Review:
        """Decide a claimed review for good; `decision` is "accept" or "reject"."""
        message = _ruling(name, decision, reason, reviewer)
        return self._review(self._reviews.DecideReview, message)

    def _review(self, method: Callable[..., Any], message: Any) -> pb2.Review:
        review: pb2.Review = self._review_call(method, message).review
        return review

    def _review_call(self, method: Callable[..., Any], message: Any) -> Any:
        try:
            return method(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc


class AsyncReviewCalls:
    """The same for asyncio."""

    _reviews: review_service_pb2_grpc.ReviewServiceStub
    _timeout_seconds: float

    async def reviews(
        self, *, state: str = "", policy: str = "", reviewer: str = "", limit: int | None = None
    ) -> AsyncIterator[pb2.Review]:
        """Those that have waited longest first, without verdicts.

        `state` is "waiting", "claimed" or "decided"; without one, those that are not decided.
        """
        message = _listing(state, policy, reviewer)
        left = limit
        while left is None or left > 0:
            message.page_size = 100 if left is None else min(left, 100)
            answer = await self._review_call(self._reviews.ListReviews, message)
            for each in answer.reviews:
                yield each
            if left is not None:
                left -= len(answer.reviews)
            message.page_token = answer.next_page_token
            if not message.page_token:
                return

    async def review(self, name: str) -> pb2.Review:
        """One review, with what the policy said."""
        return await self._review(self._reviews.GetReview, pb2.GetReviewRequest(name=name))

    async def claim_review(self, name: str, reviewer: str = "") -> pb2.Review:
        """Take a review for oneself, for a time; an unnamed reviewer is the client."""
        message = pb2.ClaimReviewRequest(name=name, reviewer=reviewer)
        return await self._review(self._reviews.ClaimReview, message)

    async def release_review(self, name: str, reviewer: str = "") -> pb2.Review:
        """Give a claimed review back."""
        message = pb2.ReleaseReviewRequest(name=name, reviewer=reviewer)
        return await self._review(self._reviews.ReleaseReview, message)

    async def decide_review(
        self, name: str, decision: str, *, reason: str, reviewer: str = ""
    ) -> pb2.Review:
        """Decide a claimed review for good; `decision` is "accept" or "reject"."""
        message = _ruling(name, decision, reason, reviewer)
        return await self._review(self._reviews.DecideReview, message)

    async def _review(self, method: Callable[..., Any], message: Any) -> pb2.Review:
        review: pb2.Review = (await self._review_call(method, message)).review
        return review

    async def _review_call(self, method: Callable[..., Any], message: Any) -> Any:
        try:
            return await method(message, timeout=self._timeout_seconds)
        except grpc.RpcError as exc:
            raise from_rpc_error(exc) from exc


def _listing(state: str, policy: str, reviewer: str) -> pb2.ListReviewsRequest:
    message = pb2.ListReviewsRequest(policy=policy, reviewer=reviewer)
    if state:
        message.state = _value(pb2.ReviewState, f"REVIEW_STATE_{state.upper()}")
    return message


def _ruling(name: str, decision: str, reason: str, reviewer: str) -> pb2.DecideReviewRequest:
    message = pb2.DecideReviewRequest(name=name, reason=reason, reviewer=reviewer)
    message.decision = _value(validation_pb2.Decision, f"DECISION_{decision.upper()}")
    return message


def _value(kind: Any, name: str) -> Any:
    """An enum's value by its name; raises ValueError."""
    return kind.Value(name)
