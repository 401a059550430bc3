"""Each form of official letter keeps its number, date, subject and signature in its own place."""

from __future__ import annotations

import pytest


def test_all_fields_of_a_usual_letter_are_read(values_of, usual_letter):
    assert values_of(usual_letter) == {
        "number": "440/123/DINKES/2026",
        "date": "2026-03-12",
        "place": "Bogor",
        "subject": "Permohonan Narasumber Pelatihan Kader Posyandu",
        "addressee": "Kepala Puskesmas Cibinong",
        "institution": "PEMERINTAH KABUPATEN BOGOR, DINAS KESEHATAN",
        "signatory": "Drs. H. ASEP SURAPATI, M.Si.",
        "signatory_title": "a.n. Bupati Bogor Kepala Dinas Kesehatan",
        "signatory_nip": "197503152000031002",
    }


@pytest.mark.parametrize("slope", [-0.1, -0.05, 0.05, 0.1])
def test_a_turned_page_keeps_its_rows_apart(check_facts, facts_of, usual_letter, slope):
    fields = check_facts(facts_of(usual_letter, slope=slope)).facts["fields"]
    assert fields["number"]["value"] == "440/123/DINKES/2026"
    assert fields["subject"]["value"] == "Permohonan Narasumber Pelatihan Kader Posyandu"
    assert fields["signatory"]["value"] == "Drs. H. ASEP SURAPATI, M.Si."
    assert fields["addressee"]["value"] == "Kepala Puskesmas Cibinong"


def joined_by_rows(facts):
    """The facts as OCR gives them when it joins each row into one line and tells its parts."""
    rows = {}
    for part in facts["lines"]:
        rows.setdefault(round(part["box"]["top"], 4), []).append(part)
    lines = [
        {
            "text": " ".join(part["text"] for part in parts),
            "confidence": parts[0]["confidence"],
            "page": 1,
            "box": {
                "left": parts[0]["box"]["left"],
                "top": parts[0]["box"]["top"],
                "width": parts[-1]["box"]["left"]
                + parts[-1]["box"]["width"]
                - parts[0]["box"]["left"],
                "height": parts[0]["box"]["height"],
            },
            "parts": [{key: part[key] for key in ("text", "confidence", "box")} for part in parts],
        }
        for _, parts in sorted(rows.items())
    ]
    return {"lines": lines, "text": "\n".join(line["text"] for line in lines), "pages": 1}


@pytest.mark.parametrize("told", [True, False])
def test_rows_that_ocr_joined_are_read(check_facts, facts_of, usual_letter, told):
    facts = joined_by_rows(facts_of(usual_letter))
    if not told:
        for line in facts["lines"]:
            del line["parts"]
    result = check_facts(facts)
    fields = result.facts["fields"]
    assert fields["number"]["value"] == "440/123/DINKES/2026"
    assert fields["subject"]["value"] == "Permohonan Narasumber Pelatihan Kader Posyandu"
    assert fields["date"]["value"] == "2026-03-12"
    span = next(f.span for f in result.findings if f.attributes.get("field") == "signatory")
    assert facts["text"][span.start : span.end] == "Drs. H. ASEP SURAPATI, M.Si."


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_lying_on_a_side_is_read(check_facts, facts_of, usual_letter, quarters):
    facts = facts_of(usual_letter)
    for line in facts["lines"]:
        for _ in range(quarters):
            box = line["box"]
            line["box"] = {
                "left": 1 - box["top"] - box["height"],
                "top": box["left"],
                "width": box["height"],
                "height": box["width"],
            }
    result = check_facts(facts)
    fields = result.facts["fields"]
    assert fields["number"]["value"] == "440/123/DINKES/2026"
    assert fields["date"]["value"] == "2026-03-12"
    assert fields["signatory"]["value"] == "Drs. H. ASEP SURAPATI, M.Si."
    assert fields["institution"]["value"] == "PEMERINTAH KABUPATEN BOGOR, DINAS KESEHATAN"


