"""A repository is read folder by folder: versions, labels, digests and mistakes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from absah_server.core.errors import ModelInvalid
from absah_server.inference.repository import read_model, read_repository


def make_model(
    repository: Path, name: str = "reader", *, versions: tuple[str, ...] = ("1",), more: str = ""
) -> Path:
    directory = repository / name
    for version in versions:
        (directory / version).mkdir(parents=True)
        (directory / version / "model.onnx").write_bytes(f"version {version}".encode())
    (directory / "config.pbtxt").write_text(
        'backend: "onnxruntime"\n'
        'input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]\n'
        f'output [ {{ name: "y" data_type: TYPE_FP32 dims: [ 1 ] }} ]\n{more}'
    )
    return directory


@pytest.mark.parametrize(
    ("policy", "loaded"),
    [
        ("", ["10"]),
        ("version_policy { latest { num_versions: 2 } }", ["9", "10"]),
        ("version_policy { specific { versions: [ 9, 2 ] } }", ["2", "9"]),
        ("version_policy { all { } }", ["2", "9", "10"]),
    ],
)
def test_the_version_policy_chooses_folders_by_number(
    tmp_path: Path, policy: str, loaded: list[str]
) -> None:
    directory = make_model(tmp_path, versions=("2", "9", "10", "011", "old", "12b"), more=policy)
    models = read_model(directory)
    assert [model.version for model in models] == loaded
    assert models[-1].file == directory / loaded[-1] / "model.onnx"


def test_a_version_that_the_policy_names_must_be_there(tmp_path: Path) -> None:
    policy = "version_policy { specific { versions: [ 1, 4 ] } }"
    with pytest.raises(ModelInvalid, match="version 4 has no folder") as caught:
        read_model(make_model(tmp_path, more=policy))
    assert caught.value.field == "version_policy.specific.versions"


def test_a_model_without_versions_is_refused(tmp_path: Path) -> None:
    directory = make_model(tmp_path)
    (directory / "1").rename(directory / "latest")
    with pytest.raises(ModelInvalid, match="no version folder"):
        read_model(directory)


def test_labels_are_the_lines_of_labels_txt_and_nothing_else_ends_a_line(tmp_path: Path) -> None:
    directory = make_model(tmp_path)
    (directory / "labels.txt").write_bytes("a\r\n \n\u3000\n\u2028\n\x85\nz\n".encode())
    assert read_model(directory)[0].labels == ("a", " ", "\u3000", "\u2028", "\x85", "z")


def test_a_config_may_name_its_labels(tmp_path: Path) -> None:
    directory = make_model(tmp_path)
    config = directory / "config.pbtxt"
    config.write_text(config.read_text().replace('name: "y"', 'name: "y" label_filename: "l.txt"'))
    with pytest.raises(ModelInvalid) as caught:
        read_model(directory)
    assert caught.value.field == "output.label_filename"
    (directory / "l.txt").write_text("cat\ndog")
    assert read_model(directory)[0].labels == ("cat", "dog")


def test_labels_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    directory = make_model(tmp_path)
    (directory / "labels.txt").write_bytes(b"a\nb\n\xff\n")
    with pytest.raises(ModelInvalid) as caught:
        read_model(directory)
    assert caught.value.field == "line 3"


def test_a_model_without_labels_has_none(tmp_path: Path) -> None:
    assert read_model(make_model(tmp_path))[0].labels == ()


def test_the_digest_is_that_of_sha256sums_listing(tmp_path: Path) -> None:
    directory = make_model(tmp_path, versions=("1", "2"))
    (directory / "tokenizer.json").write_text("{}")
    (directory / "MODEL_CARD.md").write_text("# Reader")
    model = read_model(directory)[0]
    listing = "".join(
        f"{hashlib.sha256((directory / path).read_bytes()).hexdigest()}  {path}\n"
        for path in ("2/model.onnx", "config.pbtxt", "tokenizer.json")
    )
    assert model.digest == hashlib.sha256(listing.encode()).hexdigest()


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("1/model.onnx", True),
        ("1/model.onnx.data", True),
        ("config.pbtxt", True),
        ("tokenizer.json", True),
        ("MODEL_CARD.md", False),
        ("2/model.onnx", False),
    ],
)
def test_the_digest_changes_with_what_can_change_answers(
    tmp_path: Path, path: str, changes: bool
) -> None:
    policy = "version_policy { specific { versions: [ 1 ] } }"
    directory = make_model(tmp_path, versions=("1", "2"), more=policy)
    before = read_model(directory)[0].digest
    with (directory / path).open("a") as file:
        file.write("\n")
    assert (read_model(directory)[0].digest != before) is changes


def test_a_version_folder_may_be_a_link(tmp_path: Path) -> None:
    directory = make_model(tmp_path / "repository")
    before = read_model(directory)[0]
    (directory / "1").rename(tmp_path / "elsewhere")
    (directory / "1").symlink_to(tmp_path / "elsewhere")
    assert read_model(directory)[0] == before


def test_a_bad_model_hides_no_other(tmp_path: Path) -> None:
    make_model(tmp_path, "good")
    make_model(tmp_path, "bad", more="nonsense: 1")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("Models")
    reading = read_repository(tmp_path)
    assert [model.name for model in reading.models] == ["good"]
    assert [error.model for error in reading.errors] == ["bad"]
