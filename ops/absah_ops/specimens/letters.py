"""Invent official letters of the Indonesian administration (naskah dinas) in their usual forms."""

from __future__ import annotations

import datetime
import enum
import random
from dataclasses import dataclass

from lokal import wilayah

from absah_ops.specimens import people, words
from absah_ops.specimens.people import Person


class Form(enum.StrEnum):
    """The forms that are drawn; each has its own place for number, date and subject."""

    LETTER = "surat dinas"
    INVITATION = "undangan"
    ASSIGNMENT = "surat tugas"
    STATEMENT = "surat keterangan"
    MEMO = "nota dinas"
    DECREE = "keputusan"
    CIRCULAR = "surat edaran"
    MINUTES = "berita acara"


TITLES = {
    Form.ASSIGNMENT: "SURAT TUGAS",
    Form.STATEMENT: "SURAT KETERANGAN",
    Form.MEMO: "NOTA DINAS",
    Form.CIRCULAR: "SURAT EDARAN",
    Form.MINUTES: "BERITA ACARA",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A fictional official letter."""

    form: Form
    institution: tuple[str, ...]
    """The lines that head it, from the whole to the part, in capitals."""
    contact: tuple[str, ...]
    """Address, telephone and so on, under the institution."""
    number: str
    date: datetime.date
    place: str
    subject: str
    addressee: str
    signatory: str
    signatory_title: str
    signatory_rank: str
    signatory_nip: str
    paragraphs: tuple[str, ...]
    on_behalf: str = ""
    """For whom it is signed: "a.n. Bupati Bogor"."""
    copies: tuple[str, ...] = ()
    person: Person | None = None
    """Whom it is about: who is sent, or whose residence it states."""

    def fields(self) -> dict[str, str]:
        """What a reader of this letter should find, under the `letter` checker's names."""
        found = {
            "number": self.number,
            "date": self.date.isoformat(),
            "institution": ", ".join(self.institution),
            "signatory": self.signatory,
            "signatory_nip": self.signatory_nip,
            "subject": self.subject,
        }
        if self.form is not Form.MEMO:
            found["place"] = self.place
        return found | ({"addressee": self.addressee} if self.addressee else {})


def in_words(date: datetime.date) -> str:
    """A date as letters write it: "12 Maret 2026"."""
    return f"{date.day} {words.MONTHS[date.month - 1]} {date.year}"


def make_letter(seed: int, *, form: Form | None = None, person: Person | None = None) -> Letter:
    """Invent the letter of this number; `form` and `person` are drawn too unless given."""
    rng = random.Random(f"letter {seed}")  # noqa: S311
    form = form or rng.choice(list(Form))
    person = person or people.make_person(seed + 50_000)
    regency = rng.choice(wilayah.list_wilayah(rng.choice(wilayah.list_wilayah()).code)).name
    institution, title = _institution(rng, regency)
    date = datetime.date(2023, 1, 2) + datetime.timedelta(days=rng.randrange(1200))
    place = regency.split(" ")[-1] if regency.startswith("Kota") else regency.split(" ", 1)[1]
    subject = _subject(rng, form, person)
    return Letter(
        form=form,
        institution=institution,
        contact=_contact(rng, place),
        number=_number(rng, date, form),
        date=date,
        place=place,
        subject=subject,
        addressee=_addressee(rng, form, place),
        signatory=_signatory(rng),
        signatory_title=title,
        signatory_rank=rng.choice(words.RANKS),
        signatory_nip=_nip(rng),
        paragraphs=_paragraphs(rng, form, subject, person, date),
        on_behalf=rng.choice(("", "", f"a.n. Bupati {place}", "a.n. Sekretaris Daerah")),
        copies=tuple(rng.sample(("Bupati (sebagai laporan)", "Inspektur", "Arsip"), 2))
        if rng.random() < 0.4
        else (),
        person=person,
    )


def _institution(rng: random.Random, regency: str) -> tuple[tuple[str, ...], str]:
    if rng.random() < 0.2:
        return rng.choice(words.MINISTRIES), "Kepala Kantor"
    agency = rng.choice(words.AGENCIES)
    if rng.random() < 0.2:
        village = rng.choice(words.FAMILY_NAMES)
        lines = (f"PEMERINTAH {regency.upper()}", f"KECAMATAN {village}", f"DESA {village}")
        return lines, f"Kepala Desa {village.title()}"
    return (f"PEMERINTAH {regency.upper()}", agency), f"Kepala {agency.title()}"


def _contact(rng: random.Random, place: str) -> tuple[str, ...]:
    street = f"Jalan {rng.choice(words.STREETS).title()} Nomor {rng.randint(1, 90)}"
    phone = f"Telepon (0{rng.randint(211, 980)}) {rng.randint(200000, 899999)}"
    mail = f"Laman www.{place.replace(' ', '').lower()}kab.go.id"
    return rng.choice(
        (
            (f"{street} {place} {rng.randint(10110, 98990)}", f"{phone} {mail}"),
            (f"{street}, {phone}",),
            (f"{street} {phone} Faksimile (021) 123456", mail, place.upper()),
        )
    )


def _number(rng: random.Random, date: datetime.date, form: Form) -> str:
    serial, unit = rng.randint(1, 980), rng.choice(words.UNIT_CODES)
    roman = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")[
        date.month - 1
    ]
    if form is Form.DECREE:
        return rng.choice((f"{serial} TAHUN {date.year}", f"188.45/{serial}/KEP/{date.year}"))
    return rng.choice(
        (
            f"{rng.randint(0, 99):03d}/{serial:03d}/{unit}/{date.year}",
            f"800.1.11.1/{serial:03d}-{unit}",
            f"{rng.choice('BS')}-{serial}/{unit}.0{rng.randint(1, 9)}/{date:%m/%Y}",
            f"{rng.randint(100, 900)}/{serial}/{roman}/{date.year}",
            f"{serial}/{unit}/{roman}/{date.year}",
        )
    )


