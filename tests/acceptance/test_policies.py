"""The three policies accept what is right, refuse what is wrong, and ask a person when in doubt.

All documents are drawn specimens of fictional people, worn as scanners and phones wear them.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image, ImageFilter

import absah
from absah.v1 import validation_pb2
from absah_ops.specimens import cards, cases, degrading, layouts, letters, people, sheets
from absah_ops.specimens.cases import Case
from absah_ops.specimens.degrading import Level

SEEDS = (11, 21, 33)


@pytest.fixture(scope="module", params=SEEDS)
def case(request: pytest.FixtureRequest) -> Case:
    return cases.make_case(request.param)


def send(
    client: absah.Client,
    case: Case,
    *,
    claims: Mapping[str, Any],
    without: tuple[str, ...] = (),
    **replaced: bytes,
) -> validation_pb2.Validation:
    documents: dict[str, Any] = {
        role: list(files.values()) for role, files in case.files.items() if role not in without
    }
    return client.validate("field-report", claims=claims, **{**documents, **replaced})


def decision(validation: validation_pb2.Validation) -> str:
    word: str = absah.to_dict(validation)["verdict"]["decision"]
    return word


def reasons(validation: validation_pb2.Validation) -> list[str]:
    """The grave reasons, for the message of a failing assertion."""
    return [f"{r.rule}/{r.claim}: {r.message.en}" for r in validation.verdict.reasons]


def test_an_honest_report_needs_no_person(client: absah.Client, case: Case) -> None:
    made = send(client, case, claims=case.claims)
    assert decision(made) == "ACCEPT", reasons(made)


def test_a_report_sent_in_by_somebody_else_is_rejected(client: absah.Client, case: Case) -> None:
    other = people.make_person(99)
    made = send(client, case, claims={**case.claims, "name": other.name, "nik": other.nik})
    assert decision(made) == "REJECT"
    assert {r.claim for r in made.verdict.reasons if r.rule == "claim-contradicted"} == {
        "name",
        "nik",
    }


def test_another_date_than_the_reports_is_rejected(client: absah.Client, case: Case) -> None:
    later = case.report.date + datetime.timedelta(days=40)
    made = send(client, case, claims={**case.claims, "date": later.isoformat()})
    assert decision(made) == "REJECT"


def test_a_place_on_another_island_is_rejected(client: absah.Client, case: Case) -> None:
    made = send(client, case, claims={**case.claims, "place": "Kota Jayapura, Papua"})
    assert decision(made) == "REJECT", reasons(made)


def test_more_participants_than_the_photos_show_are_not_accepted(
    client: absah.Client, case: Case
) -> None:
    made = send(client, case, claims={**case.claims, "participants": 250})
    assert decision(made) in ("REVIEW", "REJECT")
    assert "participants" in {r.claim for r in made.verdict.reasons}


def test_a_card_that_cannot_be_read_goes_to_a_person(client: absah.Client, case: Case) -> None:
    drawn = cards.draw_identity_card(case.person)
    blurred = drawn.resize((170, 107)).resize(drawn.size).filter(ImageFilter.GaussianBlur(9))
    made = send(client, case, claims=case.claims, identity=cases.jpeg(blurred, quality=20))
    assert decision(made) == "REVIEW", reasons(made)


def test_a_broken_photo_goes_to_a_person(client: absah.Client, case: Case) -> None:
    photo = next(iter(case.files["photo"].values()))
    made = send(client, case, claims={"activity": case.report.activity}, photo=photo[:9000])
    assert decision(made) == "REVIEW"
    assert "evidence-doubtful" in {r.rule for r in made.verdict.reasons}


def test_every_reason_speaks_both_languages_and_points_at_findings(
    client: absah.Client, case: Case
) -> None:
    made = send(client, case, claims={**case.claims, "nik": "3201011508950001"})
    results = {(r.checker, r.document): r for r in made.check_results}
    contradicted = [r for r in made.verdict.reasons if r.rule == "claim-contradicted"]
    assert contradicted
    for reason in contradicted:
        assert reason.message.id and reason.message.en and reason.message.id != reason.message.en
        assert reason.findings
        for reference in reason.findings:
            findings = results[reference.checker, reference.document].findings
            assert 0 <= reference.index < len(findings)


def test_no_reason_shows_a_whole_nik(client: absah.Client, case: Case) -> None:
    made = send(client, case, claims={**case.claims, "nik": "3201011508950001"})
    assert case.person.nik not in str(made.verdict)
    assert "3201011508950001" not in str(made.verdict)


def card_claims(person: people.Person) -> dict[str, str]:
    return {
        "nik": person.nik,
        "name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "address": person.address,
    }


@pytest.mark.parametrize("seed", [3, 4, 5])
@pytest.mark.parametrize("level", [Level.CLEAN, Level.PHONE])
def test_an_honest_card_needs_no_person(client: absah.Client, seed: int, level: Level) -> None:
    person = people.make_person(seed)
    card = degrading.degrade(cards.draw_identity_card(person), level=level, seed=seed)
    made = client.validate("identity-card", identity=cases.jpeg(card), claims=card_claims(person))
    assert decision(made) == "ACCEPT", reasons(made)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("nik", "3201011508950001"),
        ("name", "Bambang Pamungkas"),
        ("birth_date", "1960-01-01"),
        ("address", "Jalan Sudirman No. 1"),
    ],
)
def test_a_false_claim_on_a_card_is_rejected(client: absah.Client, claim: str, value: str) -> None:
    person = people.make_person(6)
    card = cases.jpeg(cards.draw_identity_card(person))
    made = client.validate(
        "identity-card", identity=card, claims={**card_claims(person), claim: value}
    )
    assert decision(made) == "REJECT", reasons(made)
    assert made.verdict.reasons[0].claim == claim


def test_the_other_sex_is_rejected(client: absah.Client) -> None:
    person = people.make_person(6)
    other = {"L": "P", "P": "L"}[person.sex]
    made = client.validate(
        "identity-card",
        identity=cases.jpeg(cards.draw_identity_card(person)),
        claims={**card_claims(person), "sex": other},
    )
    assert decision(made) == "REJECT"


def test_a_picture_that_is_no_card_goes_to_a_person(client: absah.Client) -> None:
    blank = cases.jpeg(Image.new("RGB", (1000, 640), "white"))
    made = client.validate("identity-card", identity=blank, claims={"name": "Siti Aminah"})
    assert decision(made) == "REVIEW"


def letter_claims(letter: letters.Letter) -> dict[str, str]:
    return {
        "number": letter.number,
        "date": letter.date.isoformat(),
        "institution": letter.institution[-1],
        "signatory": letter.signatory,
        "subject": letter.subject,
    }


@pytest.mark.parametrize("form", [letters.Form.LETTER, letters.Form.INVITATION])
@pytest.mark.parametrize("as_pdf", [False, True])
def test_an_honest_letter_needs_no_person(
    client: absah.Client, form: letters.Form, as_pdf: bool
) -> None:
    letter = letters.make_letter(8, form=form)
    sheet = layouts.lay_out(letter)
    content = (
        sheets.to_pdf(sheet)
        if as_pdf
        else cases.jpeg(degrading.degrade(sheets.to_image(sheet), level=Level.SCAN, seed=8))
    )
    made = client.validate("official-letter", letter=content, claims=letter_claims(letter))
    assert decision(made) == "ACCEPT", reasons(made)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("number", "999/XYZ/I/2020"),
        ("date", "2019-01-31"),
        ("signatory", "Bambang Pamungkas"),
        ("institution", "Kementerian Keuangan"),
    ],
)
def test_a_false_claim_on_a_letter_is_rejected(
    client: absah.Client, claim: str, value: str
) -> None:
    letter = letters.make_letter(8, form=letters.Form.LETTER)
    page = cases.jpeg(sheets.to_image(layouts.lay_out(letter)))
    made = client.validate(
        "official-letter", letter=page, claims={**letter_claims(letter), claim: value}
    )
    assert decision(made) == "REJECT", reasons(made)
