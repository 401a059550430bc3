"""A version's files are compared with the digests that its manifest lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from integration.inference.drawing import draw_double

from absah_ops.models import verify
from absah_server.core.errors import ModelInvalid
from absah_server.inference import manifest, repository


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A sealed model with labels."""
    draw_double(tmp_path)
    folder = tmp_path / "double"
    (folder / "labels.txt").write_text("one\ntwo\n")
    (stored,) = repository.read_model(folder)
    verify.seal(stored, {"source": "drawn"})
    return folder


def refusal(folder: Path) -> ModelInvalid:
    with pytest.raises(ModelInvalid) as caught:
        repository.read_model(folder)
    return caught.value


def test_a_sealed_model_is_read_with_its_card(model: Path) -> None:
    (stored,) = repository.read_model(model)
    assert stored.manifest is not None
    assert stored.manifest.card["source"] == "drawn"
    assert set(stored.manifest.files) == {"1/model.onnx", "labels.txt"}


def test_the_digest_of_a_model_does_not_depend_on_its_manifest_or_rollout(model: Path) -> None:
    (sealed,) = repository.read_model(model)
    manifest.path(model, "1").unlink()
    (model / "rollout.json").write_text('{"current": "1"}')
    (bare,) = repository.read_model(model)
    assert bare.digest == sealed.digest
    assert bare.manifest is None


@pytest.mark.parametrize("name", ["1/model.onnx", "labels.txt"])
def test_a_changed_file_is_named(model: Path, name: str) -> None:
    file = model / name
    file.write_bytes(file.read_bytes() + b"\n")
    error = refusal(model)
    assert (error.file, error.field) == (str(file), "sha256")
    assert "--write" in error.hint


def test_a_missing_file_is_named(model: Path) -> None:
    (model / "labels.txt").unlink()
    error = refusal(model)
    assert error.file == str(model / "labels.txt")
    assert "missing" in error.problem


def test_the_config_may_be_tuned(model: Path) -> None:
    config = model / "config.pbtxt"
    config.write_text(config.read_text().replace("max_batch_size: 8", "max_batch_size: 16"))
    (stored,) = repository.read_model(model)
    assert stored.config.max_batch_size == 16


def test_a_file_beside_that_the_manifest_does_not_list_is_told(model: Path) -> None:
    (model / "labels.id.txt").write_text("satu\ndua\n")
    (stored,) = repository.read_model(model)
    assert stored.manifest is not None
    assert manifest.unlisted(stored.manifest, stored.files) == ("labels.id.txt",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": 2}, "format"),
        ({"model": "other"}, "model"),
        ({"version": "2"}, "version"),
        ({"files": {}}, "files"),
        ({"files": {"labels.txt": "abc"}}, "files['labels.txt']"),
        ({"card": []}, "card"),
    ],
)
def test_a_manifest_with_a_mistake_is_told_with_its_field(
    model: Path, change: dict[str, Any], field: str
) -> None:
    file = manifest.path(model, "1")
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    error = refusal(model)
    assert (error.file, error.field) == (str(file), field)


def test_a_manifest_that_is_no_json_is_told(model: Path) -> None:
    manifest.path(model, "1").write_text("{")
    assert "cannot be read" in refusal(model).problem


def test_sealing_again_keeps_the_facts_of_the_card(model: Path) -> None:
    (model / "labels.txt").write_text("three\n")
    (stored,) = repository.read_model(model, trusting=True)
    verify.seal(stored, {"licence": "MIT"})
    (again,) = repository.read_model(model)
    assert again.manifest is not None
    assert again.manifest.card["source"] == "drawn"
    assert again.manifest.card["licence"] == "MIT"
