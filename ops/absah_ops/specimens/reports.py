"""Invent reports of activities, in the ways that field officers write them."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass

from absah_ops.specimens import words
from absah_ops.specimens.letters import in_words
from absah_ops.specimens.people import Person


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A fictional report and what it says, under the names of a field report's claims."""

    text: str
    name: str
    nik: str
    date: datetime.date
    place: str
    participants: int
    activity: str

    def claims(self) -> dict[str, str | int]:
        """The claims that this report bears out."""
        return {
            "name": self.name,
            "nik": self.nik,
            "date": self.date.isoformat(),
            "place": self.place,
            "participants": self.participants,
            "activity": self.activity,
        }


def make_report(
    person: Person,
    *,
    seed: int = 0,
    date: datetime.date | None = None,
    place: str | None = None,
    participants: int | None = None,
    activity: str | None = None,
) -> Report:
    """Invent a report by this person, of 100 to 200 words; what is not given is drawn by seed."""
    rng = random.Random(f"report {seed} {person.nik}")  # noqa: S311
    drawn = datetime.date(2025, 1, 6) + datetime.timedelta(days=rng.randrange(500))
    date = date or drawn
    place = place or f"Desa {person.village.title()}, Kecamatan {person.district.title()}"
    participants = participants or rng.randint(3, 40)
    activity = activity or rng.choice(words.ACTIVITIES)
    write = rng.choice(_STYLES)
    text = write(
        _Told(
            person=person,
            date=date,
            place=place,
            participants=participants,
            activity=activity,
            rng=rng,
        )
    )
    return Report(
        text=text,
        name=person.name,
        nik=person.nik,
        date=date,
        place=place,
        participants=participants,
        activity=activity,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    person: Person
    date: datetime.date
    place: str
    participants: int
    activity: str
    rng: random.Random

    @property
    def day(self) -> str:
        return words.DAYS[self.date.weekday()]

    @property
    def name(self) -> str:
        return self.person.name.title()


def _formal(told: _Told) -> str:
    results = told.rng.sample(_RESULTS, 3)
    return f"""LAPORAN PELAKSANAAN KEGIATAN

I. PENDAHULUAN
Dalam rangka melaksanakan tugas pembinaan masyarakat, telah dilaksanakan kegiatan {told.activity}.

II. PELAKSANAAN
Hari/Tanggal : {told.day}, {in_words(told.date)}
Waktu        : pukul 09.00 s.d. 12.00 waktu setempat
Tempat       : {told.place}
Pelaksana    : {told.name} (NIK {told.person.nik})
Peserta      : {told.participants} orang

III. HASIL
1. {results[0]}
2. {results[1]}
3. {results[2]}

IV. KENDALA DAN SARAN
{told.rng.choice(_HINDRANCES)} {told.rng.choice(_ADVICE)}

V. PENUTUP
Demikian laporan ini dibuat dengan sebenarnya untuk dipergunakan sebagaimana mestinya.

Pelapor,

{told.name}
"""


def _narrative(told: _Told) -> str:
    first, second = told.rng.sample(_RESULTS, 2)
    return (
        f"Pada hari {told.day} tanggal {in_words(told.date)} saya, {told.name}, melaksanakan "
        f"kegiatan {told.activity} bertempat di {told.place}. Kegiatan dihadiri oleh "
        f"{told.participants} orang peserta yang terdiri atas perangkat desa, kader, dan warga "
        f"setempat. Acara dimulai pukul 08.30 dengan sambutan kepala desa, dilanjutkan penyampaian "
        f"materi dan diskusi.\n\n{first} {second} {told.rng.choice(_HINDRANCES)} Meskipun "
        "demikian kegiatan berjalan lancar dan selesai menjelang waktu zuhur.\n\n"
        f"{told.rng.choice(_ADVICE)} Foto kegiatan dan surat tugas terlampir bersama laporan ini. "
        "Apabila diperlukan keterangan lebih lanjut, saya bersedia memberikan penjelasan.\n\n"
        f"Hormat saya,\n{told.name}\nNIK: {told.person.nik}\n"
    )


def _notes(told: _Told) -> str:
    results = "\n".join(f"- {result}" for result in told.rng.sample(_RESULTS, 3))
    return (
        f"Laporan kegiatan {told.activity}\n"
        f"Nama: {told.name}\nNIK: {told.person.nik}\n"
        f"Tanggal: {told.date:%d/%m/%Y}\nLokasi: {told.place}\n"
        f"Jumlah peserta: {told.participants}\n\nUraian singkat:\n{results}\n"
        f"- {told.rng.choice(_HINDRANCES)}\n"
        "- Acara dibuka oleh kepala desa dan ditutup dengan doa bersama.\n"
        "- Seluruh peserta mengisi daftar hadir yang disimpan di kantor desa.\n\n"
        f"Rencana tindak lanjut:\n- {told.rng.choice(_ADVICE)}\n"
        "- Melaporkan hasil kepada camat dan dinas terkait paling lambat akhir bulan.\n"
        "- Menyusun dokumentasi kegiatan untuk arsip kantor dan menyampaikan salinannya.\n"
        "- Menghubungi peserta yang berhalangan hadir agar tetap memperoleh materi.\n"
    )


def _message(told: _Told) -> str:
    return (
        f"Yth. Bapak/Ibu, izin melaporkan. Hari ini {told.day}, {told.date:%d-%m-%Y}, kami sudah "
        f"selesai melaksanakan {told.activity} di {told.place.lower()}. yang hadir "
        f"{told.participants} org, alhamdulillah antusias semua. "
        f"{told.rng.choice(_RESULTS).lower()} {told.rng.choice(_HINDRANCES).lower()} "
        "Setelah acara kami juga berkeliling melihat langsung kondisi di lapangan bersama pak "
        "kades dan beberapa tokoh masyarakat, sekalian mencatat usulan warga yang belum sempat "
        "dibahas. Daftar hadir menyusul karena masih di kantor desa. Foto2 kegiatan terlampir ya "
        f"pak/bu. {told.rng.choice(_ADVICE)} Untuk surat tugas sudah kami kirim kemarin. Demikian "
        f"yang dapat kami sampaikan, mohon arahan selanjutnya. Terima kasih. "
        f"Pelapor: {told.name}, nik {told.person.nik}\n"
    )


_STYLES: tuple[Callable[[_Told], str], ...] = (_formal, _narrative, _notes, _message)
_RESULTS = (
    "Peserta memahami materi yang disampaikan dan sepakat membentuk kelompok kerja.",
    "Data penerima manfaat telah diperbarui bersama perangkat desa.",
    "Disepakati jadwal pertemuan lanjutan setiap bulan di balai desa.",
    "Bantuan berupa alat kerja dan buku panduan telah diserahkan kepada perwakilan warga.",
    "Saluran air sepanjang dua ratus meter telah dibersihkan secara gotong royong.",
    "Seluruh balita yang hadir telah ditimbang dan dicatat dalam buku kesehatan.",
    "Warga menyampaikan usulan perbaikan jalan lingkungan dan penerangan.",
)
_HINDRANCES = (
    "Kendala yang dihadapi adalah hujan sejak pagi sehingga sebagian warga terlambat hadir.",
    "Jaringan internet di lokasi lemah sehingga pengisian data dilakukan secara manual.",
    "Jumlah alat peraga masih kurang dibandingkan dengan jumlah peserta.",
    "Sebagian undangan berhalangan hadir karena bersamaan dengan panen raya.",
)
_ADVICE = (
    "Disarankan agar kegiatan serupa dilaksanakan secara berkala dengan dukungan anggaran desa.",
    "Perlu pendampingan lanjutan dari dinas terkait agar hasilnya berkesinambungan.",
    "Mohon dukungan sarana untuk pertemuan berikutnya.",
)
