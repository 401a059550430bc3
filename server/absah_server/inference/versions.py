"""What traffic needs of an adapter: versions of models that run side by side, and come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from absah_server.core.errors import ModelInvalid
from absah_server.core.ports import Inference, LoadedModel
from absah_server.inference.statistics import ModelStatistics

Key = tuple[str, str]
"""Name and version of a model."""


class VersionedInference(Inference, Protocol):
    """An adapter that runs versions side by side and is asked for them as "name@version"."""

    async def load(
        self, model: str, version: str | None = None, *, background: bool = False
    ) -> LoadedModel:
        """Load a version, None for the one that the repository says; what is loaded stays so.

        One in the background must not delay others. Raises `ModelUnknown` or `ModelInvalid`.
        """

    async def unload(self, model: str, version: str) -> None:
        """Let go of a version that nobody asks any more; raises `ModelUnknown`."""

    def versions(self) -> Mapping[Key, LoadedModel]:
        """Every loaded version."""

    def statistics(self) -> Sequence[ModelStatistics]:
        """What the loaded versions did, as far as the adapter counts."""

    @property
    def errors(self) -> Sequence[ModelInvalid]:
        """What keeps models from being served, where the others are served nevertheless."""
