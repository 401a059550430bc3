"""What the gate does where it cannot measure, and while others change the same model."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from integration.inference.drawing import draw_double
from integration.models import graphs
from support import TEXT_ONLY, make_settings, running_server

from absah_ops.main import main
from absah_ops.models.golden.splices import Tampering
from absah_sdk import Capabilities, CheckContext, Checker, Document, Form, Outcome
from absah_sdk import Result as CheckResult
from absah_server.core.models import Change, Rollout
from absah_server.inference import manifest, rollout
from absah_server.settings import Settings, model_repository

BIO = "Budi\tB-PER\nSantoso\tI-PER\ndi\tO\nPadang\tB-LOC\n"


class Doubled(Checker):
    """Uses the drawn model."""

    name = "doubled"
    version = "1.0"
    title = "Twice one"
    capabilities = Capabilities(
        media_types=TEXT_ONLY.media_types, reads=frozenset({Form.TEXT}), models=("double",)
    )

    async def check(self, document: Document, context: CheckContext) -> CheckResult:
        outputs = await context.infer("double", {"x": np.ones((1, 1), np.float32)})
        return CheckResult(outcome=Outcome.PASS, facts={"doubled": float(outputs["y"][0, 0])})


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository of the commands, with nothing in it yet."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.setenv("ABSAH_INFERENCE__MODEL_REPOSITORY", str(folder))
    return folder


@pytest.fixture
def ner(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tagger of which version 1 serves and version 2 is the same."""
    monkeypatch.setenv("ABSAH_PLUGINS", '["ocr", "entities"]')
    for shipped in model_repository().iterdir():
        (models / shipped.name).symlink_to(shipped)  # the checker needs those of others too
    given = tmp_path / "given"
    graphs.draw_ner(given / "ner.onnx")
    graphs.draw_tokenizer(given / "tokenizer.json")
    graphs.write_lines(given / "labels.txt", graphs.NER_LABELS)
    graphs.write_lines(given / "sample.txt", ("Budi Santoso di Padang",))
    sample = ("--sample", str(given / "sample.txt"))
    shape = ("--labels", str(given / "labels.txt"), "--tokenizer", str(given / "tokenizer.json"))
    codes = ("--code", "PERSON=PER", "--code", "PLACE=LOC")
    words = ("import", str(given / "ner.onnx"), "--as", "ours", *sample)
    for more in (("--checker", "entities", *shape, *codes), ()):
        result = run(*words, *more)
        assert result.exit_code == 0, result.output
    assert rollout.read(models / "ours") == Rollout(current="1")
    return models / "ours"


@pytest.fixture
def double(models: Path) -> Path:
    """A drawn model of three versions; 2 serves, and 1 did before."""
    for version in (1, 2, 3):
        draw_double(models, version=version)
    rollout.write(
        models / "double", Rollout(current="2", previous="1"), Change(action="set", by="a test")
    )
    return models / "double"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["models", *arguments])


@contextlib.asynccontextmanager
async def serving(tmp_path: Path) -> AsyncIterator[str]:
    settings = make_settings(tmp_path, inference=Settings().inference.model_dump())
    async with running_server(settings, (Doubled,)) as address:
        yield address


def truncate(model: Path, version: str) -> None:
    file = model / version / "model.onnx"
    file.write_bytes(file.read_bytes()[:-30])


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "without a manifest"])
def test_a_damaged_current_version_keeps_nobody_out_who_is_forced(ner: Path, sealed: bool) -> None:
    truncate(ner, "1")
    if not sealed:
        manifest.path(ner, "1").unlink()
    refused = run("promote", "ours@2")
    assert refused.exit_code == 1
    assert "model.onnx" in refused.stderr
    assert "--force" in refused.stderr
    assert rollout.read(ner) == Rollout(current="1")
    forced = run("promote", "ours@2", "--force", "the disk failed", "--json")
    assert forced.exit_code == 0, forced.output
    told: dict[str, Any] = json.loads(forced.stdout)
    assert (told["passed"], told["promoted"]) == (False, True)
    assert "version 1 is damaged" in told["not_measured"]
    assert rollout.read(ner) == Rollout(current="2", previous="1")
    change = rollout.history(ner)[-1]
    assert change["reason"].startswith("forced: the disk failed; not measured: version 1 is damage")
    assert change["figures"] == {}


def test_a_damaged_candidate_is_refused_though_it_is_forced(ner: Path) -> None:
    truncate(ner, "2")
    assert run("promote", "ours@2", "--force", "a test").exit_code == 1
    assert rollout.read(ner) == Rollout(current="1")


