"""Answer a check from an earlier one that depended on the same, so that nothing is inferred twice.

The key of a result is SHA-256 over all that it can depend on: the tenant, the checker's name,
version and settings, its models by their digests, the document by its digest, role and media type,
the claims if the checker reads them, the results that it builds on by their keys, and what the
server adds to all of it (its version, how it decodes and runs models). Keys therefore need no
result, and those of a whole plan are looked up in one query.

A cache never harms: where the store is out of reach, or slow, checks run as without it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from absah_sdk import Form, Outcome
from absah_server.core import submission
from absah_server.core.errors import StoreUnavailable
from absah_server.core.planning import Key, Plan, Step
from absah_server.core.ports import LoadedModel, ResultCache
from absah_server.core.validation import UNREADABLE, CheckResult

log = logging.getLogger(__name__)
FIND_SECONDS = 0.5
"""A store that takes longer to answer is not waited for."""
OUTCOMES = (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reuse:
    """Finds and keeps results. `environment` is what the server adds to every key, as text."""

    cache: ResultCache
    environment: str

    async def begin(
        self,
        plan: Plan,
        *,
        tenant: str,
        claims: Mapping[str, Any],
        models: Mapping[str, LoadedModel],
        deadline: float,
    ) -> Reused:
        """Look up all of a plan, for a little of the time until `deadline`, a loop time."""
        scope = _Scope(tenant=tenant, environment=self.environment, claims=claims, models=models)
        keys = scope.keys(plan)
        return Reused(
            cache=self.cache,
            tenant=tenant,
            keys=keys,
            found=await self._find(set(keys.values()), deadline) if keys else {},
            digests={name: model.digest for name, model in models.items()},
        )

    async def _find(self, keys: Collection[bytes], deadline: float) -> Mapping[bytes, CheckResult]:
        until = min(asyncio.get_running_loop().time() + FIND_SECONDS, deadline)
        try:
            async with asyncio.timeout_at(until):
                return await self.cache.find(keys)
        except (StoreUnavailable, TimeoutError):
            return {}
        except Exception:
            log.exception("cached results could not be read")
            return {}


class Reused:
    """What one run of a plan may take from the cache, and gives to it."""

    def __init__(
        self,
        *,
        cache: ResultCache,
        tenant: str,
        keys: Mapping[Key, bytes],
        found: Mapping[bytes, CheckResult],
        digests: Mapping[str, str],
    ) -> None:
        self._cache = cache
        self._tenant = tenant
        self._keys = keys
        self._found = found
        self._digests = digests
        self._unsound: set[Key] = set()

    def find(self, step: Step) -> CheckResult | None:
        """An earlier result of the same check on the same."""
        if self._unsound.intersection(step.requires):
            return None  # what it builds on came out by another model, or by chance
        key = self._keys.get(step.key)
        return self._found.get(key) if key else None

    def keep(self, step: Step, made: CheckResult) -> None:
        """A check has ended: keep its result if it would come out like this again."""
        as_keyed = all(self._digests.get(m.model) == m.digest for m in made.models)
        if not _is_sound(made) or not as_keyed or self._unsound.intersection(step.requires):
            self._unsound.add(step.key)
        elif key := self._keys.get(step.key):
            self._cache.keep(key, made, tenant=self._tenant, digest=step.document.digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scope:
    """What the keys of one run have in common."""

    tenant: str
    environment: str
    claims: Mapping[str, Any]
    models: Mapping[str, LoadedModel]

    def keys(self, plan: Plan) -> dict[Key, bytes]:
        """The keys of all that is worth being looked up."""
        worth = _worth(plan)
        keys: dict[Key, bytes] = {}
        if worth:
            for step in plan.steps:
                if key := self._key(step, keys):
                    keys[step.key] = key
        return {place: key for place, key in keys.items() if place in worth}

    def _key(self, step: Step, keys: Mapping[Key, bytes]) -> bytes | None:
        """None where a model is not loaded, or what it builds on has no key."""
        checker, document = step.checker, step.document
        if any(name not in self.models for name in checker.models):
            return None
        if any(required not in keys for required in step.requires):
            return None
        reads_claims = Form.CLAIMS in checker.capabilities.reads
        parts = {
            "tenant": self.tenant,
            "environment": self.environment,
            "checker": [checker.name, checker.version],
            "settings": checker.settings.model_dump(mode="json"),
            "models": {name: self.models[name].digest for name in checker.models},
            "document": [document.digest, document.role, document.media_type],
            # The same bytes may have been sent as text, or have been decoded to it.
            "text": _digest(document.text.encode(errors="surrogatepass"))
            if document.text is not None
            else None,
            "claims": dict(self.claims) if reads_claims else None,
            "requires": {name: keys[name, at].hex() for name, at in step.requires},
        }
        return hashlib.sha256(submission.canonical_json(parts)).digest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _worth(plan: Plan) -> set[Key]:
    """The checks that cost more than looking them up: they look at pixels, or run a model, or
    build on such a one, which is looked up anyway."""
    worth: set[Key] = set()
    for step in plan.steps:
        costly = step.checker.models or Form.PAGES in step.checker.capabilities.reads
        if costly or not worth.isdisjoint(step.requires):
            worth.add(step.key)
    return worth


def _is_sound(made: CheckResult) -> bool:
    """Whether the same check would come out like this again.

    What could not be read is left out: a limit, a lack of time or a worker that died may be why.
    """
    result = made.result
    read = all(finding.code != UNREADABLE for finding in result.findings)
    return result.outcome in OUTCOMES and made.fault is None and result.repeatable and read


class Recent:
    """The results of the last minutes in memory, before another cache.

    At most `max_results`, whose artifacts are at most `max_bytes` together.
    """

    def __init__(
        self,
        inner: ResultCache,
        *,
        max_results: int = 256,
        max_bytes: int = 64 * 2**20,
        max_age_seconds: float = 600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._max_results = max_results
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._held: OrderedDict[bytes, tuple[CheckResult, float]] = OrderedDict()
        self._bytes = 0

    async def find(self, keys: Collection[bytes]) -> Mapping[bytes, CheckResult]:
        """As `ResultCache.find`; asks the other cache only for what is not here."""
        self._drop_old()
        near = {key: self._held[key][0] for key in keys if key in self._held}
        for key in near:
            self._held.move_to_end(key)
        if not (missing := set(keys) - near.keys()):
            return near
        far = await self._inner.find(missing)
        for key, result in far.items():
            self._hold(key, result)
        return {**near, **far}

    def keep(self, key: bytes, result: CheckResult, *, tenant: str, digest: str) -> None:
        """As `ResultCache.keep`."""
        if key in self._held:
            return
        self._hold(key, result)
        self._inner.keep(key, result, tenant=tenant, digest=digest)

    def _hold(self, key: bytes, result: CheckResult) -> None:
        if key in self._held:  # by another who looked for it at the same time
            self._drop(key)
        self._held[key] = (result, self._clock())
        self._bytes += _artifact_bytes(result)
        while len(self._held) > self._max_results or self._bytes > self._max_bytes:
            self._drop(next(iter(self._held)))

    def _drop_old(self) -> None:
        latest = self._clock() - self._max_age_seconds
        for key in [key for key, (_, since) in self._held.items() if since < latest]:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        result, _ = self._held.pop(key)
        self._bytes -= _artifact_bytes(result)


def _artifact_bytes(result: CheckResult) -> int:
    return sum(len(artifact.content) for artifact in result.result.artifacts)
