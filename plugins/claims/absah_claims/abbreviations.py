"""Write out the short forms that offices, addresses and reports use."""

from __future__ import annotations

_TABLE = """
bansos bantuan sosial
bapenda badan pendapatan daerah
bimtek bimbingan teknis
bkd badan kepegawaian daerah
blk blok
bpbd badan penanggulangan bencana daerah
bpkad badan pengelolaan keuangan aset daerah
bpn badan pertanahan nasional
bps badan pusat statistik
dgn dengan
diklat pendidikan pelatihan
dinkes dinas kesehatan
dinkop dinas koperasi
dinsos dinas sosial
dirjen direktur jenderal
disbudpar dinas kebudayaan pariwisata
disdik dinas pendidikan
disdukcapil dinas kependudukan pencatatan sipil
dishub dinas perhubungan
diskominfo dinas komunikasi informatika
disnak dinas peternakan
disnaker dinas tenaga kerja
dispar dinas pariwisata
disperindag dinas perindustrian perdagangan
dispora dinas pemuda olahraga
distan dinas pertanian
ditjen direktorat jenderal
dlh dinas lingkungan hidup
dpmd dinas pemberdayaan masyarakat desa
dpmptsp dinas penanaman modal pelayanan terpadu satu pintu
dpupr dinas pekerjaan umum penataan ruang
ds desa
dsn dusun
dukcapil kependudukan pencatatan sipil
gg gang
itjen inspektorat jenderal
jl jalan
jln jalan
kab kabupaten
kec kecamatan
keg kegiatan
kel kelurahan
kemenag kementerian agama
kemenaker kementerian ketenagakerjaan
kemendagri kementerian dalam negeri
kemendikbud kementerian pendidikan kebudayaan
kemenhub kementerian perhubungan
kemenkes kementerian kesehatan
kemenkeu kementerian keuangan
kemenpan kementerian pendayagunaan aparatur negara
kemensos kementerian sosial
kementan kementerian pertanian
kemkominfo kementerian komunikasi informatika
komp komplek
kompleks komplek
kp kampung
kua kantor urusan agama
monev monitoring evaluasi
musrenbang musyawarah perencanaan pembangunan
pemda pemerintah daerah
pemkab pemerintah kabupaten
pemkot pemerintah kota
pemprov pemerintah provinsi
perum perumahan
propinsi provinsi
prov provinsi
raker rapat kerja
rakernas rapat kerja nasional
rakor rapat koordinasi
rsud rumah sakit umum daerah
satpol satuan polisi pamong praja
sekda sekretaris daerah
setda sekretariat daerah
setjen sekretariat jenderal
thn tahun
ttg tentang
"""
"""A short form a line, and what it is short for."""

_WRITTEN_OUT = {
    short: full for short, _, full in (line.partition(" ") for line in _TABLE.split("\n")) if full
}


def written_out(word: str) -> str:
    """What a lower-case word is short for, or the word itself."""
    return _WRITTEN_OUT.get(word, word)
