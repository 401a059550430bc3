"""What the core needs from the outside: a way to run models and a way to decode hostile bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from absah_sdk import Model, Page
from absah_sdk.checking import Array


class LoadedModel(Model, Protocol):
    """A loaded model with the digest of its files."""

    @property
    def digest(self) -> str:
        """SHA-256 in lower-case hexadecimal."""


class Inference(Protocol):
    """Runs the models of one model repository."""

    async def start(self) -> None:
        """Load and warm up every model; raises `ModelInvalid` naming file and field."""

    def models(self) -> Mapping[str, LoadedModel]:
        """The loaded models by name."""

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch (first axis: items).

        `deadline` is an event loop time (`loop.time()`); a queued item whose deadline has passed,
        or whose caller was cancelled, is dropped without being run. Raises `InferenceFailed`,
        `DeadlinePassed`, `ModelUnknown` or, when the model's queue is full, `Overloaded`.
        """

    async def close(self) -> None:
        """Finish what is running and let go of the models."""


class Sandbox(Protocol):
    """Runs code over hostile bytes in processes that may be killed and replaced."""

    async def start(self) -> None: ...

    async def decode(self, content: bytes, media_type: str, *, deadline: float) -> DecodedPages:
        """Decode an image or PDF to pixels; raises `DocumentUnreadable` or `DeadlinePassed`."""

    async def isolate(
        self, function: Callable[..., Any], args: Sequence[Any], *, deadline: float
    ) -> Any:
        """Run a module-level function; raises what it raises, or `DocumentUnreadable` when the
        process dies or uses too much memory or time."""

    async def close(self) -> None: ...


class DecodedPages(Protocol):
    """Pages of pixels in memory shared with the process that decoded them."""

    @property
    def pages(self) -> Sequence[Page]: ...
    @property
    def frames(self) -> int: ...
    def release(self) -> None:
        """Let go of the shared memory; the pages must not be read after this."""


class Blobs(Protocol):
    """Keeps contents by their SHA-256 (lower-case hexadecimal), each once.

    All raise `StoreUnavailable` when the store cannot be reached.
    """

    async def put(self, digest: str, content: bytes) -> None:
        """Keep a content; it is durable once this returns. Putting what is there is cheap."""

    async def get(self, digest: str) -> bytes:
        """The whole content; raises `DocumentNotFound`."""