def test_assignment_has_its_number_under_the_title_and_names_others(values_of):
    values = values_of("""\
PEMERINTAH KABUPATEN SLEMAN
DINAS KESEHATAN
PUSKESMAS NGAGLIK
Jl. Kaliurang KM 10, Sleman 55581, Telp. (0274) 881234

SURAT PERINTAH TUGAS
Nomor: 094/0231/PKM/III/2026

Yang bertanda tangan di bawah ini:
Nama    : dr. Lestari Handayani, M.Kes
NIP     : 19780512 200604 2 011
Jabatan : Kepala Puskesmas Ngaglik

MEMERINTAHKAN:
1. Nama    : Budi Raharjo, A.Md.Kep
   NIP     : 19850317 201001 1 005
   Jabatan : Perawat
Untuk   : melaksanakan kunjungan rumah pada tanggal 18 Maret 2026

Dikeluarkan di Sleman
Pada tanggal 16 Maret 2026
Kepala Puskesmas,



dr. Lestari Handayani, M.Kes
NIP. 197805122006042011
""")
    assert values["number"] == "094/0231/PKM/III/2026"
    assert values["date"] == "2026-03-16"
    assert values["place"] == "Sleman"
    assert values["title"] == "SURAT PERINTAH TUGAS"
    assert values["subject"].startswith("SURAT PERINTAH TUGAS: melaksanakan kunjungan rumah")
    assert values["signatory"] == "dr. Lestari Handayani, M.Kes"
    assert values["signatory_nip"] == "197805122006042011"
    assert values["institution"].endswith("DINAS KESEHATAN, PUSKESMAS NGAGLIK")


def test_signature_made_electronically(values_of):
    values = values_of("""\
KEMENTERIAN PERTANIAN
DIREKTORAT JENDERAL TANAMAN PANGAN
JALAN MAWAR NO. 3 JAKARTA SELATAN 12520
TELEPON (021) 7806000, WEBSITE tanaman.go.id

Nomor      : B-1234/TU.020/C/02/2026                    24 Februari 2026
Sifat      : Biasa
Hal        : Permintaan Data Luas Tanam

Yth.
1. Kepala Dinas Pertanian Provinsi Jawa Tengah
2. Kepala Dinas Pertanian Provinsi Jawa Timur
di tempat

Mohon data luas tanam bulan Januari 2026 paling lambat tanggal 2 Maret 2026.

                                     Direktur Jenderal,

                                     Ditandatangani secara elektronik

                                     Yudi Prasetya
                                     NIP 197001011995031002
""")
    assert values["date"] == "2026-02-24"
    assert values["signatory"] == "Yudi Prasetya"
    assert values["signatory_title"] == "Direktur Jenderal"
    assert values["institution"] == "KEMENTERIAN PERTANIAN, DIREKTORAT JENDERAL TANAMAN PANGAN"


def test_date_of_birth_is_not_the_date_of_a_statement(values_of):
    values = values_of("""\
PEMERINTAH KABUPATEN GARUT
KECAMATAN CISURUPAN
DESA SUKATANI
Jl. Raya Cisurupan No. 12 Kode Pos 44163

SURAT KETERANGAN DOMISILI
No : 474.4/87/DS/2026

Yang bertanda tangan di bawah ini menerangkan bahwa :

Nama                 : ASEP SUPARMAN
Tempat/Tgl Lahir     : Garut, 12-04-1990
Pekerjaan            : Petani

Adalah benar penduduk Desa Sukatani.

                                   Sukatani, 03 Januari 2026
                                   Kepala Desa Sukatani



                                   ( UJANG KOSASIH )
""")
    assert values["number"] == "474.4/87/DS/2026"
    assert values["date"] == "2026-01-03"
    assert values["place"] == "Sukatani"
    assert values["signatory"] == "UJANG KOSASIH"
    assert values["subject"] == "SURAT KETERANGAN DOMISILI"


