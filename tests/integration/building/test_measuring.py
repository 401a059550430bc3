"""`absah models tune` and `bench` measure real models and say what they found."""

from __future__ import annotations

import asyncio
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from integration.inference.drawing import draw_double, floats, soon

from absah_ops.main import main
from absah_ops.measuring import requests, rounds, tuning
from absah_ops.measuring.sides import Sides
from absah_server.inference import planning
from absah_server.inference.engines import EngineName
from absah_server.inference.local import LocalInference
from absah_server.inference.repository import read_model
from absah_server.inference.tuning import Measurement, Plan
from absah_server.settings import model_repository

QUICK = ("--rounds", "3", "--seconds", "0.05")


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def command(repository: Path, *words: str) -> Result:
    env = {"ABSAH_INFERENCE__MODEL_REPOSITORY": str(repository)}
    return CliRunner().invoke(main, ["models", *words], env=env)


async def test_a_server_follows_what_was_tuned(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    draw_double(repository)
    words = ("tune", "double", *QUICK, "--json")
    result = await asyncio.to_thread(command, repository, *words)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["file"] == str(repository / "tuning.json")
    plans = {(m["plan"]["engine"], m["plan"]["joins"]) for m in told["measurements"]}
    assert plans == set(product(("onnxruntime", "openvino"), (False, True)))
    (model,) = read_model(repository / "double")
    assert "measured on this machine" in planning.choose(model).why
    inference = LocalInference(repository)
    await inference.start()
    try:
        await inference.infer("double", floats(1), deadline=soon())
        (statistics,) = inference.statistics()
        assert statistics.engine == told["plan"]["engine"]
        assert statistics.instances == told["plan"]["runs"]
    finally:
        await inference.close()


def make_measurement(engine: EngineName, rate: float, refused: str = "") -> Measurement:
    return Measurement(
        plan=Plan(engine=engine, runs=1, threads=1),
        rates={1: rate, 16: rate},
        memory_bytes=0,
        deviation=0.0,
        refused=refused,
    )


def test_another_engine_must_be_worth_it_and_allowed() -> None:
    known = make_measurement(EngineName.ONNXRUNTIME, 100.0)
    faster = make_measurement(EngineName.OPENVINO, 130.0)
    hardly = make_measurement(EngineName.OPENVINO, 101.0)
    refused = make_measurement(EngineName.OPENVINO, 500.0, refused="answers deviate")
    assert tuning.best((known, faster)) == faster.plan
    assert tuning.best((known, hardly)) == known.plan
    assert tuning.best((known, refused)) == known.plan


def test_answers_that_deviate_are_measured() -> None:
    right = {"y": np.array([0.0, 2.0])}
    assert requests.deviation(right, {"y": np.array([0.0, 2.0])}) == 0.0
    assert requests.deviation(right, {"y": np.array([0.1, 2.0])}) == pytest.approx(0.05)
    assert requests.deviation(right, {"y": np.array([0.0])}) == float("inf")
    assert not requests.deviation(right, {"y": np.array([np.nan, 2.0])}) <= 1.0


def test_requests_have_the_sizes_that_the_config_tells() -> None:
    (reader,) = read_model(model_repository() / "ocr_recognition")
    assert requests.typical(reader)["pixels"].shape == (1, 48, 320, 3)
    assert requests.largest(reader)["pixels"].shape == (4, 48, 3328, 3)
    (tagger,) = read_model(model_repository() / "entities_ner")
    assert requests.typical(tagger)["attention_mask"].max() == 1
    (finder,) = read_model(model_repository() / "ocr_detection")
    assert requests.largest(finder)["pixels"].shape == (1, 1280, 960, 3)


def test_ways_take_turns_after_one_round_that_does_not_count() -> None:
    seen: list[str] = []

    def way(name: str) -> rounds.Rate:
        def rate() -> float:
            seen.append(name)
            return float(len(seen))

        return rate

    measured = rounds.alternate({"a": way("a"), "b": way("b")}, rounds=3)
    assert "".join(seen) == "ab" + "ab" + "ba" + "ab"
    assert measured.rates["a"] == [3.0, 6.0, 7.0]
    assert measured.median("b") == 5.0
    assert measured.ratio("a", "b") == pytest.approx(7 / 8)


def test_bench_compares_without_triton(tmp_path: Path) -> None:
    draw_double(tmp_path)
    result = command(tmp_path, "bench", "double", *QUICK, "--no-triton", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert set(told["requests_per_second"]["in-process"]) == {"1", "4", "16"}
    assert told["vs_onnxruntime"] > 0
    assert told["vs_triton"] is None


def test_the_version_that_is_named_is_measured_and_no_higher_one(tmp_path: Path) -> None:
    for version, factor in ((1, 2.0), (2, 3.0)):
        draw_double(tmp_path, version=version, factor=factor)
    (model,) = read_model(tmp_path / "double", versions=("1",))
    with Sides() as started:
        answer = started.answer(started.local(model), "double", floats(1))
    assert answer["y"].tolist() == [[2.0]]


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    draw_double(tmp_path)
    for name in ("tune", "bench"):
        result = command(tmp_path, name, "triple")
        assert result.exit_code == 1
        assert "no model 'triple'" in result.output
