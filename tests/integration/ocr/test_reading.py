"""The checker `ocr` reads drawn pages, with its real models in the real runtime."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import pytest
from integration.ocr import pages
from integration.ocr.alone import MODELS, open_alone
from PIL import Image

from absah_ocr.checker import OcrChecker, OcrSettings
from absah_sdk import CheckContext, Document, Outcome, Page, Result
from absah_sdk.checking import Array
from absah_server.harness import Harness
from absah_server.inference.local import LocalInference
from absah_server.settings import model_repository


class Reader:
    """A started checker and the event loop that it lives in."""

    def __init__(self, runner: asyncio.Runner, harness: Harness) -> None:
        self._runner = runner
        self._harness = harness

    def read(self, content: bytes | Image.Image) -> Result:
        encoded = content if isinstance(content, bytes) else pages.png(content)
        return self._runner.run(self._harness.check(encoded)).result


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with asyncio.Runner() as runner:
        opened = open_alone()
        yield Reader(runner, runner.run(opened.__aenter__()))
        runner.run(opened.__aexit__(None, None, None))


def texts(result: Result) -> list[str]:
    return [line["text"] for line in result.facts["lines"]]


def codes(result: Result) -> list[str]:
    return [finding.code for finding in result.findings]


def folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_card_is_read_row_by_row_however_it_lies(reader: Reader, degrees: int) -> None:
    result = reader.read(pages.card().rotate(degrees, expand=True))
    assert result.outcome is Outcome.PASS
    assert [folded(text) for text in texts(result)] == [
        folded(f"{label} {value}") for label, value in pages.CARD_ROWS
    ]
    assert texts(result)[0] == "NIK : 3201011508950001"
    assert result.score is not None and result.score > 0.9
    turned = [dict(f.attributes) for f in result.findings if f.code == "page_turned"]
    # Pillow turns counter-clockwise; it takes as much clockwise to stand upright again.
    assert turned == ([{"degrees_clockwise": degrees}] if degrees else [])


def test_the_parts_of_a_row_keep_the_gap_between_label_and_value(reader: Reader) -> None:
    card = pages.card()
    facts = reader.read(card).facts
    for line in facts["lines"]:
        assert line["text"] == " ".join(part["text"] for part in line["parts"])
        assert all(0 < part["confidence"] <= 1 for part in line["parts"])
    label, *value = facts["lines"][0]["parts"]
    assert label["text"] == "NIK" and value
    assert label["box"]["left"] + label["box"]["width"] < value[0]["box"]["left"]
    assert facts["lines"][0]["box"]["left"] == label["box"]["left"]


@pytest.mark.parametrize("degrees", [0, 90])
def test_boxes_tell_where_lines_are_on_the_page_as_it_came(reader: Reader, degrees: int) -> None:
    card = pages.card().rotate(degrees, expand=True)
    first = reader.read(card).facts["lines"][0]
    box = first["box"]
    left, top = box["left"] * card.width, box["top"] * card.height
    right, bottom = left + box["width"] * card.width, top + box["height"] * card.height
    ink = np.asarray(card.convert("L")) < 100
    rows, cols = np.nonzero(ink)
    if degrees == 0:
        inside = (rows > top) & (rows < bottom) & (cols > left) & (cols < right)
        assert inside.sum() == (rows < 80).sum()
    else:
        inside = (rows > top) & (rows < bottom) & (cols > left) & (cols < right)
        assert inside.sum() == (cols < 80).sum()
    assert first["page"] == 1
    assert 0.8 < first["confidence"] <= 1


@pytest.mark.parametrize("degrees", [0, -6, 9])
def test_a_letter_is_read_line_by_line_though_it_slants(reader: Reader, degrees: int) -> None:
    page = pages.letter().rotate(
        degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC
    )
    result = reader.read(page)
    assert [folded(text) for text in texts(result)] == [folded(t) for t in pages.LETTER_LINES]
    assert result.facts["text"] == "\n".join(texts(result))
    assert result.facts["pages"] == 1


@pytest.mark.parametrize("scale", [0.45, 2.5])
def test_a_letter_is_read_at_any_resolution(reader: Reader, scale: float) -> None:
    letter = pages.letter()
    size = (round(letter.width * scale), round(letter.height * scale))
    result = reader.read(letter.resize(size, Image.Resampling.LANCZOS))
    assert [folded(text) for text in texts(result)] == [folded(t) for t in pages.LETTER_LINES]


def test_columns_are_read_one_after_the_other(reader: Reader) -> None:
    assert texts(reader.read(pages.columns())) == [
        "WARTA DESA SUKAMAJU",
        *pages.LEFT_COLUMN,
        *pages.RIGHT_COLUMN,
    ]


def test_white_text_on_black_is_read(reader: Reader) -> None:
    inverted = Image.fromarray(255 - np.asarray(pages.letter()))
    assert [folded(t) for t in texts(reader.read(inverted))] == [
        folded(text) for text in pages.LETTER_LINES
    ]


def test_a_blank_page_passes_with_no_text(reader: Reader) -> None:
    result = reader.read(Image.new("RGB", (400, 300), "white"))
    assert result.outcome is Outcome.PASS
    assert codes(result) == ["no_text"]
    assert result.facts == {"text": "", "lines": [], "pages": 1}
    assert result.score is None


def test_text_blurred_beyond_reading_is_inconclusive(reader: Reader) -> None:
    letter = pages.letter()
    small = letter.resize((letter.width // 7, letter.height // 7), Image.Resampling.BOX)
    result = reader.read(small.resize(letter.size, Image.Resampling.BICUBIC))
    assert result.outcome is Outcome.INCONCLUSIVE
    assert codes(result) == ["low_confidence"]


def test_a_text_layer_that_agrees_is_used(reader: Reader) -> None:
    result = reader.read(pages.pdf(pages.LETTER_LINES))
    assert result.outcome is Outcome.PASS
    assert texts(result) == list(pages.LETTER_LINES)
    assert not codes(result)


def test_a_text_layer_that_contradicts_the_page_is_not_used(reader: Reader) -> None:
    scan = pages.pdf(pages.LETTER_LINES, layer=["Surat lain yang tidak tampak"] * 5)
    result = reader.read(scan)
    assert codes(result) == ["text_layer_disagrees"]
    assert [folded(text) for text in texts(result)] == [folded(t) for t in pages.LETTER_LINES]


def test_pages_come_in_their_order(reader: Reader) -> None:
    result = reader.read(pages.tiff([pages.letter(), pages.card(), pages.letter()]))
    assert result.facts["pages"] == 3
    numbers = [line["page"] for line in result.facts["lines"]]
    assert numbers == [1] * 5 + [2] * 7 + [3] * 5
    assert texts(result)[5].startswith("NIK")


class ShortOfTime:
    """A check that has plenty of time for its first pages and none after."""

    results: Mapping[str, Result] = MappingProxyType({})
    claims: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, inference: LocalInference) -> None:
        self._inference = inference
        self._detections = 0

    def remaining_seconds(self) -> float:
        return 60.0 if self._detections < 2 else 0.0

    async def infer(self, model: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        self._detections += model == "ocr_detection"
        deadline = asyncio.get_running_loop().time() + 60
        return await self._inference.infer(model, inputs, deadline=deadline)


async def test_pages_for_which_there_is_no_time_are_left_out_and_that_is_told(
    tmp_path: Path,
) -> None:
    for model in MODELS:
        (tmp_path / model).symlink_to(model_repository() / model)
    inference = LocalInference(tmp_path)
    await inference.start()
    checker = OcrChecker(OcrSettings())
    checker.start(inference.models())
    pixels = np.asarray(pages.letter())
    document = Document(
        name="letter",
        role="letter",
        media_type="image/tiff",
        content=b"",
        digest="",
        pages=[Page(number=number, pixels=pixels) for number in range(1, 6)],
    )
    result = await checker.check(document, cast(CheckContext, ShortOfTime(inference)))
    await inference.close()
    assert result.outcome is Outcome.INCONCLUSIVE
    assert [dict(f.attributes) for f in result.findings] == [{"read": 2, "pages": 5}]
    assert result.facts["pages"] == 2


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
async def test_a_second_engine_that_agrees_raises_the_score(reader: Reader) -> None:
    async with open_alone(second_engine="tesseract") as harness:
        both = (await harness.check(pages.png(pages.letter()))).result
    async with open_alone() as harness:
        alone = (await harness.check(pages.png(pages.letter()))).result
    assert both.facts["text"] == alone.facts["text"]
    assert both.score is not None and alone.score is not None
    assert both.score > alone.score
