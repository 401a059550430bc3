"""Who calls, as the call's metadata says: `absah-tenant` and `absah-client`.

Nothing proves it: whoever can reach the server may say what they like.
"""

from __future__ import annotations

import re
from typing import Any

import grpc

from absah_server.core.callers import Caller
from absah_server.core.errors import RequestInvalid

TENANT_KEY = "absah-tenant"
CLIENT_KEY = "absah-client"
NAME = re.compile(r"[A-Za-z0-9._:@-]{1,64}")


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
    """The caller; raises `RequestInvalid` naming the metadata at fault."""
    given = {
        key: value
        for key, value in context.invocation_metadata() or ()
        if key in (TENANT_KEY, CLIENT_KEY)
    }
    problems = [
        (key, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : @ - and no others")
        for key, value in given.items()
        if not isinstance(value, str) or not NAME.fullmatch(value)
    ]
    if problems:
        raise RequestInvalid(*problems)
    unsaid = Caller()
    return Caller(
        tenant=str(given.get(TENANT_KEY, unsaid.tenant)),
        client=str(given.get(CLIENT_KEY, unsaid.client)),
    )
