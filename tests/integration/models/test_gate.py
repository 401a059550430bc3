"""From a candidate to a version that answers, by the command line, over the entities model.

The bad candidate is the model in static INT8, the good one the model with its weights widened to
float32; both are made of what ships.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from integration.models import candidates
from support import make_settings, running_server

import absah
from absah_ops import calling
from absah_ops.main import main
from absah_server import platform
from absah_server.core.models import Rollout
from absah_server.inference import rollout
from absah_server.settings import Settings

MODEL = "entities_ner"
TEXT = "Budi Santoso bertemu warga di Padang."


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both candidates' files."""
    folder = tmp_path_factory.mktemp("candidates")
    shipped = Settings().inference.model_repository / MODEL / "1" / "model.onnx"
    candidates.widen(shipped, folder / "good.onnx")
    candidates.quantize_statically(folder / "good.onnx", folder / "bad.onnx")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The shipped models, the entities model as a copy that may be changed."""
    shipped = Settings().inference.model_repository
    folder = tmp_path / "repository"
    folder.mkdir()
    for model in shipped.iterdir():
        if model.name != MODEL:
            (folder / model.name).symlink_to(model)
    copied = folder / MODEL
    shutil.copytree(shipped / MODEL, copied, ignore=shutil.ignore_patterns("1"))
    (copied / "1").symlink_to(shipped / MODEL / "1")
    return folder


@pytest.fixture(autouse=True)
def chosen(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands and servers use the repository, and of the plugins those that are needed."""
    monkeypatch.setenv("ABSAH_INFERENCE__MODEL_REPOSITORY", str(repository))
    monkeypatch.setenv("ABSAH_PLUGINS", '["ocr", "entities"]')


async def absah_(*arguments: str) -> Result:
    """Run a command as `absah` would, beside this event loop."""
    return await asyncio.to_thread(CliRunner().invoke, main, ["models", *arguments])


async def succeeded(*arguments: str) -> str:
    result = await absah_(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@contextlib.asynccontextmanager
async def serving(tmp_path: Path, **changes: object) -> AsyncIterator[str]:
    inference = Settings().inference.model_dump() | changes
    settings = make_settings(tmp_path, inference=inference, plugins=("ocr", "entities"))
    async with running_server(settings, platform.load_registry(settings)) as address:
        yield address


async def answered(client: absah.AsyncClient) -> tuple[str, set[str]]:
    """The version that read a text, and the codes that it found."""
    validation = await client.validate(checkers=["entities"], report=absah.Text(TEXT))
    result = next(r for r in validation.check_results if r.checker == "entities")
    return result.model_versions[0].version, {finding.code for finding in result.findings}


async def test_a_bad_candidate_is_refused_with_its_figures_unless_forced(
    repository: Path, drawn: Path
) -> None:
    await succeeded("import", str(drawn / "bad.onnx"), "--as", MODEL)
    refused = await absah_("promote", f"{MODEL}@2", "--json")
    assert refused.exit_code == 1, refused.output
    told: dict[str, Any] = json.loads(refused.stdout)
    assert told["metric"] == "F1"
    assert told["candidate"]["figure"] < told["current"]["figure"] - told["tolerance"]
    assert told["passed"] is told["promoted"] is False
    assert "missed" in told["worst"][0]["candidate"]
    assert rollout.read(repository / MODEL) == Rollout(current="1")

    output = await succeeded("promote", f"{MODEL}@2", "--force", "the old one is unlawful")
    assert "Forced: F1 is worse by" in output
    assert rollout.read(repository / MODEL) == Rollout(current="2", previous="1")
    change = rollout.history(repository / MODEL)[-1]
    assert change["reason"] == "forced: the old one is unlawful"
    assert change["figures"]["version 2"] < change["figures"]["version 1"]


async def test_a_good_candidate_is_shadowed_promoted_and_rolled_back_under_live_requests(
    repository: Path, drawn: Path, tmp_path: Path
) -> None:
    async with serving(tmp_path) as address, absah.AsyncClient(address) as client:
        seen: list[tuple[str, frozenset[str]]] = []
        ended = asyncio.Event()

        async def ask() -> None:
            while not ended.is_set():
                version, codes = await answered(client)
                seen.append((version, frozenset(codes)))

        asking = asyncio.create_task(ask())
        assert "Version 1 goes on serving" in await succeeded(
            "import", str(drawn / "good.onnx"), "--as", MODEL
        )
        await succeeded("shadow", "start", f"{MODEL}@2", "--share", "1", "--server", address)
        async with asyncio.timeout(60):
            while True:
                told = await succeeded("shadow", "report", MODEL, "--server", address, "--json")
                report = json.loads(told)
                if int(report["compared"]) >= 3:
                    break
                await asyncio.sleep(0.1)
        (output,) = report["outputs"]
        assert output["same_argmax"] > 0.95
        promoted = await succeeded("promote", f"{MODEL}@2", "--server", address)
        assert "F1" in promoted
        assert "now version 2 (before: 1)" in promoted
        assert (await answered(client))[0] == "2"
        assert "now version 1 (before: 2)" in await succeeded(
            "rollback", MODEL, "--server", address, "--reason", "a test"
        )
        assert (await answered(client))[0] == "1"
        ended.set()
        await asking
        # Nobody was refused, nobody was answered otherwise.
        assert {version for version, _ in seen} == {"1", "2"}
        assert {codes for _, codes in seen} == {frozenset({"PER", "LOC"})}
        changes = rollout.history(repository / MODEL)
        assert [each["action"] for each in changes] == ["import", "shadow", "promote", "rollback"]
        assert "F1" in changes[2]["reason"]
        assert changes[3]["reason"] == "a test"


async def test_a_servers_own_rollout_is_changed_and_not_what_lies_here(
    repository: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await succeeded("import", str(drawn / "good.onnx"), "--as", MODEL)
    theirs = tmp_path / "theirs"
    shutil.copytree(repository, theirs, symlinks=True)
    async with serving(tmp_path, model_repository=theirs) as address:
        await succeeded("promote", f"{MODEL}@2", "--force", "a test", "--server", address)
        await succeeded("shadow", "start", f"{MODEL}@3", "--server", address)
        now = rollout.read(theirs / MODEL)
        assert now is not None
        assert (now.current, now.previous) == ("2", "1")
        assert rollout.read(repository / MODEL) == Rollout(current="1")
        history = rollout.history(theirs / MODEL)
        assert [change["action"] for change in history] == ["import", "promote", "shadow"]
        assert {change["by"] for change in history} == {calling.login()}
        await succeeded("shadow", "stop", MODEL, "--server", address)
        assert rollout.read(theirs / MODEL) == Rollout(current="2", previous="1")