def _subject(rng: random.Random, form: Form, person: Person) -> str:
    activity = rng.choice(words.ACTIVITIES)
    purpose = f"melaksanakan {activity} di Kecamatan {person.district.title()}"
    return {
        Form.LETTER: rng.choice(words.SUBJECTS),
        Form.INVITATION: f"Undangan {activity.title()}",
        Form.ASSIGNMENT: purpose,
        Form.STATEMENT: "SURAT KETERANGAN",
        Form.MEMO: rng.choice(words.SUBJECTS),
        Form.DECREE: f"PEMBENTUKAN TIM PELAKSANA {activity.upper()}",
        Form.CIRCULAR: f"PELAKSANAAN {activity.upper()}",
        Form.MINUTES: f"SERAH TERIMA HASIL {activity.upper()}",
    }[form]


def _addressee(rng: random.Random, form: Form, place: str) -> str:
    if form not in (Form.LETTER, Form.INVITATION, Form.MEMO):
        return ""
    return rng.choice(
        (
            f"Camat se-Kabupaten {place}",
            f"Kepala Desa {rng.choice(words.FAMILY_NAMES).title()}",
            "Direktur RSUD",
            f"Kepala Bidang Umum {place}",
            "Para Kepala Perangkat Daerah",
        )
    )


def _signatory(rng: random.Random) -> str:
    name = f"{rng.choice(words.MALE_NAMES + words.FEMALE_NAMES)} {rng.choice(words.FAMILY_NAMES)}"
    name = name if rng.random() < 0.5 else name.title().replace("'R", "'r")
    return f"{rng.choice(words.DEGREES_BEFORE)}{name}{rng.choice(words.DEGREES_AFTER)}"


def _nip(rng: random.Random) -> str:
    born = datetime.date(1966, 1, 1) + datetime.timedelta(days=rng.randrange(9000))
    served = f"{born.year + rng.randint(22, 30)}{rng.randint(1, 12):02d}"
    return f"{born:%Y%m%d}{served}{rng.choice('12')}{rng.randint(1, 30):03d}"


def _paragraphs(
    rng: random.Random, form: Form, subject: str, person: Person, date: datetime.date
) -> tuple[str, ...]:
    held = date + datetime.timedelta(days=rng.randint(3, 20))
    who = f"Nama: {person.name}\nNIK: {person.nik}\nJabatan: {person.occupation.title()}"
    if form is Form.ASSIGNMENT:
        return (who, f"Untuk: {subject} pada tanggal {in_words(held)}.", _CLOSING)
    if form is Form.STATEMENT:
        home = f"Alamat: {person.address}, {person.village}"
        return ("Yang bertanda tangan di bawah ini menerangkan bahwa:", f"{who}\n{home}", _STATES)
    if form is Form.DECREE:
        return (
            "Menimbang: bahwa untuk kelancaran kegiatan perlu membentuk tim pelaksana;",
            "Mengingat: Undang-Undang Nomor 23 Tahun 2014 tentang Pemerintahan Daerah;",
            f"KESATU: Membentuk tim dengan ketua {person.name}.",
            "KEDUA: Keputusan ini mulai berlaku pada tanggal ditetapkan.",
        )
    if form is Form.MINUTES:
        return (
            "Kedua belah pihak telah melaksanakan serah terima dengan baik dan lengkap.",
            "Demikian berita acara ini dibuat dalam rangkap dua untuk dipergunakan seperlunya.",
        )
    return (
        f"Sehubungan dengan {rng.choice(words.ACTIVITIES)}, bersama ini kami sampaikan hal-hal "
        "yang perlu mendapat perhatian Saudara sebagaimana mestinya.",
        f"Hari: {words.DAYS[held.weekday()]}\nTanggal: {in_words(held)}\nWaktu: 09.00 WIB s.d. "
        f"selesai\nTempat: Aula Kantor {person.district.title()}",
        "Demikian disampaikan, atas perhatian dan kerja sama Saudara diucapkan terima kasih.",
    )


_CLOSING = "Demikian surat tugas ini dibuat untuk dilaksanakan dengan penuh tanggung jawab."
_STATES = (
    "adalah benar penduduk yang berdomisili di wilayah kami. Demikian surat keterangan ini dibuat "
    "dengan sebenarnya untuk dapat dipergunakan sebagaimana mestinya."
)