async def test_a_rollback_made_while_the_gate_measures_is_not_undone(
    ner: Path, tmp_path: Path
) -> None:
    golden = tmp_path / "golden"
    golden.mkdir()
    os.mkfifo(golden / "test.txt")
    words = ("promote", "ours@2", "--golden", str(golden), "--json")
    promoting = asyncio.create_task(asyncio.to_thread(run, *words))
    meanwhile = Rollout(current="1", previous="2")

    def rolled_back() -> None:
        # Opened as soon as the gate reads it, and so after it has looked at the rollout.
        with (golden / "test.txt").open("w") as pipe:
            rollout.write(ner, meanwhile, Change(action="rollback", by="ani"))
            pipe.write(BIO)

    await asyncio.to_thread(rolled_back)
    result = await promoting
    assert result.exit_code == 1, result.output
    assert "was changed while the versions were measured" in result.stderr
    assert "version 1 (before: 2)" in result.stderr
    assert result.stdout == ""  # and nothing says that it was promoted
    assert rollout.read(ner) == meanwhile


@pytest.mark.parametrize(
    "words",
    [
        ("promote", "double@3", "--canary", "nan"),
        ("promote", "double@3", "--tolerance", "nan"),
        ("shadow", "start", "double@3", "--share", "nan"),
    ],
)
def test_what_is_no_number_is_wrong_usage(double: Path, words: Sequence[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "is no finite number" in result.stderr
    assert rollout.read(double) == Rollout(current="2", previous="1")


async def test_one_step_back_is_possible_where_the_server_serves_no_version(
    double: Path, tmp_path: Path
) -> None:
    truncate(double, "2")
    async with serving(tmp_path) as address:
        words = ("rollback", "double", "--server", address)
        result = await asyncio.to_thread(run, *words)
        assert result.exit_code == 0, result.output
        assert "now version 1 (before: 2)" in result.stdout
        assert rollout.read(double) == Rollout(current="1", previous="2")


async def test_a_good_version_can_be_forced_on_a_server_that_serves_none(
    double: Path, tmp_path: Path
) -> None:
    truncate(double, "2")
    async with serving(tmp_path) as address:
        words = ("promote", "double@3", "--server", address)
        result = await asyncio.to_thread(run, *words)
        assert result.exit_code == 1
        assert "does not serve double" in result.stderr
        result = await asyncio.to_thread(run, *words, "--force", "the disk failed")
        assert result.exit_code == 0, result.output
        assert "now version 3 (before: 2)" in result.stdout
        assert rollout.read(double) == Rollout(current="3", previous="2")


@pytest.fixture
def localizer(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model that finds pasted parts, twice, and settings without heatmaps."""
    monkeypatch.setenv("ABSAH_PLUGINS", '["authenticity"]')
    monkeypatch.setenv("ABSAH_CHECKERS", '{"authenticity": {"heatmap": false}}')
    shipped = model_repository() / "splice_localizer"
    folder = models / "splice_localizer"
    folder.mkdir()
    for path in shipped.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "2").mkdir()
    (folder / "2" / "model.onnx").symlink_to(shipped / "1" / "model.onnx")
    rollout.write(folder, Rollout(current="1"), Change(action="set", by="a test"))
    return folder


def write_spliced(golden: Path, content: bytes, mask: np.ndarray[Any, Any]) -> None:
    for name in ("spliced", "masks"):
        (golden / name).mkdir(parents=True)
    (golden / "spliced" / "a.jpg").write_bytes(content)
    cv2.imwrite(str(golden / "masks" / "a.png"), mask.astype(np.uint8) * 255)


def test_the_gate_draws_the_heatmaps_that_it_measures(localizer: Path, tmp_path: Path) -> None:
    case = Tampering().cases(None)[0]
    write_spliced(tmp_path / "golden", case.content, case.truth)
    result = run("promote", "splice_localizer@2", "--golden", str(tmp_path / "golden"), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["current"]["figure"] == told["candidate"]["figure"] != 0.5


def test_pictures_that_no_version_judges_pass_nobody(localizer: Path, tmp_path: Path) -> None:
    mask = np.zeros((12, 12), bool)
    mask[:3] = True
    too_small = np.zeros((12, 12, 3), np.uint8)
    content = np.asarray(cv2.imencode(".jpg", too_small)[1]).tobytes()
    write_spliced(tmp_path / "golden", content, mask)
    result = run("promote", "splice_localizer@2", "--golden", str(tmp_path / "golden"))
    assert result.exit_code == 1
    assert "came to no result on this golden set, which compares nothing" in result.stderr
    assert rollout.read(localizer) == Rollout(current="1")
