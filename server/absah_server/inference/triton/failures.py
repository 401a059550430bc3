"""Tell apart the ways in which a Triton server does not answer.

Triton's status codes are few and its words are what tells them apart, so both are read. Inference
changes nothing on a server: whatever is not the request's own fault may be asked again elsewhere.
"""

from __future__ import annotations

import enum
import logging

from tritonclient.utils import InferenceServerException

from absah_sdk import AbsahError, DeadlinePassed, InferenceFailed
from absah_server.core.errors import ModelUnknown, Overloaded
from absah_server.inference.repository import StoredModel

log = logging.getLogger(__name__)


class Kind(enum.Enum):
    """Whose fault it is, and so what may help."""

    LOST = "the server cannot be reached"
    MISSING = "the server does not have the model"
    BROKEN = "the process that ran the model is gone"
    FULL = "the server's queue is full"
    LATE = "the deadline passed"
    MEMORY = "shared memory is not as it was"
    REFUSED = "the request does not fit the model"
    FAILED = "the model failed on the request"

    @property
    def attempts(self) -> int:
        """How often a request may be asked in all, where it may succeed at another time or place.

        It may itself be what ends the processes of the model, so those get but a second chance.
        """
        return {Kind.LOST: 3, Kind.MISSING: 3, Kind.BROKEN: 2}.get(self, 1)


class ServerFailure(AbsahError):
    """A server did not answer; `said` is what it, or gRPC, gave as the reason."""

    def __init__(self, *, kind: Kind, address: str, said: str) -> None:
        self.kind = kind
        self.address = address
        self.said = said
        super().__init__(f"Triton at {address}: {kind.value}: {said}")


def failure(address: str, exc: InferenceServerException) -> ServerFailure:
    """What the client's exception means."""
    said = (exc.message() or "").removeprefix("[request id: <id_unknown>] ").strip()
    kind = _kind(str(exc.status()).rpartition(".")[2], said.lower())
    return ServerFailure(kind=kind, address=address, said=said.partition("\n")[0])


def _kind(code: str, said: str) -> Kind:
    # In the order of how sure the sign is: words before codes, as UNAVAILABLE means several.
    if "maximum queue size" in said:
        return Kind.FULL
    if "shared memory" in said:
        return Kind.MEMORY
    if "stub process" in said:
        return Kind.BROKEN
    if code == "DEADLINE_EXCEEDED" or "timeout expired" in said:
        return Kind.LATE
    if code == "NOT_FOUND" or "unknown model" in said:
        return Kind.MISSING
    if code in ("UNAVAILABLE", "CANCELLED"):
        return Kind.LOST
    if code == "INVALID_ARGUMENT":
        return Kind.REFUSED
    return Kind.FAILED


def inference_error(
    failure: ServerFailure, model: StoredModel, *, retry_after_seconds: float
) -> AbsahError:
    """What the port `Inference` promises to raise; what the server said goes to the log alone."""
    match failure.kind:
        case Kind.LATE:
            return DeadlinePassed(f"no time left for model {model.name!r}")
        case Kind.FULL:
            return Overloaded(retry_after_seconds=retry_after_seconds)
        case Kind.MISSING:
            return ModelUnknown(model=f"{model.name}@{model.version}")
        case _:
            log.warning(
                "inference failed",
                extra={"model": model.name, "kind": failure.kind.name, "error": failure.said},
            )
            return InferenceFailed(f"model {model.name!r}: {failure.kind.value}")
