"""Compare claims with evidence, for policies."""

from collections.abc import Callable, Mapping
from typing import Any

import absah_sdk
from absah_claims import functions


@absah_sdk.hookimpl
def absah_policy_functions() -> Mapping[str, Callable[..., Any]]:
    """Functions of CEL that say whether evidence bears a claim out."""
    return functions.policy_functions()
