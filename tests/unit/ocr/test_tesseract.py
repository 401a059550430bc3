"""Two engines that agree are believed more, two that disagree less."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from absah_ocr import tesseract
from absah_ocr.reading import Line, PageReading, Part
from absah_ocr.tesseract import Word
from absah_sdk import AbsahError


def page(*texts: str) -> PageReading:
    lines = [
        Line(text=text, confidence=0.8, box=(0, 50.0 * i, 500, 50.0 * i + 40))
        for i, text in enumerate(texts)
    ]
    return PageReading(lines=lines)


def words(text: str, row: int) -> list[Word]:
    return [
        Word(text=word, box=(100.0 * i, 50.0 * row + 8, 100.0 * i + 90, 50.0 * row + 32))
        for i, word in enumerate(text.split())
    ]


def test_agreement_raises_confidence() -> None:
    compared = tesseract.compare(page("Nomor 005/123"), words("Nomor 005/123", 0))
    assert compared.lines[0].confidence > 0.85
    assert not compared.disputed


def test_disagreement_lowers_confidence_and_is_noted() -> None:
    compared = tesseract.compare(page("Nomor 005/123"), words("xyzzy plugh", 0))
    assert compared.lines[0].confidence < 0.7
    assert [line.text for line in compared.disputed] == ["Nomor 005/123"]


def test_a_line_that_the_second_engine_missed_is_left_alone() -> None:
    compared = tesseract.compare(page("Nomor", "Perihal"), words("Nomor", 0))
    assert compared.lines[1].confidence == 0.8
    assert not compared.disputed


def test_the_parts_of_a_line_are_believed_as_the_line_is() -> None:
    parts = [
        Part(text="Nomor", confidence=0.6, box=(0, 0, 200, 40)),
        Part(text="005/123", confidence=0.9, box=(300, 0, 500, 40)),
    ]
    row = Line(text="Nomor 005/123", confidence=0.8, box=(0, 0, 500, 40), parts=parts)
    for second, sign in (("Nomor 005/123", 1), ("xyzzy plugh", -1)):
        (line,) = tesseract.compare(PageReading(lines=[row]), words(second, 0)).lines
        for before, after in zip(parts, line.parts, strict=True):
            assert sign * (after.confidence - before.confidence) > 0
            assert (after.text, after.box) == (before.text, before.box)


def test_without_the_program_the_checker_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AbsahError, match="tesseract-ocr-ind"):
        tesseract.Tesseract()


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
@pytest.mark.parametrize("quarter_turns", [0, 1])
async def test_words_are_placed_on_the_page_as_it_came(quarter_turns: int) -> None:
    image = Image.new("RGB", (900, 300), "white")
    font = ImageFont.load_default(40)
    ImageDraw.Draw(image).text((60, 100), "Pemerintah Kabupaten", fill="black", font=font)
    if quarter_turns:
        image = image.transpose(Image.Transpose.ROTATE_90)  # counter-clockwise: turn it back
    found = await tesseract.Tesseract().read(np.asarray(image), quarter_turns)
    assert [word.text for word in found] == ["Pemerintah", "Kabupaten"]
    left, top, _, _ = found[0].box
    if quarter_turns:
        assert top > found[1].box[1]  # reading goes up the page
    else:
        assert (left, top) == pytest.approx((60, 110), abs=20)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
async def test_a_program_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tesseract.Tesseract()
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))  # no models there
    with pytest.raises(tesseract.SecondEngineFailed):
        await engine.read(np.zeros((20, 20, 3), np.uint8), 0)
