"""An operator's own model comes into the repository, or is refused with what does not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
import pytest
from click.testing import CliRunner, Result
from integration.models import graphs

from absah_ops.main import main
from absah_server.core.models import Rollout
from absah_server.inference import repository, rollout
from absah_server.settings import Settings

CODES = ("--code", "PERSON=PER", "--code", "PLACE=LOC")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the shipped models, to which others may be added."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for model in Settings().inference.model_repository.iterdir():
        (folder / model.name).symlink_to(model)
    monkeypatch.setenv("ABSAH_INFERENCE__MODEL_REPOSITORY", str(folder))
    monkeypatch.setenv("ABSAH_PLUGINS", '["ocr", "entities", "objects"]')
    return folder


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """What an operator has: a detector and a token classifier with its tokenizer and labels."""
    folder = tmp_path / "given"
    graphs.draw_yolov8(folder / "detector.onnx", names={n: f"thing {n}" for n in range(80)})
    graphs.draw_ner(folder / "ner.onnx")
    graphs.draw_tokenizer(folder / "tokenizer.json")
    graphs.write_lines(folder / "labels.txt", graphs.NER_LABELS)
    graphs.write_lines(folder / "two.txt", ("one", "two"))
    graphs.write_lines(folder / "sample.txt", ("Budi Santoso di Padang",))
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["models", *map(str, arguments)])


def bring_ner(given: Path, *more: object, file: str = "ner.onnx", name: str = "our_ner") -> Result:
    return run(
        "import",
        given / file,
        *("--as", name, "--checker", "entities"),
        *("--tokenizer", given / "tokenizer.json", "--labels", given / "labels.txt"),
        *("--sample", given / "sample.txt", *CODES),
        *more,
    )


def test_a_detector_of_yolov8s_form_is_brought_with_all_that_its_checker_reads(
    models: Path, given: Path
) -> None:
    result = run("import", given / "detector.onnx", "--as", "ours", "--checker", "objects")
    assert result.exit_code == 0, result.output
    assert "thing" in result.output
    (stored,) = repository.read_model(models / "ours")
    assert stored.labels[79] == "thing 79"
    assert stored.config.max_batch_size == 0
    assert stored.config.outputs[0].dims == (1, 84, 8400)
    assert stored.parameters["absah.head"] == "yolov8"
    assert stored.parameters["absah.sizes"] == "640x640"
    assert stored.manifest is not None
    assert stored.manifest.card["source"] == "detector.onnx"
    card = (models / "ours" / "MODEL_CARD.md").read_text()
    assert stored.manifest.card["source_sha256"] in card
    assert run("verify", "ours").exit_code == 0


def test_a_token_classifier_of_berts_form_is_brought_and_finds_what_it_knows(
    models: Path, given: Path
) -> None:
    result = bring_ner(given)
    assert result.exit_code == 0, result.output
    assert "PER 'Budi Santoso', LOC 'Padang'" in result.output
    (stored,) = repository.read_model(models / "our_ner")
    ids = {key: stored.parameters[f"absah.{key}"] for key in ("bos", "eos", "pad", "unknown")}
    assert ids == {"bos": "2", "eos": "3", "pad": "0", "unknown": "1"}
    assert stored.parameters["absah.token_types"] == "true"
    decoder = json.loads((models / "our_ner" / "decoder.json").read_text())
    assert decoder["layers"] == [["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]]


def test_a_new_version_waits_and_a_worse_one_does_not_pass_the_gate(
    models: Path, given: Path, tmp_path: Path
) -> None:
    assert bring_ner(given).exit_code == 0
    graphs.draw_ner(given / "wrecked.onnx", wrecked=True)
    for file in ("wrecked.onnx", "ner.onnx"):
        result = run("import", given / file, "--as", "our_ner", "--sample", given / "sample.txt")
        assert result.exit_code == 0, result.output
    assert rollout.read(models / "our_ner") == Rollout(current="1")
    golden = tmp_path / "golden"
    lines = ("Budi\tB-PER", "Santoso\tI-PER", "di\tO", "Padang\tB-LOC")
    graphs.write_lines(golden / "test.txt", lines)

    refused = run("promote", "our_ner@2", "--golden", golden, "--canary", "0.1")
    assert refused.exit_code == 1
    assert "F1 1.0000" in refused.stdout
    assert "F1 0.0000" in refused.stdout
    assert "missed LOC 'Padang', PER 'Budi Santoso'" in refused.stdout
    assert "Refused" in refused.stderr
    graphs.write_lines(golden / "test.txt", ("Ani\tB-PER",))
    blind = run("promote", "our_ner@3", "--golden", golden)
    assert blind.exit_code == 1
    assert "compares nothing" in blind.stderr
    graphs.write_lines(golden / "test.txt", lines)
    usage = run("promote", "our_ner@2", "--golden", golden, "--force", " ")
    assert usage.exit_code == 2

    canary = run("promote", "our_ner@3", "--golden", golden, "--canary", "0.05")
    assert "candidate 3 in canary mode, 5 %" in canary.output
    assert "now version 1" in run("rollback", "our_ner").output
    promoted = run("promote", "our_ner@3", "--golden", golden)
    assert "now version 3 (before: 1)" in promoted.output
    assert "serves already" in run("promote", "our_ner@3", "--golden", golden).output
    shown = json.loads(run("show", "our_ner", "--json").stdout)
    assert shown["rollout"]["words"] == "version 3 (before: 1)"
    assert [change["action"] for change in shown["history"]] == [
        "import",
        "canary",
        "rollback",
        "promote",
    ]
    assert [version["version"] for version in shown["versions"]] == ["1", "2", "3"]


def shape_of_input(given: Path) -> None:
    model = onnx.load(given / "detector.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    onnx.save(model, given / "detector.onnx")


def nothing(given: Path) -> None:
    """The files as they are."""


def truncated(given: Path) -> None:
    file = given / "detector.onnx"
    file.write_bytes(file.read_bytes()[:-1000])


def odd_labels(given: Path) -> None:
    graphs.write_lines(given / "labels.txt", ("O", "B-PERSON", "PERSON", "B-PLACE", "I-PLACE"))


def inside_without_begin(given: Path) -> None:
    graphs.write_lines(given / "labels.txt", ("O", "B-PERSON", "I-ORG", "B-PLACE", "I-PLACE"))


def without_special_pieces(given: Path) -> None:
    graphs.draw_tokenizer(given / "tokenizer.json", ("[UNK]", "budi"))


DETECTOR = ("detector.onnx", "--checker", "objects")
NER = ("ner.onnx", "--checker", "entities", "--tokenizer", "tokenizer.json")


@pytest.mark.parametrize(
    ("damage", "arguments", "told"),
    [
        (nothing, (*DETECTOR, "--labels", "two.txt"), r"\(84, 8400\), not of 6 rows"),
        (nothing, (*DETECTOR, "--head", "yolox"), r"head yolox.*not of \(8400, 85\)"),
        (nothing, (*DETECTOR, "--head", "yolo99"), "one of nanodet, yolov8, yolox"),
        (nothing, (*DETECTOR, "--parameter", "absah.overlap=2"), r"parameter absah\.overlap"),
        (truncated, DETECTOR, "cannot be opened by ONNX Runtime"),
        (shape_of_input, DETECTOR, "cannot be opened|not \\[batch, 3"),
        (nothing, ("ner.onnx", "--checker", "objects"), "a detector takes one picture"),
        (nothing, NER, "--labels: is missing"),
        (nothing, NER[:3], "--tokenizer: is missing"),
        (nothing, (*NER, "--labels", "two.txt"), "scores 5 labels, and the labels file has 2"),
        (nothing, ("detector.onnx", *NER[1:], "--labels", "labels.txt"), "'images'.*none of"),
        (odd_labels, (*NER, "--labels", "labels.txt"), "line 3: 'PERSON'"),
        (inside_without_begin, (*NER, "--labels", "labels.txt"), "I-ORG without B-ORG"),
        (without_special_pieces, (*NER, "--labels", "labels.txt"), r"none of \[CLS\]"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    models: Path,
    given: Path,
    damage: Callable[[Path], None],
    arguments: Sequence[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damage(given)
    monkeypatch.chdir(given)
    before = sorted(path.name for path in models.iterdir())
    file, *rest = arguments
    result = run("import", file, "--as", "ours", *rest)
    assert result.exit_code == 1, result.output
    assert re.search(told, result.output), result.output
    assert sorted(path.name for path in models.iterdir()) == before


def test_a_version_of_another_form_is_refused(models: Path, given: Path) -> None:
    assert bring_ner(given).exit_code == 0
    graphs.draw_ner(given / "three.onnx", labels=("O", "B-PERSON", "B-PLACE", "I-PERSON"))
    result = run("import", given / "three.onnx", "--as", "our_ner")
    assert result.exit_code == 1
    assert "output[0].dims" in result.output
    assert repository.versions_of(models / "our_ner") == ("1",)
    assert rollout.read(models / "our_ner") is None


def test_a_damaged_file_is_told_by_its_own_name(models: Path, given: Path) -> None:
    assert bring_ner(given).exit_code == 0
    (given / "half.onnx").write_bytes((given / "ner.onnx").read_bytes()[:-30])
    result = run("import", given / "half.onnx", "--as", "our_ner")
    assert result.exit_code == 1
    assert f"{given / 'half.onnx'}: cannot be opened" in result.output
    assert ".importing" not in result.output


@pytest.mark.parametrize("name", ["../ours", "Ours", "", ".hidden"])
def test_a_name_that_is_no_word_is_refused(models: Path, given: Path, name: str) -> None:
    result = run("import", given / "detector.onnx", "--as", name, "--checker", "objects")
    assert result.exit_code == 2


def verified(*arguments: Any) -> dict[str, Any]:
    result = run("verify", *arguments, "--json")
    line: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if line["problem"] else 0)
    return line


def test_verify_names_the_damaged_file_and_writes_what_is_accepted(
    models: Path, given: Path
) -> None:
    assert bring_ner(given).exit_code == 0
    assert verified("our_ner")["manifest"] == "yes"
    labels = models / "our_ner" / "labels.txt"
    labels.write_text(labels.read_text() + "B-MORE\n")
    line = verified("our_ner")
    assert str(labels) in line["problem"]
    assert "sha256" in line["problem"]
    assert verified("our_ner", "--write", "--card", "licence=MIT")["manifest"] == "written"
    assert verified("our_ner")["problem"] == ""
    shown = json.loads(run("show", "our_ner", "--json").stdout)
    assert shown["versions"][0]["card"]["licence"] == "MIT"


def test_the_models_that_ship_are_sealed(models: Path) -> None:
    lines = [json.loads(line) for line in run("verify", "--json").stdout.splitlines()]
    assert len(lines) == 6
    assert {(line["manifest"], line["problem"]) for line in lines} == {("yes", "")}
