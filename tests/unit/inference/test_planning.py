"""Which engine, executions and threads serve a model, and who has a say in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from absah_server.core.errors import ModelInvalid
from absah_server.inference import planning, tuning
from absah_server.inference.engines import EngineName
from absah_server.inference.processors import available_processors
from absah_server.inference.repository import StoredModel, read_model
from absah_server.inference.tuning import Measurement, Plan, Tuning

ONNXRUNTIME, OPENVINO = EngineName.ONNXRUNTIME, EngineName.OPENVINO
SEQUENCES, PICTURES = "[ -1 ]", "[ 3, -1, -1 ]"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def make_tagger(
    folder: Path,
    *,
    dims: str = SEQUENCES,
    kind: str = "TYPE_FP32",
    more: str = "",
    runtime: str = "",
) -> StoredModel:
    version = folder / "models" / "tagger" / "1"
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(b"graph")
    if runtime:
        (version / "runtime.json").write_text(runtime)
    (version.parent / "config.pbtxt").write_text(
        f'backend: "onnxruntime"\nmax_batch_size: 4\n'
        f'input [ {{ name: "x" data_type: {kind} dims: {dims} }} ]\n'
        f'output [ {{ name: "y" data_type: TYPE_FP32 dims: [ -1 ] }} ]\n{more}'
    )
    return read_model(version.parent)[0]


def make_tuning(model: StoredModel, plan: Plan) -> Tuning:
    measured = Measurement(plan=plan, rates={1: 10.0, 16: 40.0}, memory_bytes=2**20, deviation=0.0)
    return Tuning(
        model=model.name,
        version=model.version,
        digest=model.digest,
        machine=tuning.this_machine(),
        time="2026-01-02T03:04:05+00:00",
        plan=plan,
        measurements=(measured,),
    )


def test_sequences_go_to_openvino_and_pictures_of_any_size_do_not(tmp_path: Path) -> None:
    sequences = planning.choose(make_tagger(tmp_path / "a"))
    pictures = planning.choose(make_tagger(tmp_path / "b", dims=PICTURES))
    fixed = planning.choose(make_tagger(tmp_path / "c", dims="[ 48, 192, 3 ]"))
    assert [c.plan.engine for c in (sequences, pictures, fixed)] == [
        OPENVINO,
        ONNXRUNTIME,
        OPENVINO,
    ]


def test_types_that_openvino_lacks_stay_with_onnx_runtime(tmp_path: Path) -> None:
    assert planning.choose(make_tagger(tmp_path, kind="TYPE_STRING")).plan.engine is ONNXRUNTIME


def test_executions_share_the_processors(tmp_path: Path) -> None:
    model = make_tagger(tmp_path, more="instance_group [ { count: 1 kind: KIND_CPU } ]")
    plan = planning.choose(model).plan
    assert (plan.runs, plan.threads) == (1, available_processors())


def test_the_config_goes_over_the_settings(tmp_path: Path) -> None:
    more = (
        'parameters { key: "absah.engine" value { string_value: "onnxruntime" } }\n'
        'parameters { key: "intra_op_thread_count" value { string_value: "3" } }'
    )
    choice = planning.choose(make_tagger(tmp_path, more=more), engine=OPENVINO, threads_per_run=1)
    assert (choice.plan.engine, choice.plan.threads) == (ONNXRUNTIME, 3)
    assert "config" in choice.why


def test_settings_go_over_what_was_measured(tmp_path: Path) -> None:
    model = make_tagger(tmp_path)
    tuning.save(model, make_tuning(model, Plan(engine=ONNXRUNTIME, runs=1, threads=2)))
    assert planning.choose(model, engine=OPENVINO).plan.engine is OPENVINO
    assert planning.choose(model, threads_per_run=1).plan.threads == 1


def test_what_was_measured_goes_over_the_rule(tmp_path: Path) -> None:
    model = make_tagger(tmp_path)
    plan = Plan(engine=ONNXRUNTIME, runs=1, threads=2)
    tuning.save(model, make_tuning(model, plan))
    choice = planning.choose(model)
    assert choice.plan == plan
    assert "measured on this machine" in choice.why
    told = planning.explain(model)
    assert str(plan) in told
    assert "40/s at 16" in told


def test_the_config_bounds_measured_executions(tmp_path: Path) -> None:
    model = make_tagger(tmp_path, more="instance_group [ { count: 1 kind: KIND_CPU } ]")
    tuning.save(model, make_tuning(model, Plan(engine=ONNXRUNTIME, runs=8, threads=1)))
    assert planning.choose(model).plan.runs == 1


def test_a_measurement_of_other_content_or_machine_does_not_count(tmp_path: Path) -> None:
    model = make_tagger(tmp_path)
    made = make_tuning(model, Plan(engine=ONNXRUNTIME, runs=1, threads=7))
    tuning.save(model, replace(made, digest="0" * 64))
    assert tuning.tuned(model) is None
    tuning.save(model, replace(made, machine=replace(made.machine, processors=99)))
    assert tuning.tuned(model) is None


def test_tuning_again_replaces_and_keeps_other_machines(tmp_path: Path) -> None:
    model = make_tagger(tmp_path)
    made = make_tuning(model, Plan(engine=ONNXRUNTIME, runs=1, threads=2))
    other = replace(made, machine=replace(made.machine, processor="another"))
    newer = replace(made, plan=Plan(engine=OPENVINO, runs=1, threads=2))
    for each in (other, made, newer):
        file = tuning.save(model, each)
    assert tuning.tuned(model) == newer
    assert file.read_text().count('"digest"') == 2


def test_a_broken_file_of_measurements_is_named(tmp_path: Path) -> None:
    model = make_tagger(tmp_path)
    beside, _ = tuning.files(model)
    beside.write_text('{"format": 2, "tunings": [{}]}')
    with pytest.raises(ModelInvalid, match=r"tuning\.json") as caught:
        planning.choose(model)
    assert "absah models tune" in caught.value.hint


def test_a_version_may_ask_for_its_engine(tmp_path: Path) -> None:
    model = make_tagger(
        tmp_path, dims=PICTURES, runtime='{"engine": "openvino", "precision": "bf16"}'
    )
    choice = planning.choose(model)
    assert choice.plan.engine is OPENVINO
    assert "runtime.json" in choice.why


@pytest.mark.parametrize(
    ("content", "field"),
    [('{"engine": "abacus"}', "engine"), ('{"precision": "f8"}', "precision"), ("[]", ""),
     ('{"speed": 3}', ""), ("{", "")],
)  # fmt: skip
def test_a_wrong_runtime_file_is_named(tmp_path: Path, content: str, field: str) -> None:
    with pytest.raises(ModelInvalid) as caught:
        planning.choose(make_tagger(tmp_path, runtime=content))
    assert caught.value.field == field
    assert caught.value.file.endswith("runtime.json")
