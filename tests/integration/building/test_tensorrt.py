"""Engines are built by TensorRT for RTX, which needs no GPU, and what it says is passed on."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import onnxruntime
import pytest
from google.protobuf import text_format
from integration.inference.drawing import draw_double, save_graph, write_config
from onnx import TensorProto, helper
from tritonclient.grpc import model_config_pb2

from absah_ops.building import graphs, outputs, precision, profiles, targets, tensorrt
from absah_ops.building.errors import BuildFailed
from absah_ops.building.profiles import Range
from absah_ops.building.targets import Wish
from absah_ops.building.tensorrt import Built, Runtime
from absah_ops.measuring import requests
from absah_server.inference import manifest
from absah_server.inference.repository import StoredModel, read_model
from absah_server.settings import model_repository

BOUNDS = 'parameters { key: "absah.profile.x" value { string_value: "1 16 64" } }'
BATCHING = "dynamic_batching { preferred_batch_size: [ 4 ] }"


def make_double(repository: Path, more: str = BOUNDS) -> StoredModel:
    draw_double(repository, more=f"{BATCHING}\n{more}")
    (repository / "double" / "labels.txt").write_text("low\nhigh\n")
    return read_model(repository / "double")[0]


def make_wish(folder: Path, **changes: object) -> Wish:
    given: dict[str, object] = {
        "precision": "fp32",
        "output": folder / "gpu",
        "shapes": {},
        "max_batch_size": None,
        "workspace_mib": None,
        "timing_cache": folder / "gpu" / "timing.cache",
        "dry_run": True,
        **changes,
    }
    return Wish(**given)  # type: ignore[arg-type]


def build(model: StoredModel, runtime: Runtime, **changes: object) -> Built:
    graph = graphs.standardise(graphs.load(model.file, model=model.name), model=model.name)
    profile = profiles.derive(model, given={})
    return tensorrt.build(graph, profile, model=model.name, runtime=runtime, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", ["fp16", "fp32"])
@pytest.mark.parametrize("name", ["ocr_angle", "splice_localizer"])
def test_models_of_the_repository_can_be_built(
    rtx: Runtime, tmp_path: Path, name: str, wanted: str
) -> None:
    (model,) = read_model(model_repository() / name)
    result = targets.tensorrt_plan(model, make_wish(tmp_path, precision=wanted))
    assert result.version is None
    assert not (tmp_path / "gpu").exists()
    assert int(result.card["plan_bytes"]) > 100_000
    assert result.card["source_sha256"] == model.digest
    assert result.card["tensorrt_version"].startswith("1.")


@pytest.mark.parametrize("name", ["objects_nanodet", "ocr_angle", "splice_localizer"])
def test_converted_graphs_answer_alike(name: str) -> None:
    (model,) = read_model(model_repository() / name)
    graph = graphs.standardise(graphs.load(model.file, model=name), model=name)
    half = precision.to_float16(graph, model=name)
    inputs = requests.typical(model)
    right, same, near = (
        run(made, model, inputs) for made in (graphs.load(model.file, model=name), graph, half)
    )
    assert requests.deviation(right, same) < 1e-5
    assert requests.deviation(right, near) < 0.02


def run(graph: onnx.ModelProto, model: StoredModel, inputs: requests.Tensors) -> requests.Tensors:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    names = [tensor.name for tensor in model.config.outputs]
    return dict(zip(names, session.run(names, inputs), strict=True))


def test_every_graph_of_the_repository_is_read(rtx: Runtime, tmp_path: Path) -> None:
    """Parsing is quick, so here all models are read, those with stored weights and pixels too."""
    trt = tensorrt.load(rtx, model="all")
    for folder in sorted(model_repository().glob("*/config.pbtxt")):
        (model,) = read_model(folder.parent)
        graph = graphs.standardise(graphs.load(model.file, model=model.name), model=model.name)
        network = trt.Builder(trt.Logger(trt.Logger.ERROR)).create_network(0)
        parser = trt.OnnxParser(network, trt.Logger(trt.Logger.ERROR))
        half = precision.to_float16(graph, model=model.name)
        assert parser.parse(half.SerializeToString()), model.name
        assert network.num_inputs == len(model.config.inputs)


def test_a_plan_goes_into_a_repository_that_mirrors_the_model(rtx: Runtime, tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    wish = make_wish(tmp_path, max_batch_size=32)
    built = build(model, rtx)
    card = targets.plan_card(model, wish, built, rtx)
    version = targets.write_plan(model, wish, built, card)
    assert version == tmp_path / "gpu" / "double" / "1"
    assert (version / "model.plan").read_bytes() == built.plan
    assert (version.parent / "labels.txt").read_text() == "low\nhigh\n"
    text = (version.parent / "config.pbtxt").read_text()
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert (config.name, config.platform, config.backend) == ("double", "tensorrt_plan", "")
    assert config.max_batch_size == 32
    assert config.instance_group[0].kind == model_config_pb2.ModelInstanceGroup.KIND_GPU
    assert config.input[0].name == "x"
    made_of = manifest.read(version.parent, "1")
    assert made_of is not None
    assert set(made_of.files) == {"1/model.plan", "labels.txt"}
    assert made_of.card["source_sha256"] == model.digest
    assert made_of.card["gpu"] == "none"


def write_plan(model: StoredModel, folder: Path, plan: bytes, *, replace: bool = False) -> Path:
    """Put made-up bytes where a plan goes: no card is needed for that."""
    built = Built(plan=plan, timing_cache=b"", version="10.5.0")
    return targets.write_plan(model, make_wish(folder, replace=replace), built, {"plan": str(plan)})


def test_a_plan_takes_its_sources_number_and_replaces_another_only_when_told(
    tmp_path: Path,
) -> None:
    model = make_double(tmp_path / "models")
    version = write_plan(model, tmp_path, b"one")
    with pytest.raises(BuildFailed, match=r"is there already(?s:.)*--replace"):
        write_plan(model, tmp_path, b"two")
    assert (version / "model.plan").read_bytes() == b"one"
    assert write_plan(model, tmp_path, b"two", replace=True) == version
    assert (version / "model.plan").read_bytes() == b"two"
    made_of = manifest.read(version.parent, "1")
    assert made_of is not None
    assert made_of.card == {"plan": "b'two'"}
    names = sorted(path.name for path in version.parent.iterdir())
    assert names == ["1", "config.pbtxt", "labels.txt"]


def test_a_candidates_plan_lies_beside_and_triton_serves_both(tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    draw_double(tmp_path / "models", version=3, more=BOUNDS)
    write_plan(model, tmp_path, b"one")
    (candidate,) = read_model(model.directory, versions=("3",))
    version = write_plan(candidate, tmp_path, b"three")
    assert version == tmp_path / "gpu" / "double" / "3"
    assert (version.parent / "1" / "model.plan").read_bytes() == b"one"
    text = (version.parent / "config.pbtxt").read_text()
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    assert config.version_policy.HasField("all")


def test_a_version_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    version = write_plan(model, tmp_path, b"one")

    def fail(folder: Path) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        outputs.mirror(
            model,
            tmp_path / "gpu",
            config=outputs.read_config(model),
            write=fail,
            card={},
            replace=True,
        )
    assert (version / "model.plan").read_bytes() == b"one"


def test_versions_of_another_platform_keep_a_form_out(tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    draw_double(tmp_path / "models", version=2, more=BOUNDS)
    write_plan(model, tmp_path, b"one")
    (candidate,) = read_model(model.directory, versions=("2",))
    wish = make_wish(tmp_path, precision="fp16", dry_run=False, replace=True)
    with pytest.raises(BuildFailed, match=r"holds versions for tensorrt_plan \(1\)"):
        targets.tensorrt_accelerator(candidate, wish)
    assert not (tmp_path / "gpu" / "double" / "2").exists()
    # Where no other version is left to serve, the whole model changes over.
    assert targets.tensorrt_accelerator(model, wish).version == tmp_path / "gpu" / "double" / "1"


def test_the_source_repository_takes_no_plan(rtx: Runtime, tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    wish = make_wish(tmp_path, output=tmp_path / "models")
    built = build(model, rtx)
    with pytest.raises(BuildFailed, match="the source's own repository"):
        targets.write_plan(model, wish, built, {})
    assert [path.name for path in (tmp_path / "models" / "double").glob("[0-9]*")] == ["1"]


def test_an_operator_that_tensorrt_lacks_is_named(rtx: Runtime, tmp_path: Path) -> None:
    node = helper.make_node("StringNormalizer", ["x"], ["y"], name="tidy")
    shape: tuple[int, list[str]] = (TensorProto.STRING, ["size"])
    save_graph(tmp_path / "strings" / "1" / "model.onnx", [node], [("x", *shape)], [("y", *shape)])
    write_config(tmp_path, "strings", x="TYPE_STRING", max_batch_size=0, more=BOUNDS)
    with pytest.raises(BuildFailed, match=r"cannot read the graph.*StringNormalizer"):
        build(read_model(tmp_path / "strings")[0], rtx)


def test_a_profile_that_the_graph_does_not_take_is_refused(rtx: Runtime, tmp_path: Path) -> None:
    model = make_double(tmp_path)
    graph = graphs.load(model.file, model="double")
    wrong = {"x": Range(min=(1, 1, 1), opt=(1, 1, 1), max=(1, 1, 1))}
    with pytest.raises(BuildFailed, match="does not take the profile"):
        tensorrt.build(graph, wrong, model="double", runtime=rtx)
    with pytest.raises(BuildFailed, match="the config does not"):
        tensorrt.build(graph, {}, model="double", runtime=rtx)


def test_too_little_memory_is_told_with_what_to_do(rtx: Runtime, tmp_path: Path) -> None:
    """The builder's words for it, since no card is here to run out of memory."""
    said = "[virtualMemoryBuffer.cpp::resizePhysical] Error Code 2: OutOfMemory (Requested 8 GiB)"
    failed = tensorrt.failure("double", "TensorRT could not build the engine", said)
    assert "OutOfMemory" in failed.problem
    assert "--max-batch-size" in failed.hint


