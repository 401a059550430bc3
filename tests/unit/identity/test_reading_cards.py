"""Fields are found whatever the layout, the spelling of labels and the turn of the card."""

from __future__ import annotations

import re

import pytest

USUAL_VALUES = {
    "nik": "3201011508950001",
    "name": "BUDI SANTOSO",
    "birth_place": "BOGOR",
    "birth_date": "1995-08-15",
    "sex": "L",
    "address": "JL. MERDEKA NO. 12",
    "rt_rw": "001/002",
    "village": "CIBINONG",
    "district": "CIBINONG",
    "regency": "KABUPATEN BOGOR",
    "province": "JAWA BARAT",
    "religion": "ISLAM",
    "marital_status": "KAWIN",
    "occupation": "KARYAWAN SWASTA",
    "nationality": "WNI",
    "valid_until": "SEUMUR HIDUP",
}


def test_all_fields_of_a_usual_card_are_read(values_of, usual_card):
    assert values_of(usual_card) == USUAL_VALUES


@pytest.mark.parametrize("slope", [-0.2, -0.1, 0.1, 0.2])
def test_a_skewed_card_keeps_its_rows_apart(values_of, usual_card, slope):
    assert values_of(usual_card, slope=slope) == USUAL_VALUES


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
def test_rows_that_ocr_joined_are_read(check, facts_of, usual_card, told):
    facts = joined_by_rows(facts_of(usual_card))
    if not told:
        for line in facts["lines"]:
            del line["parts"]
    fields = check(facts).facts["fields"]
    assert {name: field["value"] for name, field in fields.items()} == USUAL_VALUES


def _half(box):
    return {
        "left": 1 - box["left"] - box["width"],
        "top": 1 - box["top"] - box["height"],
        "width": box["width"],
        "height": box["height"],
    }


def _rows_downward(box):
    return {
        "left": 1 - box["top"] - box["height"],
        "top": box["left"],
        "width": box["height"] / 2,
        "height": box["width"],
    }


def _rows_upward(box):
    return {
        "left": box["top"],
        "top": 1 - box["left"] - box["width"],
        "width": box["height"] / 2,
        "height": box["width"],
    }


@pytest.mark.parametrize("turn", [_half, _rows_downward, _rows_upward])
def test_a_card_turned_by_quarters_is_read(check, facts_of, usual_card, turn):
    facts = facts_of(usual_card)
    for line in facts["lines"]:
        line["box"] = turn(line["box"])
    fields = check(facts).facts["fields"]
    assert {name: field["value"] for name, field in fields.items()} == USUAL_VALUES


def test_value_in_the_line_of_its_label_needs_no_colon(values_of):
    values = values_of("""
        REPUBLIK INDONESIA
        KARTU TANDA PENDUDUK
        NIK 3171014506920003
        Nama Siti Rahmawati
        Tempat/Tgl Lahir Jakarta, 05-06-1992
        Jenis Kelamin Perempuan
        Alamat Jl. Kebon Sirih No. 5
    """)
    assert values == {
        "nik": "3171014506920003",
        "name": "SITI RAHMAWATI",
        "birth_place": "JAKARTA",
        "birth_date": "1992-06-05",
        "sex": "P",
        "address": "JL. KEBON SIRIH NO. 5",
    }


def test_labels_misread_and_words_run_together_are_understood(values_of):
    values = values_of("""
        PROVINSIJAWATENGAH
        KOTASEMARANG
        NlK:33740l1708880002
        Narna:AHMAD FAUZI
        Tempat/TglLahir:SEMARANG,17-08-1988
        JenisKelamin:LAKI-LAKI Gol.Darah:B
        RT/RW:003/004
        KelDesa:SEKAYU
        Kecamatan:SEMARANGTENGAH
        StatusPerkawinan:BELUMKAWIN
        BerlakuHingga:SEUMURHIDUP
    """)
    assert values == {
        "nik": "3374011708880002",
        "name": "AHMAD FAUZI",
        "birth_place": "SEMARANG",
        "birth_date": "1988-08-17",
        "sex": "L",
        "rt_rw": "003/004",
        "village": "SEKAYU",
        "district": "SEMARANG TENGAH",
        "regency": "KOTA SEMARANG",
        "province": "JAWA TENGAH",
        "marital_status": "BELUM KAWIN",
        "valid_until": "SEUMUR HIDUP",
    }


def test_values_below_their_labels_are_read(values_of):
    values = values_of("""
        KARTU TANDA PENDUDUK

        NIK
        3273024107950004
        NAMA LENGKAP
        RINA MARLINA
        TEMPAT, TANGGAL LAHIR
        BANDUNG, 1 JULI 1995
        JENIS KELAMIN
        PEREMPUAN
        KELURAHAN/DESA
        DAGO
    """)
    assert values == {
        "nik": "3273024107950004",
        "name": "RINA MARLINA",
        "birth_place": "BANDUNG",
        "birth_date": "1995-07-01",
        "sex": "P",
        "village": "DAGO",
    }