def test_decree_is_about_what_follows_tentang(values_of):
    values = values_of("""\
KEPUTUSAN BUPATI BANTUL
NOMOR 12 TAHUN 2026
TENTANG
PEMBENTUKAN TIM PERCEPATAN PENURUNAN STUNTING
TINGKAT KABUPATEN

BUPATI BANTUL,

Menimbang : a. bahwa untuk melaksanakan Peraturan Presiden Nomor 72
               Tahun 2021 tentang Percepatan Penurunan Stunting;

MEMUTUSKAN:
KESATU     : Membentuk Tim.

                              Ditetapkan di Bantul
                              pada tanggal 9 Februari 2026
                              BUPATI BANTUL,
                                   ttd
                              SASTRO WIDAGDO
""")
    assert values["number"] == "12 TAHUN 2026"
    assert values["date"] == "2026-02-09"
    assert values["place"] == "Bantul"
    assert values["signatory"] == "SASTRO WIDAGDO"
    assert values["subject"] == ("PEMBENTUKAN TIM PERCEPATAN PENURUNAN STUNTING TINGKAT KABUPATEN")


def test_memo_has_its_date_in_the_block_and_an_addressee_in_a_row(values_of):
    values = values_of("""\
PEMERINTAH PROVINSI JAWA TENGAH
SEKRETARIAT DAERAH

NOTA DINAS

Yth.      : Sekretaris Daerah
Dari      : Kepala Biro Organisasi
Tembusan  : Asisten Administrasi
Tanggal   : 20 November 2025
Nomor     : 065/432/ORG
Sifat     : Penting
Hal       : Laporan Hasil Evaluasi Pelayanan Publik

Menindaklanjuti disposisi tanggal 3 November 2025, kami laporkan sebagai berikut.

                                    Kepala Biro Organisasi,


                                    Dra. RETNO WULANDARI, M.Si.
                                    Pembina Utama Muda (IV/c)
                                    NIP. 196808171993032004
""")
    assert values["addressee"] == "Sekretaris Daerah"
    assert values["date"] == "2025-11-20"
    assert values["number"] == "065/432/ORG"
    assert values["title"] == "NOTA DINAS"
    assert values["signatory"] == "Dra. RETNO WULANDARI, M.Si."
    assert values["subject"] == "Laporan Hasil Evaluasi Pelayanan Publik"


def test_minutes_tell_their_date_in_words_and_bear_two_signatures(values_of, check_text):
    minutes = """\
KEMENTERIAN KELAUTAN DAN PERIKANAN
BALAI PERIKANAN BUDIDAYA AIR TAWAR

BERITA ACARA SERAH TERIMA BARANG
Nomor : BA.015/BPBAT/PL.410/III/2026

Pada hari ini, Kamis, tanggal dua belas bulan Maret tahun dua ribu dua puluh
enam, kami yang bertanda tangan di bawah ini:
1. Nama : Suparno, S.Pi
   NIP  : 197503152000031002
2. Nama : Hasan Basri

PIHAK PERTAMA telah menyerahkan barang kepada PIHAK KEDUA.

PIHAK KEDUA,                       PIHAK PERTAMA,



HASAN BASRI                        SUPARNO, S.Pi
                                   NIP. 197503152000031002
"""
    values = values_of(minutes)
    assert values["date"] == "2026-03-12"
    assert values["number"] == "BA.015/BPBAT/PL.410/III/2026"
    assert values["signatory"] == "SUPARNO, S.Pi"
    assert values["title"] == "BERITA ACARA SERAH TERIMA BARANG"


def test_a_letter_without_head_or_number_of_its_signatory(values_of):
    values = values_of("""\
Nomor: 460/112/Dinsos/2026
Bogor, 12 Maret 2026
Perihal: Surat Tugas Pendampingan

Menugaskan Budi Santoso untuk mendampingi penyaluran bantuan.

Kepala Dinas Sosial Kabupaten Bogor,

Rina Marlina
""")
    assert values["institution"] == "Dinas Sosial Kabupaten Bogor"
    assert values["signatory"] == "Rina Marlina"
    assert values["number"] == "460/112/Dinsos/2026"


