"""A suite that any checker must pass; subclass it in a test module.

    class TestWatermark(CheckerConformance):
        checker = WatermarkChecker
        samples = {"marked": MARKED_PNG, "plain": PLAIN_PNG}

        def open(self):
            return open_harness(WatermarkChecker)      # from absah_server.harness

`open` starts the checker with the models it needs; it is started once for the class. Each test
checks one promise that the platform relies on, and its name says which.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pydantic
import pytest

from absah_sdk.checking import Checker, Finding, Outcome, Result

MARKER = "qx7SecretMarkerZW"
ENDED_WELL = (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
BROKEN_FILES = {
    "truncated JPEG": bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043"),
    "truncated PNG": bytes.fromhex("89504e470d0a1a0a0000000d49484452000000100000001008020000"),
    "PDF without pages": b"%PDF-1.7\n%%EOF\n",
    "text of controls": ("\u202e\u200b\ufeff" * 50).encode(),
}


class HarnessResult(Protocol):
    """A check that ended."""

    @property
    def result(self) -> Result: ...


class Harness(Protocol):
    """Runs the checker as a server would."""

    async def check(
        self, content: bytes | str, *, timeout_seconds: float | None = None
    ) -> HarnessResult: ...


@dataclass(frozen=True, slots=True)
class Bench:
    """An open harness and the event loop that it lives in."""

    runner: asyncio.Runner
    harness: Harness

    def check(self, content: bytes | str) -> Result:
        return self.runner.run(self.harness.check(content)).result


class CheckerConformance:
    """The promises that every checker keeps."""

    checker: ClassVar[type[Checker]]
    samples: ClassVar[Mapping[str, bytes | str]]
    """Documents that it can check, each a file's bytes or a text."""

    def open(self) -> AbstractAsyncContextManager[Harness]:
        """Start the checker; called once for the class."""
        raise NotImplementedError("open() must start the checker, see the module's docstring")

    @pytest.fixture(scope="class")
    @classmethod
    def bench(cls) -> Iterator[Bench]:
        with asyncio.Runner() as runner:
            opened = cls().open()
            harness = runner.run(opened.__aenter__())
            yield Bench(runner, harness)
            runner.run(opened.__aexit__(None, None, None))

    def test_it_describes_itself(self) -> None:
        kind = self.checker
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", kind.name), "name: a lower-case word"
        assert re.fullmatch(r"\d+(\.\d+)*", kind.version), "version: numbers and dots"
        assert kind.title and "\n" not in kind.title, "title: one line"
        assert kind.capabilities.media_types, "media_types: at least one pattern"
        assert all("/" in pattern for pattern in kind.capabilities.media_types)
        assert kind.name not in kind.capabilities.requires, "it cannot require itself"
        assert kind.capabilities.timeout_seconds > 0
        assert kind.capabilities.weight > 0

    def test_it_needs_no_settings_and_refuses_unknown_ones(self) -> None:
        self.checker.settings_type()
        with pytest.raises(pydantic.ValidationError):
            self.checker.settings_type.model_validate({"no_such_setting": 1})

    def test_it_answers_its_samples(self, bench: Bench) -> None:
        for name, content in self.samples.items():
            result = bench.check(content)
            assert result.outcome in ENDED_WELL, f"{name} ended as {result.outcome}"
            verify_result(result)

    def test_the_same_document_gets_the_same_answer(self, bench: Bench) -> None:
        for content in self.samples.values():
            assert bench.check(content) == bench.check(content)

    def test_documents_at_once_do_not_mix(self, bench: Bench) -> None:
        alone = {name: bench.check(content) for name, content in self.samples.items()}

        async def together() -> list[HarnessResult]:
            return await asyncio.gather(
                *(bench.harness.check(content) for content in self.samples.values() for _ in "123")
            )

        answers = [answer.result for answer in bench.runner.run(together())]
        for index, name in enumerate(self.samples):
            for answer in answers[3 * index : 3 * index + 3]:
                assert findings_alike(answer, alone[name]), f"{name} differs in company"

    def test_a_broken_file_harms_nothing(self, bench: Bench) -> None:
        sample = next(iter(self.samples.values()))
        before = bench.check(sample)
        for name, content in BROKEN_FILES.items():
            try:
                result = bench.check(content)
            except Exception as exc:
                assert type(exc).__module__.startswith("absah_"), f"{name}: {exc!r}"
            else:
                assert result.outcome in ENDED_WELL, f"{name} ended as {result.outcome}"
                verify_result(result)
        assert findings_alike(bench.check(sample), before)

    def test_it_works_on_after_a_cancelled_check(self, bench: Bench) -> None:
        sample = next(iter(self.samples.values()))
        before = bench.check(sample)

        async def cancelled() -> None:
            task = asyncio.ensure_future(bench.harness.check(sample))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])

        bench.runner.run(cancelled())
        assert findings_alike(bench.check(sample), before)

    def test_it_does_not_log_what_documents_hold(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        texts = [content for content in self.samples.values() if isinstance(content, str)]
        with caplog.at_level(logging.DEBUG):
            for text in texts:
                bench.check(f"{text}\n{MARKER} 3201011508950001")
            for content in self.samples.values():
                bench.check(content)
        assert MARKER not in caplog.text
        assert "3201011508950001" not in caplog.text


def verify_result(result: Result) -> None:
    """Assert that a result keeps the form that the contract promises."""
    assert result.score is None or 0 <= result.score <= 1, f"score {result.score}"
    json.dumps(_plain(result.facts), allow_nan=False)
    text = result.facts.get("text", "")
    for finding in result.findings:
        _verify_finding(finding, len(text))
    for artifact in result.artifacts:
        assert artifact.content, "an artifact has content"
        assert "/" in artifact.media_type


def _verify_finding(finding: Finding, text_length: int) -> None:
    assert finding.code, "a finding has a code"
    assert finding.confidence is None or 0 <= finding.confidence <= 1
    json.dumps(_plain(finding.attributes), allow_nan=False)
    if finding.region:
        box = finding.region.box
        assert finding.region.page >= 1
        assert 0 <= box.left <= box.left + box.width <= 1 + 1e-6
        assert 0 <= box.top <= box.top + box.height <= 1 + 1e-6
    if finding.span:
        assert 0 <= finding.span.start < finding.span.end <= text_length


def findings_alike(left: Result, right: Result) -> bool:
    """Whether two results say the same, up to a batch's rounding of numbers."""
    return (
        left.outcome == right.outcome
        and [f.code for f in left.findings] == [f.code for f in right.findings]
        and left.facts.get("text") == right.facts.get("text")
        and _near(left.score, right.score)
    )


def _near(left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return left is right
    return abs(left - right) < 0.01


def _plain(value: Any) -> Any:
    """Mappings and sequences of the kinds that JSON has."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
