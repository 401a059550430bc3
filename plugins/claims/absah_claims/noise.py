"""Draw claims, evidence and reading errors at random, to measure the comparisons with."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass

from absah_indonesian.wordlists import words

_GIVEN = sorted(
    words(
        """Budi Siti Ahmad Agus Dewi Rina Joko Sri Eko Rudi Ani Hasan Fitri Yusuf Bambang Ratna
        Hendra Lestari Wahyu Nur Dian Rizki Putri Andi Indah Teguh Yanti Slamet Umar Aminah
        Zainal Maria Yohanes Ketut Wayan Made Nyoman Asep Ujang Dadang Neneng Iwan Heri
        Sulastri Kartini Maya Dedi Deni Doni Toni Tono Sari Rahmat Taufik Ilham Nurul Fauzi
        Khairul Syahrul Marlina Elisabet Petrus Markus Lukas Tigor Parlindungan Andreas
        Daniel Ruth Ester Suryani Mulyadi"""
    )
)
_FAMILY = sorted(
    words(
        """Santoso Wijaya Susanto Hartono Setiawan Kurniawan Hidayat Nugroho Pratama Saputra
        Rahman Siregar Nasution Simanjuntak Harahap Lubis Ginting Sembiring Situmorang
        Gunawan Wibowo Suharto Sukarno Prasetyo Purnomo Handayani Puspitasari Wulandari
        Anggraini Permata Utami Rahmawati Hakim Maulana Ramadhan Firmansyah Budiman Halim
        Salim Suryadi Suryanto Sugiarto Kusuma Widodo Yulianto Aritonang Tambunan
        Pangaribuan Manurung Latuconsina Pattimura Tuasikal Suparman Supriyadi Mulyono
        Basuki Iskandar Yudhoyono Aminudin Zulkarnain Fadilah Oktaviani"""
    )
)
_WOMEN = words(
    "Siti Sri Dewi Rina Ani Fitri Ratna Lestari Dian Putri Indah Yanti Aminah Maria Ketut"
)
_WOMEN |= words("Wayan Made Nyoman Neneng Sulastri Kartini Maya Sari Marlina Elisabet Ruth Ester")
_TITLES = ("", "", "", "Drs. ", "Ir. ", "H. ", "Hj. ", "Dr. ", "Prof. Dr. ", "Bapak ", "dr. ")
_DEGREES = ("", "", "", ", S.H.", ", M.Si.", " S.Pd", ", S.Sos., M.AP.", ", SE, MM", ", S.Kom.")
_SPELLINGS = (
    ("Suharto", "Soeharto"), ("Sukarno", "Soekarno"), ("Wijaya", "Widjaja"), ("Yusuf", "Jusuf"),
    ("Rizki", "Rizky"), ("Rahmat", "Rachmat"), ("Ahmad", "Achmad"), ("Khairul", "Choirul"),
    ("Joko", "Djoko"), ("Mulyadi", "Muliadi"), ("Hasan", "Hassan"), ("Syahrul", "Sjahrul"),
    ("Supriyadi", "Supriadi"), ("Fadilah", "Fadhila"), ("Ramadhan", "Ramadan"), ("Dedi", "Dedy"),
    ("Yudhoyono", "Yudoyono"), ("Suryanto", "Soerjanto"), ("Kusuma", "Koesoema"),
)  # fmt: skip
_LETTER_SLIPS = {
    "A": "4R", "B": "8R", "C": "GO", "D": "OQ", "E": "F", "G": "6C", "H": "N", "I": "1L", "L": "I1",
    "M": "N", "N": "HM", "O": "0Q", "S": "5", "T": "I7", "U": "V", "V": "UY", "Z": "2", "R": "P",
}  # fmt: skip
_DIGIT_SLIPS = {
    "0": "O68", "1": "7Il", "2": "Z7", "3": "8", "4": "1A", "5": "6S", "6": "58", "7": "1T",
    "8": "3B0", "9": "4g",
}  # fmt: skip
_MONTHS = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
_VILLAGES = ("Sukamaju", "Mekarsari", "Karanganyar", "Cikeas", "Sidomulyo", "Tanjungsari")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A line as a reader gives it back."""

    text: str
    confidence: float
    slips: int


def person(draw: random.Random) -> str:
    """A name of two or three words."""
    given = draw.sample(_GIVEN, draw.choice((1, 1, 2)))
    return " ".join([*given, draw.choice(_FAMILY)])


def other_person(draw: random.Random, name: str) -> str:
    """Somebody else's name, which may share a word."""
    while True:
        other = person(draw)
        first, second = other.split(), name.split()
        if draw.random() < 0.3:
            other = " ".join([second[0], *first[1:]])
        if len(set(other.split()) - set(second)) >= 1 and other.split()[-1] != second[-1]:
            return other


def sibling(draw: random.Random, name: str) -> str:
    """A name that differs by one letter which no reader would mix up."""
    while True:
        position = draw.randrange(len(name))
        letter = draw.choice("bdgkmprtw")
        if name[position].isalpha() and name[position].lower() != letter:
            changed = name[:position] + letter + name[position + 1 :]
            if letter.upper() not in _LETTER_SLIPS.get(name[position].upper(), ""):
                return changed.title()


