"""What to do at start about models of the repository that cannot be served."""

from __future__ import annotations

import enum
import logging
from collections.abc import Sequence

from absah_server.core.errors import ModelInvalid

log = logging.getLogger(__name__)


class OnInvalid(enum.StrEnum):
    """Whether a model that cannot be served keeps the others from being served."""

    REFUSE = "refuse"
    """Do not start."""
    SERVE_OTHERS = "serve_others"
    """Start with the others; the adapter's `errors` says what is wrong."""


def settle(errors: Sequence[ModelInvalid], chosen: OnInvalid) -> None:
    """Log what is wrong; where that is to be refused, raise the first with the others as notes."""
    for error in errors:
        log.error("model invalid", extra={"model": error.model, "error": str(error)})
    if errors and chosen is OnInvalid.REFUSE:
        for other in errors[1:]:
            errors[0].add_note(str(other))
        raise errors[0]
