"""Drawn cards and letters are read through the whole chain: decoding, OCR, reading."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace

import pytest
import pytest_asyncio
from PIL import Image

from absah_ops import specimens
from absah_ops.specimens import Form, Level, sheets
from absah_sdk import Outcome, Result
from absah_server.harness import Harness, open_harness

pytestmark = pytest.mark.asyncio(loop_scope="module")
CARD_KEYS = ("nik", "name", "birth_date", "sex", "district", "regency", "province")
LETTER_KEYS = ("number", "date", "signatory_nip")


def jpeg(image: Image.Image) -> bytes:
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=92)
    return stored.getvalue()


def values(result: Result) -> dict[str, str]:
    return {name: field["value"] for name, field in result.facts["fields"].items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity():
    async with open_harness("identity") as harness:
        yield harness


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def letter():
    async with open_harness("letter") as harness:
        yield harness


@pytest.mark.parametrize("level", list(Level))
async def test_a_card_is_read_at_every_level_of_wear(identity: Harness, level: Level):
    person = specimens.make_person(77)
    card = specimens.degrade(specimens.draw_identity_card(person), level=level, seed=77)
    result = (await identity.check(jpeg(card))).result
    assert result.outcome is Outcome.PASS
    read, printed = values(result), person.fields()
    assert {key: read.get(key) for key in CARD_KEYS} == {key: printed[key] for key in CARD_KEYS}


@pytest.mark.parametrize("quarters", [1, 2, 3])
async def test_a_card_photographed_on_its_side_is_read(identity: Harness, quarters: int):
    person = specimens.make_person(78)
    card = specimens.draw_identity_card(person).rotate(90 * quarters, expand=True)
    result = (await identity.check(jpeg(card))).result
    assert values(result)["nik"] == person.nik
    assert values(result)["name"] == person.name


async def test_a_card_with_another_birth_date_than_its_number_fails(identity: Harness):
    person = replace(specimens.make_person(77), birth_date=datetime.date(1981, 12, 24))
    card = specimens.degrade(specimens.draw_identity_card(person), level=Level.SCAN, seed=77)
    result = (await identity.check(jpeg(card))).result
    assert result.outcome is Outcome.FAIL
    assert "nik_birth_date_differs" in {finding.code for finding in result.findings}


async def test_a_letter_is_no_card(identity: Harness):
    page = specimens.draw_letter(specimens.make_letter(3), dpi=110)
    result = (await identity.check(jpeg(page))).result
    assert result.outcome is Outcome.INCONCLUSIVE
    assert not result.facts["is_identity_card"]


@pytest.mark.parametrize(
    ("form", "level"),
    [
        (Form.LETTER, Level.CLEAN),
        (Form.ASSIGNMENT, Level.SCAN),
        (Form.MEMO, Level.PHONE),
        (Form.DECREE, Level.SCAN),
    ],
)
async def test_a_letter_is_read_in_every_form(letter: Harness, form: Form, level: Level):
    sent = specimens.make_letter(21, form=form)
    page = specimens.degrade(specimens.draw_letter(sent), level=level, seed=21)
    result = (await letter.check(jpeg(page))).result
    assert result.outcome is Outcome.PASS
    read, printed = values(result), sent.fields()
    assert {key: read.get(key) for key in LETTER_KEYS} == {key: printed[key] for key in LETTER_KEYS}


@pytest.mark.parametrize("scanned", [False, True])
async def test_a_letter_is_read_from_a_pdf(letter: Harness, scanned: bool):
    sent = specimens.make_letter(22, form=Form.INVITATION)
    content = specimens.letter_pdf(sent)
    if scanned:
        content = sheets.image_to_pdf(specimens.draw_letter(sent))
    result = (await letter.check(content)).result
    assert values(result)["number"] == sent.number
    assert values(result)["date"] == sent.date.isoformat()
    assert values(result)["signatory"] == sent.signatory


async def test_a_letter_sent_as_text_needs_no_ocr(letter: Harness):
    sent = specimens.make_letter(23, form=Form.CIRCULAR)
    result = (await letter.check(specimens.letter_text(sent))).result
    assert result.outcome is Outcome.PASS
    assert values(result)["subject"] == sent.subject
