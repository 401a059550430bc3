"""Letters written as plain text, checked as text documents and as what OCR would read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from absah_letter.checker import LetterChecker, LetterSettings
from absah_sdk import Document, Outcome, Result

Facts = dict[str, Any]
USUAL_LETTER = """\
            PEMERINTAH KABUPATEN BOGOR
                 DINAS KESEHATAN
   Jalan Melati Nomor 7 Telepon (021) 8754321 Cibinong 16914

Nomor    : 440/123/DINKES/2026            Bogor, 12 Maret 2026
Sifat    : Penting
Lampiran : -
Hal      : Permohonan Narasumber Pelatihan
           Kader Posyandu

Kepada
Yth. Kepala Puskesmas Cibinong
di -
     Tempat

Sehubungan dengan surat Saudara nomor 12/PKM/2026 tanggal 2 Maret 2026, bersama
ini kami sampaikan bahwa pelatihan akan dilaksanakan pada:

     Hari    : Senin
     Tanggal : 30 Maret 2026
     Tempat  : Aula Kantor

Demikian disampaikan, atas kerja sama Saudara diucapkan terima kasih.

                                     a.n. Bupati Bogor
                                     Kepala Dinas Kesehatan,



                                     Drs. H. ASEP SURAPATI, M.Si.
                                     Pembina Utama Muda
                                     NIP. 19750315 200003 1 002

Tembusan:
1. Arsip
"""


@dataclass(frozen=True)
class Context:
    """What the checker reads of a check's context."""

    results: Mapping[str, Result]
    claims: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture
def usual_letter() -> str:
    return USUAL_LETTER


@pytest.fixture
def facts_of() -> Callable[..., Facts]:
    """Lay text out on a page; `slope` turns it, `confidence` is that of every line."""

    def facts_of(text: str, *, confidence: float = 0.98, slope: float = 0.0) -> Facts:
        rows = text.splitlines()
        high, wide = max(len(rows), 50) + 4, 100
        lines = []
        for number, row in enumerate(rows):
            for piece in re.finditer(r"\S+(?: \S+)*", row):
                left, width = (piece.start() + 6) / wide, len(piece.group()) / wide
                middle = (number + 2.5) / high + slope * (left + width / 2 - 0.5)
                height = 0.7 / high + math.fabs(slope) * width
                box = {"left": left, "top": middle - height / 2, "width": width, "height": height}
                lines.append(
                    {"text": piece.group(), "confidence": confidence, "page": 1, "box": box}
                )
        return {"lines": lines, "text": "\n".join(line["text"] for line in lines), "pages": 1}

    return facts_of


@pytest.fixture
def check_facts() -> Callable[[Facts], Result]:
    """Check a scan of which OCR read these facts."""
    checker = LetterChecker(LetterSettings())

    def check_facts(facts: Facts) -> Result:
        document = Document(
            name="letter", role="letter", media_type="image/png", content=b"", digest=""
        )
        ocr = Result(outcome=Outcome.PASS, facts=facts)
        return checker.check(document, Context(results={"ocr": ocr}))

    return check_facts


@pytest.fixture
def check_text() -> Callable[[str], Result]:
    """Check a text document."""
    checker = LetterChecker(LetterSettings())

    def check_text(text: str) -> Result:
        document = Document(
            name="letter",
            role="letter",
            media_type="text/plain",
            content=text.encode(),
            digest="",
            text=text,
        )
        return checker.check(document, Context(results={}))

    return check_text


@pytest.fixture(params=["as text", "as scan"])
def values_of(request, check_text, check_facts, facts_of) -> Callable[[str], dict[str, str]]:
    """The values of the fields that the checker reads, as a text document and from OCR."""

    def values_of(text: str) -> dict[str, str]:
        whole = request.param == "as text"
        result = check_text(text) if whole else check_facts(facts_of(text))
        return {name: found["value"] for name, found in result.facts["fields"].items()}

    return values_of
