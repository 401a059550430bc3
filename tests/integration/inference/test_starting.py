"""A model that cannot be served is told at start, with the file and the field at fault."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integration.inference.drawing import (
    draw_double,
    draw_lookup,
    floats,
    save_graph,
    serving,
    soon,
    write_config,
)
from onnx import TensorProto, helper

from absah_server.core.errors import ModelInvalid
from absah_server.inference.engines.opening import verify_repository
from absah_server.inference.invalid import OnInvalid
from absah_server.inference.local import LocalInference


async def refusal(repository: Path) -> ModelInvalid:
    with pytest.raises(ModelInvalid) as caught:
        await LocalInference(repository, engine="onnxruntime", concurrent_runs=1).start()
    return caught.value


async def test_a_truncated_model_is_named(tmp_path: Path) -> None:
    file = draw_double(tmp_path)
    file.write_bytes(file.read_bytes()[:-30])
    error = await refusal(tmp_path)
    assert error.file == str(file)
    assert "cannot be opened" in error.problem
    assert "\n" not in str(error)


async def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    file = draw_double(tmp_path)
    file.unlink()
    error = await refusal(tmp_path)
    assert (error.model, error.file, error.problem) == ("double", str(file), "is missing")


@pytest.mark.parametrize(
    ("config", "field", "problem"),
    [
        ({"x": "TYPE_INT64", "y": "TYPE_FP32"}, "input[0].data_type", "TYPE_INT64"),
        ({"y": "TYPE_FP16"}, "output[0].data_type", "1/model.onnx says TYPE_FP32"),
        ({"dims": "[ -1, 3 ]"}, "input[0].dims", "[-1, 3]"),
        ({"output_dims": "[ 7 ]"}, "output[0].dims", "after the batch axis"),
    ],
)
async def test_a_config_that_contradicts_the_graph_is_refused(
    tmp_path: Path, config: dict[str, Any], field: str, problem: str
) -> None:
    draw_double(tmp_path, **config)
    error = await refusal(tmp_path)
    assert error.file.endswith("config.pbtxt")
    assert error.field == field
    assert problem in error.problem


async def test_a_tensor_that_the_graph_lacks_is_refused_with_those_it_has(tmp_path: Path) -> None:
    file = write_config(tmp_path, "double")
    file.write_text(file.read_text().replace('name: "y"', 'name: "logits"'))
    draw_double(tmp_path, "spare")
    (tmp_path / "spare" / "1").rename(tmp_path / "double" / "1")
    draw_double(tmp_path, "spare")
    error = await refusal(tmp_path)
    assert error.field == "output[0].name"
    assert "'y'" in error.hint


async def test_an_input_that_the_config_forgets_is_refused(tmp_path: Path) -> None:
    save_graph(
        tmp_path / "sum" / "1" / "model.onnx",
        [helper.make_node("Add", ["x", "z"], ["y"])],
        [(name, TensorProto.FLOAT, ["items", "size"]) for name in "xz"],
        [("y", TensorProto.FLOAT, ["items", "size"])],
    )
    write_config(tmp_path, "sum")
    error = await refusal(tmp_path)
    assert error.field == "input"
    assert "'z'" in error.problem


async def test_a_graph_with_a_fixed_batch_axis_cannot_have_a_batch_size(tmp_path: Path) -> None:
    save_graph(
        tmp_path / "fixed" / "1" / "model.onnx",
        [helper.make_node("Identity", ["x"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 4])],
        [("y", TensorProto.FLOAT, [1, 4])],
    )
    write_config(tmp_path, "fixed", dims="[ 4 ]")
    error = await refusal(tmp_path)
    assert error.field == "max_batch_size"
    write_config(tmp_path, "fixed", dims="[ 1, 4 ]", max_batch_size=0)
    async with serving(tmp_path) as inference:
        outputs = await inference.infer("fixed", floats(1, size=4), deadline=soon())
        assert outputs["y"].shape == (1, 4)


@pytest.mark.parametrize(
    ("key", "value"), [("absah.engine", "tensorrt"), ("intra_op_thread_count", "many")]
)
async def test_a_wrong_parameter_is_named(tmp_path: Path, key: str, value: str) -> None:
    parameter = f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}'
    draw_double(tmp_path, more=parameter)
    error = await refusal(tmp_path)
    assert error.field == f"parameters[{key!r}]"
    assert value in error.problem


async def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    draw_double(tmp_path, "a", dims="[ 1, 1 ]")
    draw_double(tmp_path, "b").unlink()
    draw_double(tmp_path, "c", dims="[ 0 ]")
    error = await refusal(tmp_path)
    told = " ".join((str(error), *error.__notes__))
    assert all(f"model {name!r}" in told for name in "abc")


def test_a_repository_can_be_verified_without_serving_it(tmp_path: Path) -> None:
    draw_double(tmp_path, "contradicting", output_dims="[ 3 ]")
    draw_double(tmp_path, "good")
    draw_double(tmp_path, "truncated").write_bytes(b"nothing")
    draw_double(tmp_path, "unread", max_batch_size=-1)
    reading = verify_repository(tmp_path)
    assert [model.name for model in reading.models] == ["good"]
    assert {error.model for error in reading.errors} == {"contradicting", "truncated", "unread"}


async def test_the_other_models_serve_where_that_is_wanted(tmp_path: Path) -> None:
    draw_double(tmp_path, "bad").write_bytes(b"nothing")
    draw_double(tmp_path, "good")
    async with serving(tmp_path, on_invalid=OnInvalid.SERVE_OTHERS) as inference:
        assert set(inference.models()) == {"good"}
        assert [error.model for error in inference.errors] == ["bad"]
        outputs = await inference.infer("good", floats(1), deadline=soon())
        assert outputs["y"].tolist() == [[2]]


async def test_a_repository_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    error = await refusal(tmp_path / "nowhere")
    assert error.file.endswith("nowhere")


def warm_up(value: str, *, batch_size: int = 1) -> str:
    return (
        f'model_warmup [ {{ name: "first" batch_size: {batch_size} '
        f'inputs {{ key: "x" value {{ {value} }} }} }} ]'
    )


@pytest.mark.parametrize("fill", ["zero_data: true", "random_data: true"])
async def test_a_configured_warm_up_runs(tmp_path: Path, fill: str) -> None:
    draw_lookup(tmp_path, more=warm_up(f"data_type: TYPE_INT64 dims: [ 5 ] {fill}"))
    async with serving(tmp_path) as inference:
        assert inference.models()["lookup"].name == "lookup"


async def test_a_warm_up_may_read_a_file(tmp_path: Path) -> None:
    value = 'data_type: TYPE_INT64 dims: [ 2 ] input_data_file: "indices"'
    draw_lookup(tmp_path, more=warm_up(value, batch_size=3))
    file = tmp_path / "lookup" / "warmup" / "indices"
    file.parent.mkdir()
    np.array([0, 2], np.int64).tofile(file)
    async with serving(tmp_path):
        pass
    np.array([0, 3], np.int64).tofile(file)
    assert (await refusal(tmp_path)).field == "model_warmup[0]"
    file.unlink()
    assert (await refusal(tmp_path)).field == "model_warmup[0].inputs['x'].input_data_file"


def needs_more_than_a_made_up_sample_gives(repository: Path, **config: Any) -> None:
    """A model that fails on zeros: the index of the largest of no elements."""
    save_graph(
        repository / "picky" / "1" / "model.onnx",
        [
            helper.make_node("NonZero", ["x"], ["where"]),
            helper.make_node("ReduceMax", ["where"], ["most"], keepdims=0),
            helper.make_node("Gather", ["x", "most"], ["row"]),
            helper.make_node("Add", ["x", "row"], ["y"]),
        ],
        [("x", TensorProto.FLOAT, ["items", "size"])],
        [("y", TensorProto.FLOAT, ["items", "size"])],
    )
    write_config(repository, "picky", **config)


async def test_a_made_up_sample_that_the_model_cannot_take_is_only_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    needs_more_than_a_made_up_sample_gives(tmp_path)
    with caplog.at_level(logging.WARNING):
        async with serving(tmp_path) as inference:
            assert set(inference.models()) == {"picky"}
    assert any("warm-up skipped" in record.message for record in caplog.records)


async def test_a_model_that_fails_on_inputs_of_its_fixed_shape_is_refused(tmp_path: Path) -> None:
    needs_more_than_a_made_up_sample_gives(tmp_path, dims="[ 2 ]", output_dims="[ -1 ]")
    error = await refusal(tmp_path)
    assert "warm-up failed" in error.problem


async def test_outputs_of_another_shape_than_configured_are_found_by_the_warm_up(
    tmp_path: Path,
) -> None:
    # Which rank y has depends on x, so only running the model tells.
    flat = helper.make_tensor("flat", TensorProto.INT64, [1], [-1])
    same = helper.make_tensor_value_info("same", TensorProto.FLOAT, None)
    flattened = helper.make_tensor_value_info("flattened", TensorProto.FLOAT, None)
    save_graph(
        tmp_path / "vague" / "1" / "model.onnx",
        [
            helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
            helper.make_node("Cast", ["most"], ["positive"], to=TensorProto.BOOL),
            helper.make_node("Constant", [], ["flat"], value=flat),
            helper.make_node(
                "If",
                ["positive"],
                ["y"],
                then_branch=helper.make_graph(
                    [helper.make_node("Identity", ["x"], ["same"])], "then", [], [same]
                ),
                else_branch=helper.make_graph(
                    [helper.make_node("Reshape", ["x", "flat"], ["flattened"])],
                    "else",
                    [],
                    [flattened],
                ),
            ),
        ],
        [("x", TensorProto.FLOAT, ["items", "size"])],
        [("y", TensorProto.FLOAT, None)],
    )
    write_config(tmp_path, "vague", dims="[ 4 ]", output_dims="[ 4 ]")
    error = await refusal(tmp_path)
    assert error.field == "output[0].dims"
    assert "answers float32 [4]" in error.problem


@pytest.fixture
def openvino_installed() -> None:
    pytest.importorskip("openvino")


@pytest.mark.usefixtures("openvino_installed")
async def test_both_engines_answer_alike(tmp_path: Path) -> None:
    inputs = {"x": np.random.default_rng(0).random((3, 5), np.float32)}
    answers = []
    draw_double(tmp_path, factor=1.7)
    for engine in ("onnxruntime", "openvino"):
        async with serving(tmp_path, engine=engine) as inference:
            answers.append(await inference.infer("double", inputs, deadline=soon()))
            assert inference.statistics()[0].engine == engine
    np.testing.assert_allclose(answers[0]["y"], answers[1]["y"], rtol=1e-6)


@pytest.mark.usefixtures("openvino_installed")
async def test_a_model_may_choose_its_engine(tmp_path: Path) -> None:
    draw_double(tmp_path, "left")
    draw_double(
        tmp_path,
        "right",
        more='parameters { key: "absah.engine" value { string_value: "openvino" } }',
    )
    async with serving(tmp_path) as inference:
        engines = {s.model: s.engine for s in inference.statistics()}
    assert engines == {"left": "onnxruntime", "right": "openvino"}


@pytest.mark.usefixtures("openvino_installed")
async def test_openvino_outputs_stay_as_they_are_when_more_is_asked(tmp_path: Path) -> None:
    draw_double(tmp_path)
    async with serving(tmp_path, engine="openvino") as inference:
        first = await inference.infer("double", floats(1, 2), deadline=soon())
        await inference.infer("double", floats(5, 6), deadline=soon())
        assert first["y"].tolist() == [[2], [4]]
