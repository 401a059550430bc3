"""Pages of a list that the database holds: a token names the last item and the query it was for.

Rows that come or go between two pages neither repeat an item nor lose one, since the next page
goes on after that item and not at a number.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, overload

from absah_server.core.errors import RequestInvalid
from absah_server.core.submission import canonical_json
from absah_server.rpc.paging import MAX_PAGE_SIZE

T = TypeVar("T")


def size(asked: int) -> int:
    """How many items a page holds; raises `RequestInvalid`."""
    if asked < 0:
        raise RequestInvalid(("page_size", "must not be negative"))
    return min(asked or MAX_PAGE_SIZE, MAX_PAGE_SIZE)


def token(method: str, query: object, last: str) -> str:
    """The token of the page after `last`; `query` is what the method was asked, as JSON has it."""
    written = f"{method}:{_digest(query)}:{last}"
    return base64.urlsafe_b64encode(written.encode()).decode()


@overload
def last_of(method: str, query: object, given: str) -> str: ...
@overload
def last_of(method: str, query: object, given: str, *, parse: Callable[[str], T]) -> T: ...
def last_of(method: str, query: object, given: str, *, parse: Callable[[str], Any] = str) -> Any:
    """The last item of the page before; raises `RequestInvalid` for a token of another query.

    `parse` reads what the token names and raises ValueError or OverflowError for what it cannot be.
    """
    try:
        written = base64.b64decode(given, altchars=b"-_", validate=True).decode()
        made_by, digest, last = written.split(":", 2)
        if (made_by, digest) != (method, _digest(query)):
            raise ValueError("it is of another query")
        return parse(last)
    except (binascii.Error, ValueError, OverflowError) as exc:
        raise RequestInvalid(
            ("page_token", f"is not one that {method} gave for this query")
        ) from exc


def _digest(query: object) -> str:
    return hashlib.sha256(canonical_json(query)).hexdigest()[:16]
