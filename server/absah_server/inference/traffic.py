"""Lead each check to the version of a model that its rollout says, while versions come and go.

`Traffic` stands before any adapter that runs versions side by side. A check keeps the version
that it met first, so that a change in its midst mixes no two; a version that the rollout names no
longer is unloaded when the last check that met it has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import types
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absah_sdk import AbsahError
from absah_sdk.checking import Array
from absah_server.core.errors import ModelInUse, ModelUnknown, RolloutRefused
from absah_server.core.models import Change, Mode, Rollout
from absah_server.core.ports import LoadedModel
from absah_server.inference import rollout
from absah_server.inference.rollout import Stamp
from absah_server.inference.shadowing import Shadow
from absah_server.inference.versions import Key, VersionedInference

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often the rollouts are looked at for changes."""
_UNLOAD_LOOK_SECONDS = 0.02
_NO_PINS: Mapping[str, str] = types.MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    """Where the checks of one model are led now."""

    rollout: Rollout
    shadow: Shadow | None
    stamp: Stamp
    problem: str = ""


class Traffic:
    """The models as the core uses them; satisfies `core.ports.ModelTraffic`.

    `pins` are versions that answer whatever the rollouts say. `draw` gives numbers from 0 to 1.
    `loaded` is told when versions were loaded, `followed` when a changed file was followed.
    """

    def __init__(
        self,
        inner: VersionedInference,
        repository: Path,
        *,
        pins: Mapping[str, str] = _NO_PINS,
        draw: Callable[[], float] = random.random,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.inner = inner
        self._repository = repository
        self._pins = pins
        self._draw = draw
        self._look_seconds = look_seconds
        self._lines: dict[str, _Line] = {}
        self._met: Counter[Key] = Counter()
        self._leaving: set[Key] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self.loaded: Callable[[], object] = lambda: None
        self.followed: Callable[[str, Rollout], Coroutine[Any, Any, None]] | None = None

    async def start(self) -> None:
        """Start the adapter, lead checks to its models, and look for changed rollouts."""
        await self.inner.start()
        for model, loaded in self.inner.models().items():
            self._lines[model] = _Line(
                rollout=Rollout(current=loaded.version), shadow=None, stamp=None
            )
            await self._look_at(model)
        self._keep(self._look())

    def models(self) -> Mapping[str, LoadedModel]:
        """The current version of each model."""
        versions = self.inner.versions()
        return {model: versions[model, line.rollout.current] for model, line in self._lines.items()}

    def rollouts(self) -> Mapping[str, Rollout]:
        """What each model's checks are led by now."""
        return {model: line.rollout for model, line in self._lines.items()}

    def problems(self) -> Mapping[str, str]:
        """What is wrong with models that are not served, or whose rollout cannot be followed."""
        found = {error.model: str(error) for error in self.inner.errors}
        found |= {model: line.problem for model, line in self._lines.items() if line.problem}
        return found

    def shadow(self, model: str) -> Shadow | None:
        """The trial in shadow mode; raises `ModelUnknown`."""
        return self._line(model).shadow

    @contextlib.contextmanager
    def use(self) -> Iterator[Use]:
        """The models for the length of one check."""
        use = Use(self)
        try:
            yield use
        finally:
            self._ended(use)

    async def infer(
        self, model: str, inputs: Mapping[str, Array], *, deadline: float
    ) -> Mapping[str, Array]:
        """Run one batch as a check of its own; see `core.ports.Inference.infer`."""
        with self.use() as use:
            return await use.infer(model, inputs, deadline=deadline)

    async def load(self, model: str, version: str | None = None) -> LoadedModel:
        """Load a version beside the others; a model that was not served is, from now on.

        Raises `ModelUnknown` or `ModelInvalid`.
        """
        async with self._changing:
            loaded = await self.inner.load(model, version)
            self._leaving.discard((model, loaded.version))
            is_new = model not in self._lines
            if is_new:
                self._lines[model] = _Line(
                    rollout=Rollout(current=loaded.version), shadow=None, stamp=None
                )
        if is_new:
            await self._look_at(model)
        self.loaded()
        return loaded

    async def unload(self, model: str, version: str) -> None:
        """Unload a version that the rollout does not name, when what it was asked is answered.

        Raises `ModelUnknown`, or `ModelInUse` where the rollout names it.
        """
        async with self._changing:
            if (model, version) not in self.inner.versions():
                raise ModelUnknown(model=f"{model}@{version}")
            if version in self._line(model).rollout.versions():
                raise ModelInUse(model=model, version=version)
            self._leave((model, version))
        while (model, version) in self.inner.versions():
            if version in self._line(model).rollout.versions():
                raise ModelInUse(model=model, version=version)  # a rollout named it meanwhile
            await asyncio.sleep(_UNLOAD_LOOK_SECONDS)

    async def set_rollout(self, model: str, wanted: Rollout, change: Change) -> None:
        """Follow a rollout and write it beside the model.

        Raises `ModelUnknown`, `ModelInvalid` (nothing is changed then), `RolloutRefused` where a
        version is pinned, or OSError.
        """
        if model in self._pins:
            raise RolloutRefused(
                model=model, problem=f"inference.pins holds version {self._pins[model]} here"
            )
        directory = self._repository / model
        async with self._changing:
            before = self._line(model).rollout
            await self._follow(model, wanted, None)
            try:
                await asyncio.to_thread(rollout.write, directory, wanted, change)
            except BaseException:
                await self._follow(model, before, None)
                raise
            self._stamped(model, await asyncio.to_thread(rollout.stamp, directory))
        self.loaded()

    async def close(self) -> None:
        """End the trials and close the adapter."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines.values():
            if line.shadow is not None:
                await line.shadow.close()
        await self.inner.close()

    def choose(self, model: str) -> str:
        """The version for a new check, which counts as met; raises `ModelUnknown`."""
        chosen = self._line(model).rollout
        version = chosen.current
        candidate = chosen.candidate
        if candidate and candidate.mode is Mode.CANARY and self._draw() < candidate.share:
            version = candidate.version
        self._met[model, version] += 1
        return version

    def _line(self, model: str) -> _Line:
        try:
            return self._lines[model]
        except KeyError as exc:
            raise ModelUnknown(model=model) from exc

    def _ended(self, use: Use) -> None:
        for key in use.versions.items():
            self._met[key] -= 1
            if not self._met[key]:
                del self._met[key]
                if key in self._leaving:
                    self._leave(key)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            for model in tuple(self._lines):
                try:
                    changed = await self._look_at(model)
                    if changed and self.followed is not None:
                        self._keep(self.followed(model, self._lines[model].rollout))
                except Exception:
                    log.exception("rollout not looked at", extra={"model": model})

    async def _look_at(self, model: str) -> bool:
        """Follow the rollout of a model if its file has changed, and tell whether it has.

        Never raises an `AbsahError`.
        """
        if model in self._pins:
            return False
        directory = self._repository / model
        stamp = await asyncio.to_thread(rollout.stamp, directory)
        if stamp == self._lines[model].stamp:
            return False
        async with self._changing:
            before = self._lines[model].rollout
            try:
                wanted = await asyncio.to_thread(rollout.read, directory)
                if wanted is not None:
                    await self._follow(model, wanted, stamp)
                else:
                    self._stamped(model, stamp)
            except AbsahError as exc:
                log.error("rollout not followed", extra={"model": model, "error": str(exc)})
                self._stamped(model, stamp, problem=str(exc))
                return False
            changed = self._lines[model].rollout != before
        self.loaded()
        return changed

    def _stamped(self, model: str, stamp: Stamp, problem: str = "") -> None:
        line = self._lines[model]
        self._lines[model] = _Line(
            rollout=line.rollout, shadow=line.shadow, stamp=stamp, problem=problem
        )

    async def _follow(self, model: str, wanted: Rollout, stamp: Stamp) -> None:
        """Load what the rollout names, lead checks there, and let go of what it named before."""
        line = self._lines[model]
        candidate = wanted.candidate
        shadowed = candidate if candidate and candidate.mode is Mode.SHADOW else None
        for version in wanted.versions():
            self._leaving.discard((model, version))
        # The candidate first: where it cannot be loaded, nothing has changed yet.
        if candidate is not None:
            await self.inner.load(model, candidate.version, background=shadowed is not None)
        await self.inner.load(model, wanted.current)
        keeps_shadow = line.shadow is not None and line.rollout == wanted
        shadow = line.shadow if keeps_shadow else None
        if shadowed is not None and shadow is None:
            shadow = Shadow(
                functools.partial(self._run, f"{model}@{shadowed.version}"),
                model=model,
                current=wanted.current,
                candidate=shadowed.version,
                share=shadowed.share,
                draw=self._draw,
            )
        self._lines[model] = _Line(rollout=wanted, shadow=shadow, stamp=stamp)
        if line.shadow is not None and not keeps_shadow:
            await line.shadow.close()
        for version in line.rollout.versions() - wanted.versions():
            self._leave((model, version))
        if wanted != line.rollout:
            log.info(
                "rollout changed",
                extra={
                    "model": model,
                    "current": wanted.current,
                    "candidate": candidate.version if candidate else "",
                },
            )

    async def _run(
        self, address: str, inputs: Mapping[str, Array], deadline: float
    ) -> Mapping[str, Array]:
        return await self.inner.infer(address, inputs, deadline=deadline)

    def _leave(self, key: Key) -> None:
        """Unload a version now, or when the last check that met it ends."""
        self._leaving.add(key)
        if not self._met[key]:
            del self._met[key]
            self._keep(self._unload(key))

    async def _unload(self, key: Key) -> None:
        if key not in self._leaving or self._met.get(key):
            return
        self._leaving.discard(key)
        with contextlib.suppress(ModelUnknown):  # somebody else was quicker
            await self.inner.unload(*key)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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
