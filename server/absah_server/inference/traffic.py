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
from absah_server.inference.use import Use
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
    shadow: Shadow | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """A model's rollout file as it was last looked at, and why it is not followed."""

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
        self._seen: dict[str, _Seen] = {}
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
            self._lines[model] = _Line(rollout=Rollout(current=loaded.version))
            await self._look_at(model)
        # What cannot be served as it stands is, once its rollout says otherwise.
        for model in {error.model for error in self.inner.errors} - self._lines.keys():
            self._seen[model] = _Seen(stamp=rollout.stamp(self._repository / model))
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
        found |= {model: seen.problem for model, seen in self._seen.items() if seen.problem}
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

        Raises `ModelUnknown`, `ModelInvalid`, or `RolloutRefused` where that model is pinned to
        another version.
        """
        async with self._changing:
            is_new = model not in self._lines
            if is_new and version not in (None, self._pins.get(model, version)):
                raise self._pinned(model)
            loaded = await self.inner.load(model, version)
            self._leaving.discard((model, loaded.version))
            if is_new:
                self._lines[model] = _Line(rollout=Rollout(current=loaded.version))
                self._seen.pop(model, None)
        if is_new:
            await self._look_at(model)
        self.loaded()
        return loaded

    async def unload(self, model: str, version: str) -> None:
        """Unload a version that the rollout does not name, when what it was asked is answered.

        Raises `ModelUnknown`, or `ModelInUse` where the rollout names it or somebody loads it
        meanwhile.
        """
        async with self._changing:
            if (model, version) not in self.inner.versions():
                raise ModelUnknown(model=f"{model}@{version}")
            if version in self._line(model).rollout.versions():
                raise ModelInUse(model=model, version=version)
            self._leave((model, version))
        while (model, version) in self.inner.versions():
            if (model, version) not in self._leaving:
                raise ModelInUse(model=model, version=version)
            await asyncio.sleep(_UNLOAD_LOOK_SECONDS)

    async def set_rollout(self, model: str, wanted: Rollout, change: Change) -> None:
        """Follow a rollout and write it beside the model; one that was not served is, from now on.

        Raises `ModelUnknown`, `ModelInvalid`, or `RolloutRefused` where a version is pinned or the
        file cannot be written; nothing is changed then.
        """
        if model in self._pins:
            raise self._pinned(model)
        directory = self._repository / model
        async with self._changing:
            try:
                write = functools.partial(_write, directory, wanted, change)
                await self._follow(model, wanted, write)
            except AbsahError as exc:
                if model not in self._lines:
                    stamp = await asyncio.to_thread(rollout.stamp, directory)
                    self._seen[model] = _Seen(stamp=stamp, problem=str(exc))
                raise
            self._seen[model] = _Seen(stamp=await asyncio.to_thread(rollout.stamp, directory))
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

    def _pinned(self, model: str) -> RolloutRefused:
        held = self._pins[model]
        return RolloutRefused(model=model, problem=f"inference.pins holds version {held} here")

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
            for model in self._lines.keys() | self._seen.keys():
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
        seen = self._seen.get(model)
        if seen is not None and seen.stamp == stamp:
            return False
        async with self._changing:
            before = self.rollouts().get(model)
            try:
                wanted = await asyncio.to_thread(rollout.read, directory)
                if wanted is not None:
                    await self._follow(model, wanted)
            except AbsahError as exc:
                log.error("rollout not followed", extra={"model": model, "error": str(exc)})
                self._seen[model] = _Seen(stamp=stamp, problem=str(exc))
                return False
            self._seen[model] = _Seen(stamp=stamp)
            changed = self.rollouts().get(model) != before
        self.loaded()
        return changed

    async def _follow(
        self, model: str, wanted: Rollout, write: Callable[[], None] = lambda: None
    ) -> None:
        """Load what the rollout names, lead checks there, and let go of what it named before.

        `write` is called when all is loaded; where that or it fails, nothing is changed.
        """
        line = self._lines.get(model)
        staying = self.inner.versions().keys() - self._leaving
        try:
            await self._bring(model, wanted)
            await asyncio.to_thread(write)
        except BaseException:
            if line is not None:
                await self._bring(model, line.rollout)
            for version in wanted.versions() - (line.rollout.versions() if line else set()):
                if (model, version) not in staying:
                    self._leave((model, version))
            raise
        await self._lead(model, wanted)

    async def _bring(self, model: str, wanted: Rollout) -> None:
        """Load what the rollout names, a shadow in the background."""
        for version in wanted.versions():
            self._leaving.discard((model, version))
        candidate = wanted.candidate
        if candidate is not None:
            background = candidate.mode is Mode.SHADOW
            await self.inner.load(model, candidate.version, background=background)
        await self.inner.load(model, wanted.current)

    async def _lead(self, model: str, wanted: Rollout) -> None:
        line = self._lines.get(model)
        before = None if line is None else line.rollout
        old_shadow = None if line is None else line.shadow
        candidate = wanted.candidate
        shadowed = candidate if candidate and candidate.mode is Mode.SHADOW else None
        shadow = old_shadow if before == wanted else None
        if shadowed is not None and shadow is None:
            shadow = Shadow(
                functools.partial(self._run, f"{model}@{shadowed.version}"),
                model=model,
                current=wanted.current,
                candidate=shadowed.version,
                share=shadowed.share,
                draw=self._draw,
            )
        self._lines[model] = _Line(rollout=wanted, shadow=shadow)
        if old_shadow is not None and old_shadow is not shadow:
            await old_shadow.close()
        for version in (before.versions() if before else set()) - wanted.versions():
            self._leave((model, version))
        if wanted != before:
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
        try:
            with contextlib.suppress(ModelUnknown):  # somebody else was quicker
                await self.inner.unload(*key)
        finally:
            self._leaving.discard(key)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _write(directory: Path, wanted: Rollout, change: Change) -> None:
    try:
        rollout.write(directory, wanted, change)
    except OSError as exc:
        raise RolloutRefused(
            model=directory.name,
            problem=f"{rollout.path(directory)} cannot be written: {exc.strerror or exc}",
        ) from exc
