"""What operators do to the models of a running server, over its traffic and its repository."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from absah_server.core.audit import SERVER
from absah_server.core.auditing import Auditor
from absah_server.core.callers import Caller
from absah_server.core.errors import (
    ModelUnknown,
    RequestInvalid,
    RolloutRefused,
    StoreUnavailable,
)
from absah_server.core.models import (
    Change,
    ModelState,
    Rollout,
    ShadowReport,
    VersionState,
)
from absah_server.inference import repository
from absah_server.inference import rollout as rollout_file
from absah_server.inference.traffic import Traffic

log = logging.getLogger(__name__)


class RepositoryLife:
    """Satisfies `core.models.ModelLife`.

    A rollout that somebody wrote into the repository, past this server, is told to `auditor` when
    the server follows it.
    """

    def __init__(
        self, traffic: Traffic, directory: Path, *, auditor: Auditor | None = None
    ) -> None:
        self._traffic = traffic
        self._directory = directory
        self._auditor = auditor
        if auditor is not None:
            traffic.followed = self._followed

    def states(self) -> Sequence[ModelState]:
        """Every model by name, those too that are not served."""
        names = {*self._traffic.rollouts(), *self._traffic.problems()}
        return [self._state(name) for name in sorted(names)]

    def state(self, model: str) -> ModelState:
        """One model; raises `ModelUnknown`."""
        if model not in self._traffic.rollouts() and model not in self._traffic.problems():
            raise ModelUnknown(model=model)
        return self._state(model)

    async def load(self, model: str, version: str | None) -> None:
        """Load a version beside the others; raises `ModelUnknown` or `ModelInvalid`."""
        folder = self._named(model)
        if version is not None and version not in repository.versions_of(folder):
            raise ModelUnknown(model=f"{model}@{version}")
        await self._traffic.load(model, version)

    async def unload(self, model: str, version: str) -> None:
        """Unload a version; raises `ModelUnknown` or `ModelInUse`."""
        await self._traffic.unload(model, version)

    async def set_rollout(
        self, model: str, rollout: Rollout, change: Change, digests: Mapping[str, str]
    ) -> None:
        """Follow a rollout and write it down; see `core.models.ModelLife`."""
        folder = self._named(model)
        self._check(folder, rollout)
        await asyncio.to_thread(_compare_digests, folder, digests)
        self._compare_loaded(model, digests)
        await self._traffic.set_rollout(model, rollout, change)

    async def roll_back(self, model: str, change: Change) -> None:
        """Go back one step; raises `ModelUnknown`, `ModelInvalid` or `RolloutRefused`."""
        before = self._traffic.rollouts().get(model)
        if before is None:
            before = await asyncio.to_thread(_unserved_rollout, self._named(model))
        wanted = before and before.rolled_back()
        if wanted is None:
            raise RolloutRefused(
                model=model, problem="there is neither a candidate nor a previous version"
            )
        await self._traffic.set_rollout(model, wanted, change)

    def shadow_report(self, model: str) -> ShadowReport:
        """How the candidate agreed so far; raises `ModelUnknown` or `RolloutRefused`."""
        shadow = self._traffic.shadow(model)
        if shadow is None:
            raise RolloutRefused(model=model, problem="no version is on trial in shadow mode")
        return shadow.report()

    async def _followed(self, model: str, followed: Rollout) -> None:
        assert self._auditor is not None
        changes = await asyncio.to_thread(rollout_file.history, self._directory / model)
        why = changes[-1] if changes else {}
        details = followed.in_brief() | {
            "by": str(why.get("by", "")),
            "reason": str(why.get("reason", "")),
        }
        action = "model.rollout_followed"
        try:
            await self._auditor.operated(Caller(client=SERVER), action, f"models/{model}", details)
        except StoreUnavailable:
            log.error("action not audited", extra={"action": action, "model": model})

    def _state(self, model: str) -> ModelState:
        counted = {(s.model, s.version): s for s in self._traffic.inner.statistics()}
        loaded = sorted(
            (key for key in self._traffic.inner.versions() if key[0] == model),
            key=lambda key: int(key[1]),
        )
        versions = self._traffic.inner.versions()
        return ModelState(
            name=model,
            rollout=self._traffic.rollouts().get(model),
            versions=[
                VersionState(
                    version=key[1],
                    digest=versions[key].digest,
                    engine=counted[key].engine if key in counted else "triton",
                    statistics=counted.get(key),
                )
                for key in loaded
            ],
            problem=self._traffic.problems().get(model, ""),
        )

    def _named(self, model: str) -> Path:
        """The folder of a model; a name that is a path is unknown, not a way out of the folder."""
        folder = self._directory / model
        if folder.parent != self._directory or model.startswith(".") or not _is_folder(folder):
            raise ModelUnknown(model=model)
        return folder

    def _compare_loaded(self, model: str, digests: Mapping[str, str]) -> None:
        """A version whose files were replaced goes on answering by the old ones."""
        loaded = self._traffic.inner.versions()
        for version, digest in digests.items():
            stale = loaded.get((model, version))
            if stale is not None and stale.digest != digest:
                raise RolloutRefused(
                    model=model,
                    problem=f"version {version} was loaded here when it was {stale.digest[:12]}…, "
                    f"and is {digest[:12]}… now; unload it and load it again, or start the server "
                    "anew where it answers",
                )

    def _check(self, folder: Path, rollout: Rollout) -> None:
        known = repository.versions_of(folder)
        if rollout.current not in known:
            raise RequestInvalid(("rollout.current", f"is no version; there are {_list(known)}"))
        # It may be gone from the repository, but what is written must be readable again.
        if rollout.previous is not None and not rollout_file.VERSION.fullmatch(rollout.previous):
            raise RequestInvalid(("rollout.previous", "is no version"))
        candidate = rollout.candidate
        if candidate is None:
            return
        if candidate.version not in known:
            raise RequestInvalid(
                ("rollout.candidate.version", f"is no version; there are {_list(known)}")
            )
        if candidate.version == rollout.current:
            raise RequestInvalid(("rollout.candidate.version", "is the current version"))
        if not 0 < candidate.share <= 1:
            raise RequestInvalid(("rollout.candidate.share", "must be above 0 and at most 1"))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no name of a file is so long
        return False


def _list(versions: Sequence[str]) -> str:
    return ", ".join(versions) or "none"


def _unserved_rollout(folder: Path) -> Rollout | None:
    """What was written of a model that is not served, whose current version is of no use then."""
    written = rollout_file.read(folder)
    return written and replace(written, candidate=None)


def _compare_digests(folder: Path, digests: Mapping[str, str]) -> None:
    for version, digest in digests.items():
        if version not in repository.versions_of(folder):
            raise RequestInvalid((f"sha256[{version!r}]", "is no version of the model"))
        (stored,) = repository.read_model(folder, versions=(version,))
        if stored.digest != digest:
            raise RolloutRefused(
                model=folder.name,
                problem=f"version {version} is {stored.digest[:12]}… here and was "
                f"{digest[:12]}… where it was measured",
            )
