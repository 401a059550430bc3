"""Forms for processors become candidates: beside the version that serves, which stays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from integration.inference.drawing import draw_double, floats, save_graph, soon, write_config
from onnx import TensorProto, helper

from absah_ops.main import main
from absah_server.inference import manifest, rollout
from absah_server.inference.local import LocalInference
from absah_server.inference.repository import read_model


def command(repository: Path, *words: str) -> Result:
    env = {"ABSAH_INFERENCE__MODEL_REPOSITORY": str(repository)}
    return CliRunner().invoke(main, ["models", "build", *words], env=env)


def draw_product(repository: Path, *, size: int = 16) -> Path:
    """y = x · weights, for x of shape [items, size]."""
    weights = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
    constant = helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.ravel())
    file = repository / "product" / "1" / "model.onnx"
    save_graph(
        file,
        [
            helper.make_node("Constant", [], ["weights"], value=constant),
            helper.make_node("MatMul", ["x", "weights"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["items", size])],
        [("y", TensorProto.FLOAT, ["items", size])],
    )
    write_config(repository, "product", dims=f"[ {size} ]")
    return file


def test_an_openvino_candidate_does_not_serve_until_it_is_promoted(tmp_path: Path) -> None:
    draw_double(tmp_path)
    result = command(tmp_path, "double", "--target", "openvino", "--precision", "f32", "--json")
    assert result.exit_code == 0, result.output
    version = Path(json.loads(result.output)["version"])
    assert version == tmp_path / "double" / "2"
    assert json.loads((version / "runtime.json").read_text()) == {
        "engine": "openvino",
        "precision": "f32",
    }
    written = rollout.read(tmp_path / "double")
    assert written is not None
    assert written.current == "1"
    assert [model.version for model in read_model(tmp_path / "double")] == ["1"]
    made_of = manifest.read(tmp_path / "double", "2")
    assert made_of is not None
    assert made_of.card["source"] == "double@1"
    assert {"2/model.onnx", "2/runtime.json"} <= set(made_of.files)


async def test_a_candidate_is_executed_by_the_engine_it_was_built_for(tmp_path: Path) -> None:
    draw_double(tmp_path)
    assert command(tmp_path, "double", "--target", "openvino", "--precision", "f32").exit_code == 0
    inference = LocalInference(tmp_path, concurrent_runs=1)
    await inference.start()
    try:
        await inference.load("double", "2", background=True)
        engines = {s.version: s.engine for s in inference.statistics()}
        assert engines["2"] == "openvino"
        outputs = await inference.infer("double@2", floats(1, 2), deadline=soon())
        np.testing.assert_allclose(outputs["y"], [[2.0], [4.0]])
    finally:
        await inference.close()


async def test_dynamic_int8_answers_nearly_the_same(tmp_path: Path) -> None:
    draw_product(tmp_path)
    result = command(tmp_path, "product", "--target", "int8")
    assert result.exit_code == 0, result.output
    assert "absah models promote product@2" in result.output
    inference = LocalInference(tmp_path, engine="onnxruntime", concurrent_runs=1)
    await inference.start()
    try:
        await inference.load("product", "2")
        x = {"x": np.random.default_rng(1).random((2, 16), np.float32)}
        right = (await inference.infer("product@1", x, deadline=soon()))["y"]
        made = (await inference.infer("product@2", x, deadline=soon()))["y"]
        assert not np.array_equal(made, right)
        np.testing.assert_allclose(made, right, atol=0.05 * np.abs(right).max())
    finally:
        await inference.close()


def test_int8_of_a_model_without_matrices_is_refused(tmp_path: Path) -> None:
    draw_double(tmp_path)
    result = command(tmp_path, "double", "--target", "int8")
    assert result.exit_code == 1
    assert "no matrix product" in result.output
    assert sorted(path.name for path in (tmp_path / "double").iterdir()) == ["1", "config.pbtxt"]


def test_a_truncated_source_is_refused_by_file(tmp_path: Path) -> None:
    file = draw_product(tmp_path)
    file.write_bytes(file.read_bytes()[:-40])
    result = command(tmp_path, "product", "--target", "int8")
    assert result.exit_code == 1
    assert "model.onnx" in result.output
    assert not list((tmp_path / "product").glob(".2*"))


def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    draw_product(tmp_path)
    assert command(tmp_path, "product", "--target", "int8", "--dry-run").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "product").iterdir()) == ["1", "config.pbtxt"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["double", "--target", "int8", "--precision", "fp16"], "does not go with"),
        (["double", "--target", "openvino", "--max-batch-size", "4"], "for GPU targets"),
        (["double", "--target", "int8", "--replace"], "for GPU targets"),
        (["double", "--target", "tensorrt", "--shape", "x"], "is not INPUT="),
        (["double", "--target", "tensorrt", "--engine-cache", "x"], "for the accelerator"),
        (["double"], "--target"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    tmp_path: Path, words: list[str], problem: str
) -> None:
    draw_double(tmp_path)
    result = command(tmp_path, *words)
    assert result.exit_code == 2
    assert problem in result.output


def test_a_form_for_gpus_is_built_again_only_when_it_is_to_be_replaced(tmp_path: Path) -> None:
    draw_double(tmp_path / "models")
    bounds = ("--shape", "x=1 16 64", "--output", str(tmp_path / "gpu"))
    words = ("double", "--target", "tensorrt-accelerator", *bounds)
    assert command(tmp_path / "models", *words).exit_code == 0
    again = command(tmp_path / "models", *words)
    assert again.exit_code == 1
    assert "--replace" in again.output
    replaced = command(tmp_path / "models", *words, "--replace", "--json")
    assert replaced.exit_code == 0, replaced.output
    assert json.loads(replaced.output)["version"] == str(tmp_path / "gpu" / "double" / "1")


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    draw_double(tmp_path)
    assert "no model 'triple'" in command(tmp_path, "triple", "--target", "int8").output
    assert "no version '7'" in command(tmp_path, "double@7", "--target", "int8").output