def test_without_a_gpu_a_plan_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    if tensorrt.find_card() is not None:
        pytest.skip("this machine has a GPU")
    model = make_double(tmp_path / "models")
    with pytest.raises(BuildFailed, match=r"no NVIDIA GPU(?s:.)*--dry-run"):
        targets.tensorrt_plan(model, make_wish(tmp_path, dry_run=False))
    assert not (tmp_path / "gpu").exists()


def test_the_accelerator_names_the_same_profile(tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    wish = make_wish(tmp_path, precision="fp16", workspace_mib=512, dry_run=False)
    result = targets.tensorrt_accelerator(model, wish)
    assert result.version == tmp_path / "gpu" / "double" / "1"
    onnx.checker.check_model(onnx.load(result.version / "model.onnx"))
    text = (tmp_path / "gpu" / "double" / "config.pbtxt").read_text()
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert (config.backend, accelerator.name) == ("onnxruntime", "tensorrt")
    given = dict(accelerator.parameters)
    assert given["precision_mode"] == "FP16"
    assert given["max_workspace_size_bytes"] == str(512 * 2**20)
    assert given["trt_profile_min_shapes"] == "x:1x1"
    assert given["trt_profile_opt_shapes"] == "x:4x16"
    assert given["trt_profile_max_shapes"] == "x:8x64"
    assert "trt_engine_cache_path" not in given
    assert json.loads(json.dumps(result.as_json()))["target"] == "tensorrt-accelerator"


def test_the_accelerator_keeps_engines_where_it_is_told(tmp_path: Path) -> None:
    model = make_double(tmp_path / "models")
    wish = make_wish(tmp_path, precision="fp16", dry_run=False, engine_cache=Path("/srv/engines"))
    targets.tensorrt_accelerator(model, wish)
    text = (tmp_path / "gpu" / "double" / "config.pbtxt").read_text()
    config = text_format.Parse(text, model_config_pb2.ModelConfig())
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.parameters["trt_engine_cache_path"] == "/srv/engines/double"
    assert accelerator.parameters["trt_timing_cache_path"] == "/srv/engines/double"