def test_title_and_number_in_one_line(values_of):
    values = values_of("""\
KEMENTERIAN AGAMA
KANTOR KEMENTERIAN AGAMA KABUPATEN BLITAR
SURAT TUGAS NOMOR : B-77/Kk.13.08/KP.01/01/2026
Kepala Kantor menugaskan kepada Ahmad Fauzi untuk mengikuti rapat pada 20 Januari 2026.
Blitar, 14 Januari 2026
a.n. Kepala,
Kepala Subbagian Tata Usaha
Moh. Rosyad
""")
    assert values["number"] == "B-77/Kk.13.08/KP.01/01/2026"
    assert values["date"] == "2026-01-14"
    assert values["signatory"] == "Moh. Rosyad"


def test_letter_spaced_title_of_a_circular(check_text):
    fields = check_text("""\
GUBERNUR SULAWESI SELATAN

S U R A T   E D A R A N
Nomor : 100.3.4/1234/B.Organisasi

TENTANG

PENYESUAIAN JAM KERJA PADA BULAN RAMADAN

                                    Makassar, 24-02-2026
                                    Plt. GUBERNUR SULAWESI SELATAN,



                                    Prof. Dr. Zainal Muttaqin, M.Sc.
""").facts["fields"]
    assert fields["title"]["value"] == "SURAT EDARAN"
    assert fields["institution"]["value"] == "GUBERNUR SULAWESI SELATAN"
    assert fields["subject"]["value"] == "PENYESUAIAN JAM KERJA PADA BULAN RAMADAN"
    assert fields["date"]["value"] == "2026-02-24"


def test_of_two_signatures_in_a_row_the_right_one_counts(values_of):
    values = values_of("""\
YAYASAN BINA INSANI
Jl. Mawar No. 3 Depok

Nomor : 017/YBI/IV/2026
Lamp. : -
Hal   : Laporan Kegiatan Pelatihan

Kepada Yth.
Bapak Kepala Dinas Sosial Kota Depok
di Tempat

Depok, 2 April 2026

Mengetahui,                         Hormat kami,
Ketua Yayasan                       Sekretaris



Drs. Maman Suratman                 Fitri Aulia
""")
    assert values["signatory"] == "Fitri Aulia"
    assert values["addressee"] == "Bapak Kepala Dinas Sosial Kota Depok"
    assert values["number"] == "017/YBI/IV/2026"


def test_degrees_that_went_to_a_line_of_their_own_belong_to_the_name(values_of, usual_letter):
    letter = usual_letter.replace(
        "Drs. H. ASEP SURAPATI, M.Si.", "Drs. H. ASEP SURAPATI,\n" + " " * 37 + "S.H., M.Si."
    )
    assert values_of(letter)["signatory"] == "Drs. H. ASEP SURAPATI, S.H., M.Si."


def test_number_and_date_that_ocr_ran_together_come_apart(check_facts, facts_of, usual_letter):
    together = usual_letter.replace("2026            Bogor", "2026 Bogor")
    fields = check_facts(facts_of(together)).facts["fields"]
    assert fields["number"]["value"] == "440/123/DINKES/2026"
    assert fields["date"]["value"] == "2026-03-12"
    assert fields["place"]["value"] == "Bogor"


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("800 / 045 / ll / 2026", "800/045/II/2026"),
        ("470/015/Vl/2026", "470/015/VI/2026"),
        ("800.1/706-DINS0S", "800.1/706-DINSOS"),
        ("188.45/12/KEP/2026", "188.45/12/KEP/2026"),
    ],
)
def test_numbers_are_tidied(values_of, usual_letter, read, meant):
    assert values_of(usual_letter.replace("440/123/DINKES/2026", read))["number"] == meant
