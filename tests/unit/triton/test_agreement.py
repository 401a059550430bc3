"""A server's config is compared with the repository's where answers depend on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from absah_server.core.errors import ModelInvalid
from absah_server.inference.repository import StoredModel, read_model
from absah_server.inference.triton import agreement

CONFIG = """
backend: "onnxruntime" max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, -1 ] } ]
output [ { name: "y" data_type: TYPE_INT64 dims: [ 2 ] } ]
output [ { name: "z" data_type: TYPE_FP32 dims: [ 1 ] } ]
parameters { key: "absah.mean" value { string_value: "127" } }
"""


@pytest.fixture
def model(tmp_path: Path) -> StoredModel:
    folder = tmp_path / "m"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.onnx").touch()
    (folder / "config.pbtxt").write_text(CONFIG)
    (stored,) = read_model(folder)
    return stored


def served(before: str = "", after: str = "", more: str = "") -> Any:
    assert before in CONFIG
    text = CONFIG.replace(before, after) + more if before else CONFIG + more
    return text_format.Parse(text, model_config_pb2.ModelConfig())


@pytest.mark.parametrize(
    "more",
    [
        "instance_group [ { count: 4 kind: KIND_GPU } ] dynamic_batching { }",
        'platform: "tensorrt_plan" default_model_filename: "model.plan"',
        'parameters { key: "intra_op_thread_count" value { string_value: "4" } }',
    ],
)
def test_how_a_server_runs_a_model_is_its_own_affair(model: StoredModel, more: str) -> None:
    agreement.check(model, served(more=more), "there:8001")
    agreement.check(model, served("max_batch_size: 8", "max_batch_size: 32"), "there:8001")


@pytest.mark.parametrize(
    ("before", "after", "field", "problem"),
    [
        ("max_batch_size: 8", "max_batch_size: 4", "max_batch_size", "is 8, but .* says 4"),
        ("max_batch_size: 8", "max_batch_size: 0", "max_batch_size", "is 8, but .* says 0"),
        ('"x"', '"images"', "input[0].name", "is 'x', but .*'images'"),
        ("[ 3, -1 ]", "[ 1, -1 ]", "input[0].dims", "says .1, -1."),
        ("TYPE_INT64", "TYPE_INT32", "output[0].data_type", "TYPE_INT64, but .* TYPE_INT32"),
        ("dims: [ 1 ]", "dims: [ 4 ]", "output[1].dims", "says .4."),
        ('"127"', '"0"', "parameters['absah.mean']", "is '127', but .* says '0'"),
        ("absah.mean", "absah.other", "parameters['absah.mean']", "says None"),
    ],
)
def test_what_answers_depend_on_is_named_with_its_field(
    model: StoredModel, before: str, after: str, field: str, problem: str
) -> None:
    with pytest.raises(ModelInvalid, match=problem) as caught:
        agreement.check(model, served(before, after), "there:8001")
    assert (caught.value.model, caught.value.field) == ("m", field)
    assert caught.value.file.endswith("config.pbtxt")
    assert "there:8001" in str(caught.value)


def test_an_input_that_the_repository_does_not_know_is_named(model: StoredModel) -> None:
    more = 'input [ { name: "mask" data_type: TYPE_FP32 dims: [ 1 ] } ]'
    with pytest.raises(ModelInvalid, match="mask"):
        agreement.check(model, served(more=more), "there:8001")
