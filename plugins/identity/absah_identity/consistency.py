"""Compare a card's number with what the same card prints.

Two readings of one value differ for two reasons: the card is wrong, or a character was misread. A
difference is CRITICAL only where misreading is no likely reason: both were read with certainty, and
the digits that differ are more than a single pair of look-alikes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from absah_identity import nik, regions
from absah_identity.fields import Field
from absah_identity.nik import Number
from absah_sdk import Finding, Severity

_REGION_DEFECTS = frozenset({"province", "wilayah"})


def compare(fields: Mapping[str, Field], number: Number, certain: float) -> Iterator[Finding]:
    """Findings about a number read with its repairs, against the card's other fields.

    `certain` is the confidence from which a reading counts as certain.
    """
    sure = fields["nik"].confidence >= certain and number.repairs == 0
    defects = nik.defects(number.digits)
    if defects - _REGION_DEFECTS:
        yield _malformed(fields["nik"], number, sure=sure and not number.one_misread_away)
        return
    if defects or not nik.known_regions(number):
        certain_defect = bool(defects) and sure and not number.one_misread_away
        yield _unknown_region(fields["nik"], number, sure=certain_defect)
    if "birth_date" in fields:
        yield from _birth_date(fields, number, sure and _sure(fields["birth_date"], certain))
    if "sex" in fields:
        yield from _sex(fields, number, sure and _sure(fields["sex"], certain))
    yield from _moved(fields, number)


def doubted(fields: Mapping[str, Field], number: Number) -> dict[str, Field]:
    """The fields, with less confidence where number and birth date differ as by a misread digit.

    Which of the two was misread cannot be told from here.
    """
    held = dict(fields)
    if (
        number.has_form
        and "birth_date" in held
        and _misread(_differing(held["birth_date"], number))
    ):
        for name in ("nik", "birth_date"):
            held[name] = replace(held[name], confidence=round(held[name].confidence * 0.6, 4))
    return held


def _sure(field: Field, certain: float) -> bool:
    return field.confidence >= certain


def _malformed(field: Field, number: Number, *, sure: bool) -> Finding:
    return Finding(
        code="nik_malformed",
        message=f"The number {nik.mask(number.digits)} cannot be a NIK: {_defect(number)}.",
        severity=_severity(sure=sure and len(number.digits) == 16),
        confidence=field.confidence,
        region=field.region,
        attributes={"field": "nik", "digits": len(number.digits)},
    )


def _defect(number: Number) -> str:
    if len(number.digits) != 16:
        return f"it has {len(number.digits)} digits instead of 16"
    if "birth_date" in nik.defects(number.digits):
        return "digits 7 to 12 are no birth date"
    return "its serial is 0000"


def _unknown_region(field: Field, number: Number, *, sure: bool) -> Finding:
    reason = "has a district code that the present register lacks; older numbers may"
    if not number.has_form:
        reason = "begins with the code of no province, regency or district"
    return Finding(
        code="nik_region_unknown",
        message=f"The number {nik.mask(number.digits)} {reason}.",
        severity=_severity(sure=sure),
        confidence=field.confidence,
        region=field.region,
        attributes={"field": "nik", "district_code": number.regions[2]},
    )


def _birth_date(fields: Mapping[str, Field], number: Number, sure: bool) -> Iterator[Finding]:
    printed = datetime.date.fromisoformat(fields["birth_date"].value)
    said = number.birth_digits
    differing = _differing(fields["birth_date"], number)
    if not differing:
        return
    yield Finding(
        code="nik_birth_date_differs",
        message=f"The NIK says born on {said[:2]}-{said[2:4]}-(..){said[4:]}, the card prints "
        f"{printed:%d-%m-%Y}.",
        severity=_severity(sure=sure and not _misread(differing)),
        confidence=min(fields["nik"].confidence, fields["birth_date"].confidence),
        region=fields["birth_date"].region,
        attributes={"field": "birth_date", "nik_says": said, "card_says": f"{printed:%d%m%y}"},
    )


def _differing(birth_date: Field, number: Number) -> list[tuple[str, str]]:
    """The pairs of digits in which the number's DDMMYY and the printed one differ."""
    printed = f"{datetime.date.fromisoformat(birth_date.value):%d%m%y}"
    return [(a, b) for a, b in zip(number.birth_digits, printed, strict=True) if a != b]


def _misread(differing: Sequence[tuple[str, str]]) -> bool:
    """Whether a single digit differs, and from one that looks like it."""
    return len(differing) == 1 and differing[0][1] in nik.LOOK_ALIKE_DIGITS[differing[0][0]]


def _sex(fields: Mapping[str, Field], number: Number, sure: bool) -> Iterator[Finding]:
    said = "P" if number.female else "L"
    printed = fields["sex"].value
    if said == printed:
        return
    yield Finding(
        code="nik_sex_differs",
        message=f"The NIK is that of a {_SEX[said]}, the card prints {_SEX[printed]}.",
        severity=_severity(sure=sure),
        confidence=min(fields["nik"].confidence, fields["sex"].confidence),
        region=fields["sex"].region,
        attributes={"field": "sex", "nik_says": said, "card_says": printed},
    )


def _moved(fields: Mapping[str, Field], number: Number) -> Iterator[Finding]:
    """A number keeps the region where it was first given: another one is told, not held against."""
    province = fields.get("province")
    if province is None:
        return
    found = regions.find(province.value, "")
    if found and found[1] != number.regions[0]:
        yield Finding(
            code="nik_region_differs",
            message="The NIK was given in another province than the one that issued the card.",
            region=province.region,
            attributes={"nik_says": number.regions[0], "card_says": found[1]},
        )


def _severity(*, sure: bool) -> Severity:
    return Severity.CRITICAL if sure else Severity.WARNING


_SEX = {"L": "man", "P": "woman"}
