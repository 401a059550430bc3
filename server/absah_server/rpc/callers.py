"""Who calls, as the call's metadata says: `absah-tenant` and `absah-client`.

Nothing proves it: whoever can reach the server may say what they like.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import grpc

from absah_server.core.callers import Caller
from absah_server.core.errors import RequestInvalid

TENANT_KEY = "absah-tenant"
CLIENT_KEY = "absah-client"
NAME = re.compile(r"[A-Za-z0-9._:@-]{1,64}")


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
    """The caller; raises `RequestInvalid` naming the metadata at fault."""
    said = [
        (key, value)
        for key, value in context.invocation_metadata() or ()
        if key in (TENANT_KEY, CLIENT_KEY)
    ]
    given = dict(said)
    problems = [
        (key, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : @ - and no others")
        for key, value in said
        if not isinstance(value, str) or not NAME.fullmatch(value)
    ]
    # Whatever stands between may look at another one of them than the server.
    problems += [
        (key, "must be said once")
        for key, times in Counter(k for k, _ in said).items()
        if times > 1
    ]
    if problems:
        raise RequestInvalid(*problems)
    unsaid = Caller()
    return Caller(
        tenant=str(given.get(TENANT_KEY, unsaid.tenant)),
        client=str(given.get(CLIENT_KEY, unsaid.client)),
    )
