"""Dates are read in every form that reports and letters write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from absah_claims.occasions import Occasion, occasion
from absah_indonesian import dates, datewords

D = datetime.date
SINGLE = [
    ("Senin, 12 Maret 2026", D(2026, 3, 12)),
    ("12-03-2026", D(2026, 3, 12)),
    ("12/3/26", D(2026, 3, 12)),
    ("12.03.2026", D(2026, 3, 12)),
    ("12 - 03 - 2026", D(2026, 3, 12)),
    ("2026-03-12", D(2026, 3, 12)),
    ("2026/03/12", D(2026, 3, 12)),
    ("2026:03:12 10:11:12", D(2026, 3, 12)),
    ("2026-03-12T10:11:12+07:00", D(2026, 3, 12)),
    ("dua belas Maret dua ribu dua puluh enam", D(2026, 3, 12)),
    ("Dua Puluh Satu bulan Juli tahun Dua Ribu Sepuluh", D(2010, 7, 21)),
    ("tanggal sebelas bulan Mei tahun dua ribu dua puluh lima", D(2025, 5, 11)),
    ("tiga puluh satu Desember seribu sembilan ratus sembilan puluh lima", D(1995, 12, 31)),
    ("duabelas Maret 2026", D(2026, 3, 12)),
    ("12 (dua belas) Maret 2026", D(2026, 3, 12)),
    ("tanggal 12 bulan Maret tahun 2026", D(2026, 3, 12)),
    ("12 Agt 2026", D(2026, 8, 12)),
    ("12 Ags. 2026", D(2026, 8, 12)),
    ("3 Nopember 2025", D(2025, 11, 3)),
    ("3 Pebruari 2025", D(2025, 2, 3)),
    ("12-Mar-26", D(2026, 3, 12)),
    ("12 Maret '26", D(2026, 3, 12)),
    ("17 AGUSTUS 1945", D(1945, 8, 17)),
    ("3 mei 2026", D(2026, 5, 3)),
    ("Jumat/13 Maret 2026", D(2026, 3, 13)),
    ("Selasa,3-3-2026", D(2026, 3, 3)),
    ("March 12, 2026", D(2026, 3, 12)),
    ("03/25/2026", D(2026, 3, 25)),
    ("l2 Maret 2O26", D(2026, 3, 12)),
    ("1O Marel 2026", D(2026, 3, 10)),
    ("I2-O3-2026", D(2026, 3, 12)),
    ("12Maret2026", D(2026, 3, 12)),
    ("5 Septernber 2026", D(2026, 9, 5)),
    ("7 Jun1 2026", D(2026, 6, 7)),
]

RUNS = [
    ("12 s.d. 14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12 s/d 14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12 sd 14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12–14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12 -14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12 sampai dengan 14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12 hingga 14 Juni2026", D(2026, 6, 12), D(2026, 6, 14)),
    ("30 Maret - 2 April 2026", D(2026, 3, 30), D(2026, 4, 2)),
    ("30 Maret 2026 s/d 2 April 2026", D(2026, 3, 30), D(2026, 4, 2)),
    ("28 Desember s.d. 3 Januari 2026", D(2025, 12, 28), D(2026, 1, 3)),
    ("12/03/2026 - 14/03/2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("tgl 12 Maret s/d 14 Maret 2026", D(2026, 3, 12), D(2026, 3, 14)),
    ("12-14/03/2026", D(2026, 3, 12), D(2026, 3, 14)),
]

NO_DATES = [
    "005/12/03/2026",
    "Nomor 12/3/2026/BKD",
    "1.2.3 dan 10.11.12",
    "31 Februari 2026",
    "12 orang hadir",
    "pukul 08.30 - 12.00 WIB",
    "Rp 12.03.2026,00",
    "0812-12-2026",
    "32.01.15 0895",
    "mei dan maret",
    "",
]


@pytest.mark.parametrize(("text", "date"), SINGLE)
def test_a_date_is_read(text: str, date: datetime.date) -> None:
    assert dates.parse(text) == date


@pytest.mark.parametrize(("text", "first", "last"), RUNS)
def test_a_run_of_days_is_read(text: str, first: datetime.date, last: datetime.date) -> None:
    (mention,) = dates.find(text)
    assert (dates.as_date(mention.first), dates.as_date(mention.last)) == (first, last)


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert dates.find(text) == ()


def test_a_list_of_days_covers_those_days_alone() -> None:
    found = dates.find("12, 15 dan 20 Maret 2026")
    covered = [d for d in range(10, 22) if any(m.covers(D(2026, 3, d)) for m in found)]
    assert covered == [12, 15, 20]


def test_a_date_without_a_year_keeps_its_weekday() -> None:
    (mention,) = dates.find("pada Kamis tanggal 12 Maret kami")
    assert (mention.first.year, mention.weekday) == (None, 3)


def test_the_way_of_newspapers_is_read() -> None:
    (mention,) = dates.find("pada Kamis (12/3) di Bogor, bagian (1/3)")
    assert (mention.first.month, mention.first.day, mention.weekday) == (3, 12, 3)


def test_a_date_told_twice_is_one() -> None:
    text = "dua belas Maret dua ribu dua puluh enam (12-03-2026)"
    assert dates.parse(text) == D(2026, 3, 12)


def test_june_and_july_are_not_mixed_up() -> None:
    assert datewords.month("Jumi") != 7
    assert datewords.month("Juli") == 7


@settings(max_examples=60, deadline=None)
@given(
    st.dates(D(1930, 1, 1), D(2049, 12, 31)), st.sampled_from(("%d-%m-%Y", "%d/%m/%y", "%Y-%m-%d"))
)
def test_every_day_is_read_back(date: datetime.date, form: str) -> None:
    written = date.strftime(form)
    read = dates.parse(written)
    assert read is not None
    assert (read.month, read.day, read.year % 100) == (date.month, date.day, date.year % 100)


OCCASIONS = [
    ("Berdasarkan surat tugas Nomor 094/12 tanggal 10 Maret 2026 kami", Occasion.REFERENCE),
    ("telah dilaksanakan kegiatan pada tanggal 12 Maret 2026.", Occasion.EVENT),
    ("Hari/Tanggal : Kamis, 12 Maret 2026\nTempat", Occasion.EVENT),
    ("Waktu : 12 Maret 2026", Occasion.EVENT),
    ("Pada hari ini Kamis tanggal 12 Maret 2026 kami", Occasion.EVENT),
    ("12 Maret 2026 telah dilaksanakan penyuluhan", Occasion.EVENT),
    ("Laporan kunjungan lapangan tanggal 12-03-2026", Occasion.EVENT),
    ("Kami mengunjungi desa itu 12 Maret 2026", Occasion.EVENT),
    ("...\nCibinong, 14 Maret 2026\nPelapor", Occasion.SIGNING),
    ("Demikian laporan ini dibuat. Bogor, 14 Maret 2026", Occasion.SIGNING),
    ("Nomor : 005/1      Manado, 23 Juli 2026\nSifat", Occasion.SIGNING),
    ("Dasar : Surat Tugas 094/12\nTanggal : 12 Maret 2026\n", Occasion.UNKNOWN),
    ("Tanggal laporan: 14 Maret 2026", Occasion.SIGNING),
    ("Budi lahir di Bogor, 1 Januari 1990 dan", Occasion.REFERENCE),
    ("Undang-Undang Nomor 23 tanggal 30 September 2014", Occasion.REFERENCE),
    ("Surat undangan tertanggal 5 Maret 2026", Occasion.REFERENCE),
    ("KTP berlaku hingga 12-03-2026", Occasion.REFERENCE),
    ("Rapat berikutnya dijadwalkan 20 Maret 2026", Occasion.REFERENCE),
    ("Tanggal: 12 Maret 2026\nNama: Budi", Occasion.UNKNOWN),
    ("Pada 12 Maret 2026 kami menyerahkan beras", Occasion.UNKNOWN),
]


@pytest.mark.parametrize(("text", "expected"), OCCASIONS)
def test_what_happened_on_a_date_is_told_by_its_context(text: str, expected: Occasion) -> None:
    mention = dates.find(text)[-1]
    assert occasion(mention, text) is expected
