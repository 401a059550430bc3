"""Run one checker as the server would, without a server: for `absah check`, tests and authors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from absah_sdk import AbsahError, Checker
from absah_server import platform
from absah_server.core import planning, registry, submission
from absah_server.core.policy_file import Policies
from absah_server.core.submission import Attachment
from absah_server.core.validation import CheckResult
from absah_server.inference.invalid import OnInvalid
from absah_server.settings import Settings


class Harness:
    """A started checker with the models and the sandbox that it needs."""

    def __init__(self, checker: str, settings: Settings, parts: platform.Platform) -> None:
        self._checker = checker
        self._settings = settings
        self._registry = parts.registry
        self._runner = parts.runner
        self._door = platform.validator(settings, parts, Policies([]))

    async def check(
        self,
        content: bytes | str,
        *,
        filename: str = "",
        claims: Mapping[str, Any] | None = None,
        timeout_seconds: float | None = None,
    ) -> CheckResult:
        """Check one file's bytes, or a text.

        Raises `LimitExceeded` or `RequestInvalid` as a server would, and `AbsahError` for a media
        type that the checker does not take.
        """
        attachment = (
            Attachment(role="document", filename=filename, text=content)
            if isinstance(content, str)
            else Attachment(role="document", filename=filename, content=content)
        )
        request = submission.Submission(checkers=(self._checker,), attachments=(attachment,))
        submission.verify(request, self._door.limits)
        documents = submission.documents(
            [attachment], identify=self._door.identify, read_text=self._door.read_text
        )
        plan = planning.plan_checkers([self._checker], documents, self._registry)
        if not plan.steps:
            takes = ", ".join(self._registry.checker(self._checker).capabilities.media_types)
            raise AbsahError(f"{self._checker} takes {takes}; this is {documents[0].media_type}")
        seconds = timeout_seconds or self._settings.max_deadline_seconds
        results = await self._runner.run(
            plan,
            claims=claims or {},
            deadline=asyncio.get_running_loop().time() + seconds,
            condition=lambda step, results: True,
        )
        return next(result for result in results if result.checker == self._checker)


@asynccontextmanager
async def open_harness(
    checker: str | type[Checker], settings: Settings | None = None
) -> AsyncIterator[Harness]:
    """Start an installed checker by name, or a class that is not installed, and what it needs.

    Raises `CheckerNotFound`, `PluginInvalid` or `ModelInvalid`.
    """
    settings = settings or Settings()
    loaded = platform.load_registry(settings)
    if not isinstance(checker, str):
        fitted = checker.settings_type.model_validate(settings.checkers.get(checker.name, {}))
        own = registry.RegisteredChecker(checker=checker(fitted), plugin="")
        loaded = replace(loaded, checkers={**loaded.checkers, checker.name: own})
        checker = checker.name
    needed = loaded.with_requirements(checker)
    models = {model for each in needed.checkers.values() for model in each.checker.models}
    # It needs every one of them, so that there are no others to go on with.
    inference = settings.inference.model_copy(update={"on_invalid": OnInvalid.REFUSE})
    strict = settings.model_copy(update={"inference": inference})
    async with platform.opened(strict, needed, only=models) as parts:
        yield Harness(checker, settings, parts)
