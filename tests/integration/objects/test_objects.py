"""The checker `objects` sees what was drawn, with its real model in the real runtime."""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from support import make_settings

from absah_objects.checker import ObjectsChecker
from absah_ops.specimens.scenes import Canvas, draw_group, make_scene
from absah_sdk import Outcome, Result
from absah_sdk.testing import CheckerConformance
from absah_sdk.testing.conformance import Harness as AnyHarness
from absah_server.core.errors import PluginInvalid
from absah_server.harness import Harness, open_harness
from absah_server.settings import Settings, model_repository

MODEL = "objects_nanodet"


def draw_stop_sign(scene: Canvas, x: int, y: int, radius: int) -> None:
    """An octagon of `radius` around (x, y), on a post."""
    post = radius // 12
    cv2.rectangle(scene, (x - post, y), (x + post, scene.shape[0] - 20), (150, 150, 150), -1)
    corners = np.deg2rad(22.5 + 45 * np.arange(8))
    for size, colour in ((1.0, (240, 240, 240)), (0.92, (190, 30, 40))):
        points = np.stack([np.cos(corners), np.sin(corners)], axis=1) * radius * size + (x, y)
        cv2.fillPoly(scene, [points.astype(np.int32)], colour, cv2.LINE_AA)
    centre_text(scene, "STOP", x, y, radius / 38, int(radius / 9.5), (245, 245, 245))


def draw_clock(scene: Canvas, x: int, y: int, radius: int) -> None:
    """A clock face with numbers and hands."""
    cv2.circle(scene, (x, y), radius, (40, 40, 40), -1, cv2.LINE_AA)
    cv2.circle(scene, (x, y), int(radius * 0.9), (245, 245, 245), -1, cv2.LINE_AA)
    for hour in range(1, 13):
        angle = np.deg2rad(30 * hour - 90)
        at = (int(x + 0.72 * radius * np.cos(angle)), int(y + 0.72 * radius * np.sin(angle)))
        centre_text(scene, str(hour), *at, radius / 110, 2, (20, 20, 20))
    for angle, length in ((-np.pi / 3, 0.45), (np.pi / 3, 0.65)):
        tip = (x + length * radius * np.cos(angle), y + length * radius * np.sin(angle))
        cv2.line(scene, (x, y), (int(tip[0]), int(tip[1])), (20, 20, 20), 5, cv2.LINE_AA)


def centre_text(
    scene: Canvas, text: str, x: int, y: int, size: float, weight: int, colour: tuple[int, int, int]
) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    (width, height), _ = cv2.getTextSize(text, font, size, weight)
    corner = (x - width // 2, y + height // 2)
    cv2.putText(scene, text, corner, font, size, colour, weight, cv2.LINE_AA)


def as_png(scene: Canvas) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(scene).save(buffer, "PNG")
    return buffer.getvalue()


def street_scene() -> bytes:
    scene = make_scene()
    draw_stop_sign(scene, 170, 190, 90)
    draw_clock(scene, 470, 200, 100)
    return as_png(scene)


def group_scene() -> bytes:
    return as_png(draw_group(4))


def settings_for(folder: Path, **checker: Any) -> Settings:
    """Settings with the model alone in its repository, so that no other is loaded."""
    settings = make_settings(folder, checkers={"objects": checker}, plugins=("objects",))
    link = settings.inference.model_repository / MODEL
    link.symlink_to(model_repository() / MODEL)
    return settings


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[Harness]:
    async with open_harness("objects", settings_for(tmp_path)) as opened:
        yield opened


async def check(harness: Harness, content: bytes) -> Result:
    return (await harness.check(content)).result


class TestConformance(CheckerConformance):
    checker = ObjectsChecker
    samples: ClassVar[Mapping[str, bytes | str]] = {
        "street": street_scene(),
        "group": group_scene(),
    }

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AnyHarness]:
        with tempfile.TemporaryDirectory() as folder:
            async with open_harness("objects", settings_for(Path(folder))) as harness:
                yield harness


async def test_a_drawn_stop_sign_and_clock_are_found_where_they_are(harness: Harness) -> None:
    result = await check(harness, street_scene())
    assert result.outcome is Outcome.PASS
    assert result.facts["counts"] == {"stop sign": 1, "clock": 1}
    by_code = {finding.code: finding for finding in reversed(result.findings)}
    sign, clock = by_code["stop sign"], by_code["clock"]
    assert sign.region and clock.region
    assert sign.region.box.left == pytest.approx(80 / 640, abs=0.03)
    assert sign.region.box.top == pytest.approx(100 / 480, abs=0.05)
    assert clock.region.box.left == pytest.approx(370 / 640, abs=0.03)
    assert clock.region.box.width == pytest.approx(200 / 640, abs=0.05)
    assert sign.attributes == {"counted": True, "label_id": "rambu berhenti"}


