"""What one check sees of the models, from its beginning to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from absah_sdk.checking import Array
from absah_server.core.ports import LoadedModel

if TYPE_CHECKING:
    from absah_server.inference.traffic import Traffic


class Use:
    """The models as one check sees them; satisfies `core.ports.ModelUse`."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.versions: dict[str, str] = {}

    def used(self) -> Mapping[str, LoadedModel]:
        """The versions that this check met, by model."""
        loaded = self._traffic.inner.versions()
        return {model: loaded[model, version] for model, version in self.versions.items()}

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch; see `core.ports.Inference.infer`."""
        version = self.versions.get(model)
        if version is None:
            version = self.versions[model] = self._traffic.choose(model)
        clock = asyncio.get_running_loop().time
        began = clock()
        outputs = await self._traffic.inner.infer(f"{model}@{version}", inputs, deadline=deadline)
        shadow = self._traffic.shadow(model)
        if shadow is not None and version == shadow.current:
            shadow.offer(inputs, outputs, clock() - began)
        return outputs