def test_birth_place_and_date_may_have_rows_of_their_own(values_of):
    values = values_of("""
        NIK           : 5103012304850001
        Nama          : I WAYAN SUDIRA
        Tempat Lahir  : BADUNG
        Tanggal Lahir : 23/04/1985
        Jenis Kelamin : L
    """)
    assert (values["birth_place"], values["birth_date"], values["sex"]) == (
        "BADUNG",
        "1985-04-23",
        "L",
    )


def test_names_and_addresses_go_on_in_the_next_row(values_of):
    values = values_of("""
        NIK               : 3174096112900001
        Nama              : DEWI SARTIKA
                            PUTRI ANGGRAINI
        Tempat/Tgl Lahir  : JAKARTA, 21-12-1990
        Jenis Kelamin     : PEREMPUAN
        Alamat            : JL. JAGAKARSA RAYA
                            GG. MANGGIS NO. 4
           RT/RW          : 005/006
    """)
    assert values["name"] == "DEWI SARTIKA PUTRI ANGGRAINI"
    assert values["address"] == "JL. JAGAKARSA RAYA GG. MANGGIS NO. 4"


@pytest.mark.parametrize(
    ("label", "field"),
    [("Nama", "name"), ("Jenis Kelamin", "sex"), ("Kel/Desa", "village"), ("RT/RW", "rt_rw")],
)
def test_a_value_whose_label_was_not_read_is_told_by_form_or_place(
    values_of, usual_card, label, field
):
    values = values_of(usual_card.replace(label, " " * len(label)))
    assert values[field] == USUAL_VALUES[field]


def test_the_place_and_date_under_the_photo_are_no_values(values_of, usual_card):
    without_religion = usual_card.replace(": ISLAM", "       ")
    assert "religion" not in values_of(without_religion)


def test_a_value_that_begins_with_n_does_not_blur_its_label(values_of, usual_card):
    card = usual_card.replace("Tempat/Tgl Lahir  : BOGOR", "Tempat/Tgl Lahir : NUNUKAN")
    assert values_of(card)["birth_place"] == "NUNUKAN"


def test_the_city_under_the_photo_is_no_part_of_the_district(values_of, usual_card):
    card = usual_card.replace("Kecamatan      : CIBINONG", "Kecamatan : CILEUNGSI BOGOR")
    assert values_of(card)["district"] == "CILEUNGSI"


@pytest.mark.parametrize("text", ["00d/bbz", "d/d", "RT d RW d", "012/0O3", "1 / 2", "RT 5 RW 6"])
def test_neighbourhood_numbers_are_digits_or_nothing(values_of, usual_card, text):
    read = values_of(usual_card.replace("001/002", text)).get("rt_rw", "000/000")
    assert re.fullmatch(r"\d{3}/\d{3}", read)


def test_rows_of_two_columns_that_ocr_joined_are_doubted(check, facts_of):
    fields = check(
        facts_of("""
        PROVINSI JAMBI
        NIK Kel/Desa
        1507106007689162 PANDAN JAYA
        Nama Kecamatan
        AISYAH PUTRI GERAGAI
        Tempat/Tgl Lahir Agama
        MUARO JAMBI, 20-07-1968 HINDU
        Jenis Kelamin Pekerjaan
        PEREMPUAN GURU
    """)
    ).facts["fields"]
    assert fields["nik"]["value"] == "1507106007689162"
    assert fields["birth_date"]["value"] == "1968-07-20"
    assert fields["name"]["confidence"] < 0.6


def test_regions_are_spelled_as_the_register_does(values_of, usual_card):
    values = values_of(usual_card.replace("KABUPATEN BOGOR", "KABUPATEN B0GOR", 1))
    assert values["regency"] == "KABUPATEN BOGOR"


def test_another_village_of_a_similar_name_is_not_put_in_its_place(values_of, usual_card):
    card = usual_card.replace(": CIBINONG\n   Kec", ": CIBINONG DUA\n   Kec")
    assert values_of(card)["village"] == "CIBINONG DUA"


def test_every_field_has_a_finding_with_its_region(check, facts_of, usual_card):
    result = check(facts_of(usual_card))
    found = {f.attributes["field"]: f for f in result.findings if f.code == "field"}
    assert found.keys() == USUAL_VALUES.keys()
    assert found["name"].region.box.left > 0.2
    assert found["nik"].region.box.top < found["name"].region.box.top


def test_the_card_is_found_on_the_second_page(check, facts_of, usual_card):
    facts = facts_of(usual_card, page=2)
    facts["lines"] = [*facts_of("LAMPIRAN\nFotokopi identitas")["lines"], *facts["lines"]]
    result = check(facts)
    assert result.facts["page"] == 2
    assert result.facts["fields"]["name"]["value"] == "BUDI SANTOSO"