async def test_four_drawn_people_are_counted_as_four(harness: Harness) -> None:
    result = await check(harness, group_scene())
    assert result.facts["counts"]["person"] == 4
    people = [f for f in result.findings if f.code == "person" and f.attributes["counted"]]
    centres = sorted(f.region.box.left + f.region.box.width / 2 for f in people if f.region)
    assert centres == pytest.approx([x / 640 for x in (120, 250, 380, 510)], abs=0.04)
    assert people[0].attributes["label_id"] == "orang"


async def test_counts_are_the_findings_that_say_they_count(harness: Harness) -> None:
    result = await check(harness, group_scene())
    for label, possible in result.facts["possible_counts"].items():
        findings = [f for f in result.findings if f.code == label]
        assert len(findings) == possible
        counted = sum(f.attributes["counted"] for f in findings)
        assert result.facts["counts"].get(label, 0) == counted
    confidences = [finding.confidence or 0 for finding in result.findings]
    assert confidences == sorted(confidences, reverse=True)
    assert min(confidences) >= 0.15


async def test_an_upright_photo_and_a_small_one_give_the_same_counts(harness: Harness) -> None:
    scene = make_scene(480, 720)
    draw_stop_sign(scene, 240, 250, 120)
    small = np.asarray(Image.fromarray(scene).resize((240, 360)))
    for picture in (scene, small):
        assert (await check(harness, as_png(picture))).facts["counts"] == {"stop sign": 1}


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (make_scene(200, 50), "too_small"),
        (make_scene(4000, 70), "too_narrow"),
        (np.full((300, 400, 3), 30, np.uint8), "blank"),
    ],
)
async def test_a_picture_that_shows_nothing_for_sure_is_inconclusive(
    harness: Harness, picture: Canvas, why: str
) -> None:
    result = await check(harness, as_png(picture))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.facts == {"counts": {}, "possible_counts": {}, "unexamined": why}
    assert not result.findings


async def test_a_truncated_picture_is_no_picture(harness: Harness) -> None:
    ended = await harness.check(street_scene()[:2000])
    assert ended.result.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)
    assert "counts" not in ended.result.facts


async def test_thresholds_and_sizes_are_settings(tmp_path: Path) -> None:
    strict = settings_for(tmp_path, confidence=0.99, possible_confidence=0.5, sizes=[448])
    async with open_harness("objects", strict) as harness:
        result = await check(harness, street_scene())
    assert result.facts["counts"] == {}
    assert result.facts["possible_counts"] == {"stop sign": 1, "clock": 1}
    assert not any(finding.attributes["counted"] for finding in result.findings)


def make_own_model(repository: Path, **parameters: str) -> None:
    """A detector of one size that answers, in YOLOv8's form, one boat wherever it looks."""
    answer = np.zeros((1, 4 + 2, 21), np.float32)
    answer[0, :, 3] = (32, 32, 16, 32, 0.0, 0.9)
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["brightest"], keepdims=0, axes=[1, 2, 3]),
        helper.make_node("Mul", ["brightest", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "shape"], ["column"]),
        helper.make_node("Add", ["column", "answer"], ["output0"]),
    ]
    constants = [
        onnx.numpy_helper.from_array(np.zeros((), np.float32), "zero"),
        onnx.numpy_helper.from_array(np.array([-1, 1, 1]), "shape"),
        onnx.numpy_helper.from_array(answer, "answer"),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 64, 64])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["n", 6, 21])
    graph = helper.make_graph(nodes, "own", [images], [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder = repository / "own"
    (folder / "1").mkdir(parents=True)
    onnx.save(model, folder / "1" / "model.onnx")
    (folder / "labels.txt").write_text("person\nboat\n")
    described = {"head": "yolov8", "sizes": "64x64", **parameters}
    lines = [
        'name: "own"',
        'backend: "onnxruntime"',
        "max_batch_size: 8",
        'input [{ name: "images" data_type: TYPE_FP32 dims: [3, 64, 64] }]',
        'output [{ name: "output0" data_type: TYPE_FP32 dims: [6, 21] }]',
        *(
            f'parameters {{ key: "absah.{key}" value {{ string_value: "{value}" }} }}'
            for key, value in described.items()
        ),
    ]
    (folder / "config.pbtxt").write_text("\n".join(lines))


async def test_an_operator_brings_a_model_of_another_form(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, checkers={"objects": {"model": "own"}}, plugins=("objects",))
    make_own_model(settings.inference.model_repository)
    async with open_harness("objects", settings) as harness:
        result = await check(harness, street_scene())
    assert result.facts["counts"] == {"boat": 1}
    (finding,) = result.findings
    assert finding.region
    box = finding.region.box
    # The canvas is 64 by 64 and the page fills 64 by 48 of it.
    assert (box.left, box.width) == pytest.approx((24 / 64, 16 / 64))
    assert (box.top, box.height) == pytest.approx((8 / 48, 32 / 48))
    assert finding.attributes == {"counted": True}


async def test_a_model_that_is_not_there_is_told_at_start(tmp_path: Path) -> None:
    settings = make_settings(
        tmp_path, checkers={"objects": {"model": "absent"}}, plugins=("objects",)
    )
    with pytest.raises(PluginInvalid, match="absent"):
        async with open_harness("objects", settings):
            pass
