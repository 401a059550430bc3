"""Requests of every method with each of their fields at odds, and page tokens nobody gave."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence

import fields
from calling import Call
from google.protobuf.message import Message
from methods import Method
from possessions import OWNER, Possessions

METADATA = (("absah-tenant", OWNER), ("absah-client", "robustness"))
REFUSED = frozenset({"INVALID_ARGUMENT INVALID_REQUEST"})
LASTS = (
    *("", "0", "-1", "1.0", "abc", "\0", "9" * 30, "-" + "9" * 30, "9" * 5000, "٣", "1_000"),
    *("0" * 32, "f" * 32, "{0}", "1.", ".1", f"{2**63}.{2**63}", f"-1.{2**64}", "nan", "1e3"),
)
"""What a token names as the last item of its page."""


def calls(method: Method, held: Possessions) -> Iterator[Call]:
    """A method with every field at odds; whatever its contract names may come of it."""
    good = held.good(method)
    yield _call(method, "nothing at all", method.request())
    for case, message in fields.variants(good):
        yield _call(method, case, message)
    if method.client_streaming:
        return
    yield Call(case="no request", method=method, messages=[], metadata=METADATA, expected=REFUSED)
    yield Call(
        case="bytes that are no request",
        method=method,
        messages=[b"\xff" * 99],
        metadata=METADATA,
        expected=REFUSED,
    )


def tokens(methods: Sequence[Method], given: Iterable[tuple[Method, str]]) -> Iterator[Call]:
    """Page tokens that are another method's, another query's, cut, or forged.

    `given` are tokens that the methods gave.
    """
    real = [(method, token) for method, token in given if token]
    for method, token in real:
        for other, foreign in real:
            if other is not method:
                yield _refused(method, f"token of {other.name}", foreign)
        yield _refused(method, "token cut", token[:-5])
        yield _refused(method, "token that is no Base64", "§§§")
        yield _refused(method, "token of 1 MiB", token * (2**20 // len(token)))
        for last in LASTS:
            yield _call(method, f"token whose last item is {last:.20}", _paged(method, token, last))
        other_tenant = method.request(page_size=1, page_token=token)
        yield Call(
            case="token of another tenant",
            method=method,
            messages=[other_tenant],
            metadata=(("absah-tenant", "dinas-b"),),
            expected=REFUSED if _tells_tenants_apart(method) else frozenset(),
        )


def is_paged(method: Method) -> bool:
    return "page_token" in method.request.DESCRIPTOR.fields_by_name


def _tells_tenants_apart(method: Method) -> bool:
    return method.name not in ("ListModels", "ListCheckers", "ListPolicies")


def _paged(method: Method, token: str, last: str) -> Message:
    """The first page's request with its token changed to name another last item."""
    written = base64.urlsafe_b64decode(token).decode()
    kept = written.rpartition(":")[0]
    forged = base64.urlsafe_b64encode(f"{kept}:{last}".encode()).decode()
    return method.request(page_size=1, page_token=forged)


def _call(method: Method, case: str, message: Message) -> Call:
    return Call(case=case, method=method, messages=[message], metadata=METADATA)


def _refused(method: Method, case: str, token: str) -> Call:
    return Call(
        case=case,
        method=method,
        messages=[method.request(page_size=1, page_token=token)],
        metadata=METADATA,
        expected=REFUSED,
    )
