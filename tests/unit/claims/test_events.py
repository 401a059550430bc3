"""The date of an event: reports decide, letters and photos support or raise doubt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

REPORT = """LAPORAN KEGIATAN POSYANDU
Dasar: Surat Tugas Nomor 094/77 tanggal 3 Maret 2026
Hari/Tanggal : Kamis, 12 Maret 2026
Tempat : Balai Desa
Cibinong, 14 Maret 2026
Pelapor"""

CASES = [
    ("2026-03-12", REPORT, "AGREES"),
    ("12 Maret 2026", REPORT, "AGREES"),
    ("2026-03-13", REPORT, "CONTRADICTS"),
    ("2025-03-12", REPORT, "CONTRADICTS"),
    ("2026-03-03", REPORT, "CONTRADICTS"),
    ("2026-03-14", REPORT, "UNSETTLED"),
    ("2026-03-13", "Kegiatan dilaksanakan 12 s.d. 14 Maret 2026", "AGREES"),
    ("2026-03-15", "Kegiatan dilaksanakan 12 s.d. 14 Maret 2026", "CONTRADICTS"),
    ("2026-04-01", "Bimtek berlangsung 30 Maret - 2 April 2026", "AGREES"),
    ("2026-03-12", "Pada hari ini tanggal dua belas Maret dua ribu dua puluh enam", "AGREES"),
    ("2026-03-12", "Rapat persiapan 10 Maret 2026. Kegiatan berlangsung 12 Maret 2026.", "AGREES"),
    ("2026-03-12", "Kegiatan pada Kamis, 12 Maret", "AGREES"),
    ("2026-03-12", "Kegiatan pada 12 Maret", "UNSETTLED"),
    ("2025-03-12", "Kegiatan pada Kamis, 12 Maret", "UNSETTLED"),
    ("2026-03-12", "Kegiatan 12 Maret. Laporan tanggal 13 Maret 2026", "AGREES"),
    ("2026-03-12", "Pada 12 Maret 2026 kami menyerahkan beras", "AGREES"),
    ("2026-03-12", "Pada 13 Maret 2026 kami menyerahkan beras", "CONTRADICTS"),
    ("2026-12-03", "Kegiatan tanggal 12/03/2026", "UNSETTLED"),
    ("2026-03-12", "Kegiatan tanggal 12/03/2026", "AGREES"),
    ("2026-03-12", "Kegiatan posyandu berjalan lancar", "UNSETTLED"),
    ("2026-03-12", "Kegiatan hari ini lancar.\nBogor, 12 Maret 2026\n", "AGREES"),
    ("2026-03-12", "Kegiatan lancar.\nBogor, 20 Maret 2026\n", "UNSETTLED"),
    ("2026-03-12", "Rapat berikutnya pada 12 Maret 2026.", "UNSETTLED"),
    ("2026-03-12", "Catatan 1 Maret 2026 dan 5 Maret 2026", "UNSETTLED"),
    ("2026-02-30", REPORT, "UNSETTLED"),
    ("kapan-kapan", REPORT, "UNSETTLED"),
]


@pytest.mark.parametrize(("claim", "text", "expected"), CASES)
def test_a_report_settles_the_date(
    claim: str, text: str, expected: str, outcome: Outcome, make_report: Make
) -> None:
    assert outcome("match_event_date", claim, make_report(text)) == expected


def test_a_photo_of_the_day_bears_a_report_out(
    outcome: Outcome, make_report: Make, make_photo: Make
) -> None:
    evidence = make_report(REPORT) + make_photo(capture_time="2026:03:12 09:00:00")
    assert outcome("match_event_date", "2026-03-12", evidence) == "AGREES"


def test_a_photo_of_another_week_opens_the_case(
    outcome: Outcome, make_report: Make, make_photo: Make
) -> None:
    evidence = make_report(REPORT) + make_photo(capture_time="2026-03-01T09:00:00+07:00")
    assert outcome("match_event_date", "2026-03-12", evidence) == "UNSETTLED"


def test_a_photo_a_day_off_is_no_doubt(
    outcome: Outcome, make_report: Make, make_photo: Make
) -> None:
    evidence = make_report(REPORT) + make_photo(capture_time="2026-03-11T23:30:00")
    assert outcome("match_event_date", "2026-03-12", evidence) == "AGREES"


def test_a_photo_of_another_day_of_a_long_event_is_no_doubt(
    outcome: Outcome, make_report: Make, make_photo: Make
) -> None:
    evidence = make_report("Kegiatan dilaksanakan 9 s.d. 14 Maret 2026")
    evidence += make_photo(capture_time="2026-03-13T09:00:00")
    assert outcome("match_event_date", "2026-03-10", evidence) == "AGREES"


def test_a_clock_that_was_never_set_tells_nothing(
    outcome: Outcome, make_report: Make, make_photo: Make
) -> None:
    evidence = make_report(REPORT) + make_photo(capture_time="2000:01:01 00:00:00")
    assert outcome("match_event_date", "2026-03-12", evidence) == "AGREES"


def test_a_photo_alone_never_contradicts(outcome: Outcome, make_photo: Make) -> None:
    evidence = make_photo(capture_time="2025-03-01T09:00:00")
    assert outcome("match_event_date", "2026-03-12", evidence) == "UNSETTLED"


def test_a_photo_tells_the_year_that_a_report_leaves_out(
    outcome: Outcome, make_report: Make, make_photo: Make
) -> None:
    evidence = make_report("Kegiatan 12 Maret") + make_photo(capture_time="2026-03-12")
    assert outcome("match_event_date", "2026-03-12", evidence) == "AGREES"


def test_a_letters_own_date_says_nothing_about_the_event(
    outcome: Outcome, make_report: Make, make_letter: Make
) -> None:
    letter = make_letter(text="Nomor 1\nBogor, 3 Maret 2026\n", date="2026-03-03")
    evidence = make_report(REPORT) + letter
    assert outcome("match_event_date", "2026-03-12", evidence) == "AGREES"


def test_a_letter_of_assignment_for_other_days_opens_the_case(
    outcome: Outcome, make_report: Make, make_letter: Make
) -> None:
    letter = make_letter(text="untuk kegiatan yang dilaksanakan pada 20 April 2026")
    evidence = make_report(REPORT) + letter
    assert outcome("match_event_date", "2026-03-12", evidence) == "UNSETTLED"


def test_a_letter_of_assignment_stands_in_for_a_report_without_a_date(
    outcome: Outcome, make_report: Make, make_letter: Make
) -> None:
    letter = make_letter(text="kegiatan dilaksanakan pada 12 s.d. 14 Maret 2026")
    evidence = make_report("Kegiatan lancar") + letter
    assert outcome("match_event_date", "2026-03-12", evidence) == "AGREES"