def spelled_otherwise(draw: random.Random, name: str) -> str:
    """The same name as people write it: old spelling, initials, a title, a degree, capitals."""
    words_of = [_respelled(word) if draw.random() < 0.4 else word for word in name.split()]
    if len(words_of) == 3 and draw.random() < 0.2:
        words_of[0] = words_of[0][0] + "."
    elif words_of[0] not in _WOMEN and draw.random() < 0.1:
        words_of.insert(0, draw.choice(("Muhammad", "Moh.", "M.")))
    written = " ".join(words_of)
    if draw.random() < 0.5:
        written = draw.choice(_TITLES) + written + draw.choice(_DEGREES)
    return draw.choice((written, written.upper(), written.lower()))


def _respelled(word: str) -> str:
    return next((new for old, new in _SPELLINGS if old == word), word)


def read(draw: random.Random, text: str, rate: float) -> Reading:
    """What a reader makes of printed text, a share of whose characters it gets wrong.

    Of ten mistakes eight take a character for one that looks like it, one loses a character and
    one gives any other. Confidence is the mean over characters, of which misread ones have less.
    """
    out, slips = [], 0
    for character in text:
        if not character.isalnum() or draw.random() >= rate:
            out.append(character)
            continue
        slips += 1
        kind = draw.random()
        likes = _DIGIT_SLIPS if character.isdigit() else _LETTER_SLIPS
        if kind < 0.8:
            out.append(draw.choice(likes.get(character.upper(), character)))
        elif kind > 0.9:
            out.append(draw.choice("ABCDEFGHKLMNPRSTUW" if character.isalpha() else "0123456789"))
    spoilt = slips * draw.uniform(0.3, 0.7)
    confidence = (len(text) * draw.uniform(0.97, 0.999) - spoilt) / max(len(text), 1)
    return Reading(text="".join(out), confidence=max(confidence, 0.0), slips=slips)


def birth_date(draw: random.Random) -> datetime.date:
    """A day on which a grown-up may be born."""
    return datetime.date(1955, 1, 1) + datetime.timedelta(days=draw.randrange(18_000))


def nik(draw: random.Random, born: datetime.date, sex: str) -> str:
    """A well-formed NIK of a district that there is."""
    region = draw.choice(("320101", "317106", "337401", "350701", "127101", "510301", "737102"))
    day = born.day + (40 if sex == "P" else 0)
    return f"{region}{day:02}{born:%m%y}{draw.randrange(1, 60):04}"


def letter_number(draw: random.Random) -> str:
    """A number as regional offices give their letters."""
    office = draw.choice(("BKPSDM", "Dinkes", "Disdik", "SETDA", "DPMD", "Kesra"))
    month = draw.choice(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"))
    kind = draw.choice(("005", "094", "800", "440", "421.2"))
    return f"{kind}/{draw.randrange(1, 999):03}/{office}/{month}/{draw.choice((2024, 2025, 2026))}"


def written_date(draw: random.Random, date: datetime.date) -> str:
    """The date in one of the ways that reports write it."""
    month = _MONTHS.split()[date.month - 1]
    return draw.choice(
        (
            f"{date.day} {month} {date.year}",
            f"{date.day:02}-{date.month:02}-{date.year}",
            f"{date.day}/{date.month}/{date.year}",
            f"{date.day} {month[:3]} {date.year}",
            f"{date.day} {month.upper()} {date.year}",
        )
    )


def report(draw: random.Random, name: str, date: datetime.date, place: str) -> str:
    """A short report of an event on a date at a place, with other dates and people in it."""
    earlier = date - datetime.timedelta(days=draw.randrange(3, 20))
    later = date + datetime.timedelta(days=draw.randrange(0, 5))
    return draw.choice(_REPORTS).format(
        name=name,
        date=written_date(draw, date),
        earlier=written_date(draw, earlier),
        later=written_date(draw, later),
        place=place,
        other=person(draw),
    )


def place(draw: random.Random) -> tuple[str, str]:
    """A place in full and the regency that it lies in."""
    district, regency = draw.choice(
        (
            ("Cibinong", "Kabupaten Bogor"),
            ("Lembang", "Kabupaten Bandung Barat"),
            ("Banyumanik", "Kota Semarang"),
            ("Lowokwaru", "Kota Malang"),
            ("Medan Baru", "Kota Medan"),
            ("Kuta Selatan", "Kabupaten Badung"),
            ("Biringkanaya", "Kota Makassar"),
            ("Depok", "Kabupaten Sleman"),
        )
    )
    village = draw.choice(_VILLAGES)
    return f"Desa {village}, Kecamatan {district}, {regency}", regency


_REPORTS = (
    "LAPORAN KEGIATAN\nBerdasarkan Surat Tugas Nomor 094/12/2026 tanggal {earlier}, telah "
    "dilaksanakan penyaluran bantuan pada tanggal {date} bertempat di {place}. Kegiatan dihadiri "
    "{other} dan warga.\nDemikian laporan ini dibuat.\nPelapor: {name}\n",
    "Hari/Tanggal : {date}\nTempat : {place}\nPetugas : {name}\nHadir {other}. Penyuluhan "
    "kesehatan berlangsung lancar. Undangan tertanggal {earlier}.\nBogor, {later}\n",
    "Pada {date} kami mengunjungi {place} bersama {other}. Posyandu diikuti 25 balita.\n"
    "Dilaporkan oleh {name}\n",
)
