"""Cards written as plain text, turned into what the OCR checker would say about them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from absah_identity.checker import IdentityChecker, IdentitySettings
from absah_sdk import Document, Outcome, Result

Facts = dict[str, Any]
USUAL_CARD = """
             PROVINSI JAWA BARAT
               KABUPATEN BOGOR
NIK               : 3201011508950001
Nama              : BUDI SANTOSO
Tempat/Tgl Lahir  : BOGOR, 15-08-1995
Jenis Kelamin     : LAKI-LAKI     Gol. Darah : O
Alamat            : JL. MERDEKA NO. 12
   RT/RW          : 001/002
   Kel/Desa       : CIBINONG
   Kecamatan      : CIBINONG
Agama             : ISLAM                    KABUPATEN BOGOR
Status Perkawinan : KAWIN                    17-01-2019
Pekerjaan         : KARYAWAN SWASTA
Kewarganegaraan   : WNI
Berlaku Hingga    : SEUMUR HIDUP
"""


@dataclass(frozen=True)
class Context:
    """What the checker reads of a check's context."""

    results: Mapping[str, Result]
    claims: Mapping[str, Any] = field(default_factory=dict)


@pytest.fixture
def usual_card() -> str:
    return USUAL_CARD


@pytest.fixture
def facts_of() -> Callable[..., Facts]:
    """Lay text out on a page; `slope` turns it, `confidence` is that of every line."""

    def facts_of(
        text: str, *, confidence: float = 0.98, slope: float = 0.0, page: int = 1
    ) -> Facts:
        rows = text.strip("\n").splitlines()
        high, wide = max(len(rows), 16) + 4, max(map(len, rows)) + 12
        lines = []
        for number, row in enumerate(rows):
            for piece in re.finditer(r"\S+(?: \S+)*", row):
                left, width = (piece.start() + 4) / wide, len(piece.group()) / wide
                middle = (number + 2.5) / high + slope * (left + width / 2 - 0.5)
                height = 0.7 / high + math.fabs(slope) * width
                box = {"left": left, "top": middle - height / 2, "width": width, "height": height}
                lines.append(
                    {"text": piece.group(), "confidence": confidence, "page": page, "box": box}
                )
        return {"lines": lines, "text": "\n".join(line["text"] for line in lines), "pages": 1}

    return facts_of


@pytest.fixture(scope="session")
def checker() -> IdentityChecker:
    made = IdentityChecker(IdentitySettings())
    made.start({})
    return made


@pytest.fixture
def check(checker: IdentityChecker) -> Callable[[Facts], Result]:
    """Check a document of which OCR read these facts."""

    def check(facts: Facts) -> Result:
        document = Document(
            name="identity", role="identity", media_type="image/png", content=b"", digest=""
        )
        ocr = Result(outcome=Outcome.PASS, facts=facts)
        return checker.check(document, Context(results={"ocr": ocr}))

    return check


@pytest.fixture
def values_of(check: Callable[[Facts], Result], facts_of: Callable[..., Facts]):
    """The values of the fields that the checker reads on a card."""

    def values_of(text: str, **layout: Any) -> dict[str, str]:
        fields = check(facts_of(text, **layout)).facts["fields"]
        return {name: field["value"] for name, field in fields.items()}

    return values_of
