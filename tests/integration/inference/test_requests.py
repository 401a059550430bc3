"""What callers may send, and which model answers them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from integration.inference.drawing import draw_double, floats, serving, soon

from absah_sdk import InferenceFailed
from absah_server.core.errors import ModelUnknown


async def test_answers_are_those_of_onnxruntime_itself(tmp_path: Path) -> None:
    file = draw_double(tmp_path, factor=1.7)
    inputs = floats(0.1, 2.5, -3, size=4)
    async with serving(tmp_path) as inference:
        outputs = await inference.infer("double", inputs, deadline=soon())
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(outputs["y"], session.run(None, inputs)[0])


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({}, "takes"),
        ({"z": np.ones((1, 2), np.float32)}, "lacks input 'x'"),
        ({**floats(1), "z": np.ones((1, 2), np.float32)}, "takes"),
        ({"x": np.ones((1, 2), np.float64)}, "float32, not float64"),
        ({"x": np.ones(3, np.float32)}, "shape"),
        ({"x": np.ones((1, 2, 3), np.float32)}, "shape"),
        ({"x": np.ones((0, 2), np.float32)}, "at least one"),
    ],
)
async def test_wrong_inputs_fail_with_what_is_expected(
    tmp_path: Path, inputs: dict[str, Any], problem: str
) -> None:
    draw_double(tmp_path)
    async with serving(tmp_path) as inference:
        with pytest.raises(InferenceFailed, match=problem):
            await inference.infer("double", inputs, deadline=soon())
        assert inference.statistics()[0].failed == 1


async def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    draw_double(tmp_path)
    async with serving(tmp_path) as inference:
        with pytest.raises(ModelUnknown, match="'triple'"):
            await inference.infer("triple", floats(1), deadline=soon())


async def test_the_highest_version_answers_unless_one_is_named(tmp_path: Path) -> None:
    draw_double(tmp_path, version=2, factor=2)
    draw_double(tmp_path, version=10, factor=10, more="version_policy { all { } }")
    async with serving(tmp_path) as inference:
        assert inference.models()["double"].version == "10"
        for name, factor in (("double", 10), ("double@2", 2), ("double@10", 10)):
            outputs = await inference.infer(name, floats(1), deadline=soon())
            assert outputs["y"].tolist() == [[factor]]
        with pytest.raises(ModelUnknown):
            await inference.infer("double@3", floats(1), deadline=soon())


async def test_a_model_without_a_batch_axis_takes_its_tensors_whole(tmp_path: Path) -> None:
    draw_double(tmp_path, max_batch_size=0, dims="[ -1, -1 ]")
    async with serving(tmp_path) as inference:
        outputs = await inference.infer("double", floats(1, 2, 3, size=2), deadline=soon())
        assert outputs["y"].tolist() == [[2, 2], [4, 4], [6, 6]]
        with pytest.raises(InferenceFailed):
            await inference.infer("double", {"x": np.ones(2, np.float32)}, deadline=soon())


async def test_inputs_need_not_be_contiguous(tmp_path: Path) -> None:
    draw_double(tmp_path)
    x = np.arange(12, dtype=np.float32).reshape(3, 4).T
    async with serving(tmp_path) as inference:
        outputs = await inference.infer("double", {"x": x}, deadline=soon())
    np.testing.assert_array_equal(outputs["y"], 2 * x)


async def test_after_closing_no_model_is_known(tmp_path: Path) -> None:
    draw_double(tmp_path)
    async with serving(tmp_path) as inference:
        pass
    with pytest.raises(ModelUnknown):
        await inference.infer("double", floats(1), deadline=soon())
