"""config.pbtxt is read in Triton's form, and each mistake is told with its field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from absah_server.core.errors import ModelInvalid
from absah_server.inference.config import DynamicBatching, ModelConfig, VersionPolicy, read_config

TENSORS = """
input [ { name: "x" data_type: TYPE_INT64 dims: [ -1 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ -1, 14 ] } ]
"""


def read(tmp_path: Path, text: str) -> ModelConfig:
    directory = tmp_path / "reader"
    directory.mkdir(exist_ok=True)
    (directory / "config.pbtxt").write_text(text)
    return read_config(directory)


def refused(tmp_path: Path, text: str) -> ModelInvalid:
    with pytest.raises(ModelInvalid) as caught:
        read(tmp_path, text)
    assert caught.value.model == "reader"
    assert caught.value.file.endswith("reader/config.pbtxt")
    return caught.value


def test_a_full_config_is_read(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        TENSORS
        + """
        name: "reader"
        platform: "onnxruntime_onnx"
        max_batch_size: 8
        default_model_filename: "net.onnx"
        dynamic_batching {
          preferred_batch_size: [ 8, 4 ]
          max_queue_delay_microseconds: 2500
          default_queue_policy { max_queue_size: 32 }
        }
        instance_group [ { count: 2 kind: KIND_CPU }, { count: 1 kind: KIND_AUTO } ]
        parameters { key: "pad" value { string_value: "0" } }
        version_policy { specific { versions: [ 3, 1 ] } }
        """,
    )
    assert (config.name, config.max_batch_size, config.model_filename) == ("reader", 8, "net.onnx")
    assert config.batching == DynamicBatching(preferred_sizes=(4, 8), queue_delay_seconds=0.0025)
    assert (config.max_queue_size, config.instances) == (32, 3)
    assert config.version_policy.specific == (3, 1)
    assert dict(config.parameters) == {"pad": "0"}
    assert config.inputs[0].dtype == np.int64
    assert config.outputs[0].dims == (-1, 14)


def test_what_the_config_leaves_out_has_tritons_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, 'backend: "onnxruntime"' + TENSORS)
    assert config.max_batch_size == 0
    assert config.batching is None
    assert config.instances is None
    assert config.version_policy == VersionPolicy(latest=1)
    assert config.model_filename == "model.onnx"


def test_dynamic_batching_of_a_model_without_batch_axis_joins_nothing(tmp_path: Path) -> None:
    config = read(tmp_path, 'backend: "onnxruntime" dynamic_batching { }' + TENSORS)
    assert config.batching is None


def test_the_line_of_a_syntax_error_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, 'backend: "onnxruntime"\nmax_batch: 8\n')
    assert error.field == "line 2, column 1"
    assert error.problem.startswith('Message type "inference.ModelConfig" has no field')


def test_a_missing_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"config.pbtxt: is missing"):
        read_config(tmp_path)


def test_a_config_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.pbtxt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelInvalid, match="cannot be read"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('name: "other"', "name"),
        ('backend: "tensorrt"', "backend"),
        ('platform: "ensemble" ensemble_scheduling { }', "backend"),
        ("sequence_batching { }", "sequence_batching"),
        ("model_transaction_policy { decoupled: true }", "model_transaction_policy.decoupled"),
        ("max_batch_size: -1", "max_batch_size"),
        (
            "max_batch_size: 4 dynamic_batching { preferred_batch_size: [ 8 ] }",
            "dynamic_batching.preferred_batch_size",
        ),
        ("instance_group [ { count: 1 kind: KIND_GPU } ]", "instance_group[0].kind"),
        ("instance_group [ { count: -1 } ]", "instance_group[0].count"),
        ("version_policy { specific { } }", "version_policy.specific.versions"),
        (
            'input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]',
            "input[1].name",
        ),
        ('input [ { name: "z" data_type: TYPE_BF16 dims: [ 1 ] } ]', "input[1].data_type"),
        ('input [ { name: "z" dims: [ 1 ] } ]', "input[1].data_type"),
        ('input [ { name: "z" data_type: TYPE_FP32 } ]', "input[1].dims"),
        ('input [ { name: "z" data_type: TYPE_FP32 dims: [ 0 ] } ]', "input[1].dims"),
        (
            'input [ { name: "z" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } } ]',
            "input[1].reshape",
        ),
        (
            'input [ { name: "z" data_type: TYPE_FP32 dims: [ 1 ] optional: true } ]',
            "input[1].optional",
        ),
        ('model_warmup [ { inputs { key: "z" value { } } } ]', "model_warmup[0].inputs"),
        (
            'model_warmup [ { inputs { key: "x" value { data_type: TYPE_INT64 dims: [ -1 ] } } } ]',
            "model_warmup[0].inputs['x'].dims",
        ),
    ],
)
def test_what_cannot_be_honoured_is_refused(tmp_path: Path, text: str, field: str) -> None:
    backend = "" if "backend" in text or "platform" in text else 'backend: "onnxruntime"\n'
    assert refused(tmp_path, backend + TENSORS + text).field == field


def test_a_config_without_tensors_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, 'backend: "onnxruntime"').field == "input"


PLAN = """
platform: "tensorrt_plan" max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 3 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 2 ] } ]
instance_group [ { count: 2 kind: KIND_GPU } ]
"""


def test_a_model_that_only_triton_can_run_is_read_for_triton_alone(tmp_path: Path) -> None:
    (tmp_path / "config.pbtxt").write_text(PLAN)
    with pytest.raises(ModelInvalid, match="serve others from a Triton server"):
        read_config(tmp_path)
    config = read_config(tmp_path, runs_here=False)
    assert (config.model_filename, config.instances) == ("model.plan", 2)
