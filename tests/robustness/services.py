"""Ill-treat every service by calls of one client after another, a good request after each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import callers
import grpc
import methods
import oddities
import possessions
import tenants
import uploads
from asking import Observation
from calling import Caller
from methods import Method
from serving import Server

Group = Iterator[Observation]


def observe(server: Server, *, checker: str, picture: bytes) -> Iterator[Group]:
    """Groups of calls; `checker` takes texts."""
    every = methods.every()
    held = possessions.keep(server, checker, picture)
    caller = Caller(server)
    yield caller.observe(uploads.calls(every, held))
    yield caller.observe(tenants.calls(every, held))
    yield _silence(server, held)
    yield caller.observe(callers.calls(every, held))
    yield caller.observe(oddities.tokens(every, list(_tokens(server, every))))
    for method in every:
        yield caller.observe(oddities.calls(method, held))
    caller.close()


def _silence(server: Server, held: possessions.Possessions) -> Group:
    yield Observation(
        case="lists of another tenant",
        way="tenants",
        answer="OK",
        defects=tenants.is_silent(server.address, held),
    )


def _tokens(server: Server, every: Sequence[Method]) -> Iterator[tuple[Method, str]]:
    """A page token of each method that gives one to the owner."""
    with grpc.insecure_channel(server.address) as channel:
        for method in every:
            if oddities.is_paged(method):
                call = channel.unary_unary(
                    method.path,
                    request_serializer=method.request.SerializeToString,
                    response_deserializer=method.response.FromString,
                )
                answer = call(method.request(page_size=1), metadata=list(oddities.METADATA))
                yield method, answer.next_page_token
