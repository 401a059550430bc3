"""Names agree through titles, spellings and reading errors, and other people's do not."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from absah_claims import names, titles
from absah_claims.comparison import Outcome

AGREEING = [
    ("Budi Santoso", "BUDI SANTOSO", 0.99),
    ("budi santoso", "Budi Santoso", 0.99),
    ("Drs. H. Ahmad Fauzi, M.Si.", "AHMAD FAUZI", 0.97),
    ("Ahmad Fauzi", "Drs. H. AHMAD FAUZI, M.Si", 0.97),
    ("Hj. Siti Aminah, S.H.", "SITI AMINAH", 0.97),
    ("Prof. Dr. Ir. R. Soekarno Wijaya", "SUKARNO WIJAYA", 0.97),
    ("Raden Mas Said Kusuma", "SAID KUSUMA", 0.97),
    ("Budi Santoso SH MH", "BUDI SANTOSO", 0.97),
    ("Budi Santoso M. Si", "BUDI SANTOSO", 0.97),
    ("apt. Rina Handayani, S.Farm.", "RINA HANDAYANI", 0.97),
    ("dr. Rina Handayani, Sp.A", "RINA HANDAYANI", 0.97),
    ("Dr. (H.C.) Joko Susilo", "JOKO SUSILO", 0.97),
    ("H.Muhammad Ridwan", "MUHAMMAD RIDWAN", 0.97),
    ("Mohammad Ali Hasan", "MUHAMMAD ALI HASAN", 0.97),
    ("Moh. Ali Hasan", "MUHAMMAD ALI HASAN", 0.97),
    ("Muh. Ali Hasan", "MOCHAMAD ALI HASAN", 0.97),
    ("M. Yusuf", "MUHAMMAD JUSUF", 0.97),
    ("Rizki Pratama", "MUHAMMAD RIZKI PRATAMA", 0.97),
    ("Muhammad Nur Hidayat", "NUR HIDAYAT", 0.97),
    ("Ach. Fauzi Rahman", "ACHMAD FAUZI ROCHMAN", 0.97),
    ("A. Rahman", "ABDUL RAHMAN", 0.97),
    ("Abdul Rahman Saleh", "A. R. SALEH", 0.97),
    ("Budi S.", "BUDI SANTOSO", 0.97),
    ("Abd. Rahman", "ABDUL RAHMAN", 0.97),
    ("Abdurrahman Wahid", "ABDUL RAHMAN WAHID", 0.97),
    ("Nurhasanah Lubis", "NUR HASANAH LUBIS", 0.97),
    ("Khairunnisa Putri", "KHAIRUN NISA PUTRI", 0.97),
    ("Soeharto", "SUHARTO", 0.97),
    ("Djoko Tjahjono", "JOKO CAHYONO", 0.97),
    ("Soerjadi Widjaja", "SURYADI WIJAYA", 0.97),
    ("Sjahrul Gunawan", "SYAHRUL GUNAWAN", 0.97),
    ("Tjandra Wijaya", "CHANDRA WIJAYA", 0.97),
    ("Rizky Hidajat", "RIZKI HIDAYAT", 0.97),
    ("Rachmat Effendy", "RAHMAT EFENDI", 0.97),
    ("Choirul Anam", "KHOIRUL ANAM", 0.97),
    ("Fachruddin Siregar", "FAHRUDIN SIREGAR", 0.97),
    ("Dzulkifli Hasan", "ZULKIFLI HASSAN", 0.97),
    ("Aisyah Rahmawati", "AISAH ROHMAWATI", 0.95),
    ("Ma'ruf Amin", "MARUF AMIN", 0.97),
    ("I Made Mangku Pastika", "MADE MANGKU PASTIKA", 0.97),
    ("Ni Luh Putu Sari", "LUH PUTU SARI", 0.97),
    ("Ahmad bin Abdullah", "AHMAD ABDULLAH", 0.97),
    ("Santoso, Budi", "BUDI SANTOSO", 0.97),
    ("Budi Santoso", "BUDI SANTOSO WIJAYA", 0.97),
    ("Budi Santoso", "BUDISANTOSO", 0.95),
    ("Siti Nur Halizah", "SITI NURHALIZAH", 0.95),
    ("Budi Santoso", "BUDI SANT0S0", 0.95),
    ("Budi Santoso", "BUDI 5ANTOSO", 0.95),
    ("Budi Santoso", "BUDI SANTOSQ", 0.95),
    ("Kurniawan Dwi", "Kumiawan Dwi", 0.9),
    ("Lilis Suryani", "LlLIS SURYANl", 0.95),
    ("Ilham Hidayat", "1LHAM H1DAYAT", 0.95),
    ("Yusuf Maulana", "YUSUF MAUIANA", 0.95),
    ("Hendra Gunawan", "HENDRA GUNAVVAN", 0.9),
    ("José Maria Pereira", "JOSE MARIA PEREIRA", 0.97),
    ("Ali", "ALI", 0.97),
    ("I Wayan", "I WAYAN", 0.97),
    ("Siti", "SITI", 0.97),
]

CONTRADICTING = [
    ("Budi Santoso", "SITI AMINAH"),
    ("Budi Santoso", "BUDI HARTONO"),
    ("Budi Santoso", "AGUS SANTOSO"),
    ("Ahmad Fauzi Rahman", "AHMAD FAUZI HIDAYAT"),
    ("A. Rahman", "BUDI RAHMAN"),
    ("Muhammad Ali", "MUHAMMAD HUSEIN"),
    ("Siti Aminah", "SITI RAHMAWATI"),
    ("Drs. H. Ahmad Fauzi, M.Si.", "DRS. H. ZAINAL ABIDIN, M.SI."),
    ("Ketut Wirawan", "KETUT SUDIARTA"),
    ("Joko Widodo", "PRABOWO SUBIANTO"),
    ("Maria Simanjuntak", "MARIA SIREGAR"),
    ("Suharto", "SUKARNO PUTRA"),
]

DOUBTFUL = [
    ("Dedi Kurniawan", "DENI KURNIAWAN", 0.97),
    ("Dina Mariana", "DINO MARIANA", 0.9),
    ("Rina Wati", "RITA WATI", 0.97),
    ("Suryanto Halim", "SUYANTO HALIM", 0.97),
    ("Hasan Basri", "HASAN BASRO", 0.97),
    ("Muhammad Ali", "ALI", 0.97),
    ("Muhammad Rizki", "MUHAMMAD RIZKI PRATAMA", 0.97),
    ("Siti Aminah", "SITI AMINAH HARAHAP", 0.97),
    ("Budi Santoso Wijaya", "BUDI SANTOSO", 0.97),
    ("Budi Santoso", "BUDI", 0.97),
    ("Budi Santoso", "SANTOSO", 0.97),
    ("Budi Santoso", "BUDI SAN", 0.97),
    ("Budi Santoso", "BUDI SANTOSQ", 0.999),
    ("Budi Santoso", "SITI AMINAH", 0.6),
    ("Budi Santoso", "8U0! 5HNT0$D", 0.55),
    ("Budi Santoso", "", 0.99),
    ("Budi Santoso", "::", 0.99),
    ("H.", "BUDI SANTOSO", 0.99),
    ("A. B.", "ANDI BUDIMAN", 0.97),
]


@pytest.mark.parametrize(("claimed", "read", "confidence"), AGREEING)
def test_variants_of_one_name_agree(claimed: str, read: str, confidence: float) -> None:
    assert names.compare(claimed, read, confidence) is Outcome.AGREES


@pytest.mark.parametrize(("claimed", "read"), CONTRADICTING)
def test_another_persons_name_contradicts(claimed: str, read: str) -> None:
    assert names.compare(claimed, read, 0.97) is Outcome.CONTRADICTS


@pytest.mark.parametrize(("claimed", "read", "confidence"), DOUBTFUL)
def test_a_name_that_may_be_anothers_stays_unsettled(
    claimed: str, read: str, confidence: float
) -> None:
    assert names.compare(claimed, read, confidence) is Outcome.UNSETTLED


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("Drs.H.Fauzi, S.Sos., M. Si", "Fauzi"),
        ("ALI AKBAR S.E., M.M.", "ALI AKBAR"),
        ("H. R. Rasuna Said", "Rasuna Said"),
        ("Siti Aminah A.Md.Keb", "Siti Aminah"),
        ("M. Ali", "M. Ali"),
        ("Budi S.", "Budi S."),
        ("Ir", "Ir"),
        ("Santoso, BUDI", "Santoso BUDI"),
    ],
)
def test_titles_and_degrees_fall_away(name: str, left: str) -> None:
    assert titles.strip(name) == left


WORDS = st.text(string.ascii_uppercase, min_size=4, max_size=9)
NAMES = st.lists(WORDS, min_size=2, max_size=3).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES, st.floats(0, 0.79))
def test_a_doubtful_reading_never_contradicts(name: str, read: str, confidence: float) -> None:
    assert names.compare(name, read, confidence) is not Outcome.CONTRADICTS


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES, st.floats(0, 1))
def test_a_name_drawn_at_random_never_agrees(name: str, read: str, confidence: float) -> None:
    assume(not set(name) & set(read) or len(set(name.split()) & set(read.split())) == 0)
    assume(all(a[:3] != b[:3] for a in name.split() for b in read.split()))
    assert names.compare(name, read, confidence) is not Outcome.AGREES


@settings(max_examples=60, deadline=None)
@given(NAMES)
def test_every_name_agrees_with_itself(name: str) -> None:
    assert names.compare(name.title(), name, 0.9) is not Outcome.CONTRADICTS
