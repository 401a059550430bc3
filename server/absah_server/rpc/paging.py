"""Pages of a list that fits in memory."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TypeVar

from absah_server.core.errors import RequestInvalid

T = TypeVar("T")
MAX_PAGE_SIZE = 100


def page(
    items: Sequence[T], key: Callable[[T], str], *, method: str, size: int, token: str
) -> tuple[Sequence[T], str]:
    """The page after `token` and the token of the next, empty at the end.

    A token names the last item of its page, so that it stays right while items come and go.
    Raises `RequestInvalid`.
    """
    if size < 0:
        raise RequestInvalid(("page_size", "must not be negative"))
    start = _start(items, key, method, token) if token else 0
    end = start + min(size or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    following = _token(method, key(items[end - 1])) if end < len(items) else ""
    return items[start:end], following


def _token(method: str, last: str) -> str:
    return base64.urlsafe_b64encode(f"{method}:{last}".encode()).decode()


def _start(items: Sequence[T], key: Callable[[T], str], method: str, token: str) -> int:
    try:
        written = base64.b64decode(token, altchars=b"-_", validate=True)
        made_by, _, last = written.decode().partition(":")
    except ValueError:  # of the Base64, its letters or the text
        made_by, last = "", ""
    keys = [key(item) for item in items]
    if made_by != method or last not in keys:
        raise RequestInvalid(("page_token", f"is not one that {method} gave"))
    return keys.index(last) + 1
