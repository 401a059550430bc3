"""What was read becomes what a Latin text is written with."""

from __future__ import annotations

import pytest

from absah_ocr import typography


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("Nama：BUDI", "Nama: BUDI"),
        ("（021）123", "(021)123"),
        ("１２３ＡＢＣ", "123ABC"),
        ("Jakarta，Bogor。", "Jakarta, Bogor."),
        ("08：30", "08:30"),
        ("a\u3000b  c ", "a b c"),
        ("bertémbok dhuwur", "bertémbok dhuwur"),
    ],
)
def test_wide_punctuation_becomes_plain(read: str, written: str) -> None:
    assert typography.latin(read) == written


def test_other_scripts_keep_their_punctuation() -> None:
    assert typography.latin("中文，句子。") == "中文，句子。"


@pytest.mark.parametrize(
    ("pieces", "row"),
    [
        (["NIK", ":3201"], "NIK : 3201"),
        (["Tempat/Tgl Lahir :", ": BOGOR"], "Tempat/Tgl Lahir : BOGOR"),
        (["Lampiran", ":"], "Lampiran :"),
        (["Nama:", "BUDI"], "Nama: BUDI"),
        (["alone"], "alone"),
        (["NIK", ":", ": 3201"], "NIK : 3201"),
        ([":", ":3201"], ": 3201"),
    ],
)
def test_a_row_has_one_colon_between_label_and_value(pieces: list[str], row: str) -> None:
    texts = typography.abreast(pieces)
    assert len(texts) == len(pieces)
    assert " ".join(filter(None, texts)) == row
