"""The models and the checkers give the same answers in this process and through Triton.

Tolerances are absolute, on outputs as the graphs give them: probabilities, logits, strides. What
differs is the order in which runtimes and their threads add up. Measured on two x86-64 processors,
the largest differences from ONNX Runtime in-process were 0 through Triton, whose backend is ONNX
Runtime of the very same version, and 3.5e-4 (logits of a range of 18) in OpenVINO at f32; other
processors have other instructions, hence the room.

`entities_ner` has 8-bit weights, for which OpenVINO rounds activations to 8 bits in groups of its
own choice: its logits, of a range of 11, were up to 0.19 apart. There the classes must be the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from integration.inference.drawing import soon
from integration.triton.recording import CHECKERS, Recorded, record

from absah_ops.triton.server import TritonServer
from absah_sdk.checking import Array
from absah_server.core.validation import CheckResult
from absah_server.inference.local import LocalInference
from absah_server.inference.triton.inference import TritonInference
from absah_server.inference.triton.watching import Watching
from absah_server.settings import Settings, model_repository

MODELS = (
    "entities_ner",
    "objects_nanodet",
    "ocr_angle",
    "ocr_detection",
    "ocr_recognition",
    "splice_localizer",
)
MOST_CALLS = 3
"""Of each model, those with the largest inputs."""
TRITON_TOLERANCE = 1e-4
OPENVINO_TOLERANCE = 2e-3
ROUNDED_TOLERANCE = 0.5
SHARED = Watching(shared_memory_min_bytes=0)
SENT = Watching(shared_memory_bytes=0)


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    yield asyncio.run(record(Settings(inference={"engine": "onnxruntime"})))


@asynccontextmanager
async def through_triton(triton: TritonServer, watching: Watching) -> AsyncIterator[Any]:
    inference = TritonInference(
        model_repository(), addresses=(triton.grpc_address,), watching=watching
    )
    await inference.start()
    try:
        yield inference
    finally:
        await inference.close()


def test_every_model_of_the_repository_is_compared(recorded: Recorded) -> None:
    present = {path.name for path in model_repository().iterdir() if path.is_dir()}
    assert present == set(MODELS) == set(recorded.calls)


@pytest.mark.parametrize("watching", [SENT, SHARED], ids=["sent", "shared memory"])
async def test_models_answer_the_same_through_triton(
    triton: TritonServer, recorded: Recorded, watching: Watching
) -> None:
    async with through_triton(triton, watching) as inference:
        for model in MODELS:
            for call in recorded.largest(model, MOST_CALLS):
                # Twice: outputs come through shared memory once their size is known.
                for _ in range(2 if watching is SHARED else 1):
                    got = await inference.infer(model, call.inputs, deadline=soon())
                assert_close(got, call.outputs, TRITON_TOLERANCE, model)


@pytest.mark.parametrize("model", MODELS)
async def test_models_answer_the_same_in_openvino(recorded: Recorded, model: str) -> None:
    pytest.importorskip("openvino")
    inference = LocalInference(model_repository(), engine="openvino", only=[model])
    await inference.start()
    for call in recorded.largest(model, MOST_CALLS):
        got = await inference.infer(model, call.inputs, deadline=soon())
        if model == "entities_ner":
            assert_close(got, call.outputs, ROUNDED_TOLERANCE, model)
            classes, expected = (each["logits"].argmax(axis=-1) for each in (got, call.outputs))
            read = call.inputs["attention_mask"] == 1
            np.testing.assert_array_equal(classes[read], expected[read])
        else:
            assert_close(got, call.outputs, OPENVINO_TOLERANCE, model)
    await inference.close()


@pytest.mark.parametrize("checker", CHECKERS)
async def test_checkers_find_the_same_through_triton(
    triton: TritonServer, recorded: Recorded, checker: str, remote_results: Recorded
) -> None:
    compared = 0
    for (name, file), ours in recorded.results.items():
        if name == checker:
            theirs = remote_results.results[name, file]
            assert plain(theirs) == plain(ours), (name, file)
            compared += 1
    assert compared >= 1


@pytest.fixture(scope="module")
def remote_results(triton: TritonServer) -> Iterator[Recorded]:
    settings = Settings(
        inference={"backend": "triton", "triton": {"addresses": [triton.grpc_address]}}
    )
    yield asyncio.run(record(settings))


def assert_close(
    got: Mapping[str, Array], expected: Mapping[str, Array], tolerance: float, model: str
) -> None:
    for name, array in expected.items():
        where = f"{model}: {name}"
        assert got[name].shape == array.shape, where
        assert got[name].dtype == array.dtype, where
        if array.dtype.kind == "f":
            np.testing.assert_allclose(got[name], array, rtol=0, atol=tolerance, err_msg=where)
        else:
            np.testing.assert_array_equal(got[name], array, err_msg=where)


def plain(result: CheckResult) -> Any:
    """What a check found, numbers to three decimals, and by which models."""
    assert result.fault is None, result.fault
    return rounded(
        {
            "outcome": result.result.outcome,
            "score": result.result.score,
            "findings": result.result.findings,
            "facts": result.result.facts,
            "artifacts": [artifact.name for artifact in result.result.artifacts],
            "models": result.models,
        }
    )


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    if hasattr(value, "__slots__") and not isinstance(value, str):
        return {name: rounded(getattr(value, name)) for name in value.__slots__}
    return value
