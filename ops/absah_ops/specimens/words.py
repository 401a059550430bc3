"""Word lists that fictional people, letters and reports are drawn from."""

MALE_NAMES = (
    "AGUS", "AHMAD", "ALEXANDER", "ANDI", "ARIS", "BAGUS", "BAMBANG", "BAYU", "BENEDIKTUS",
    "CHAIRUL", "DEDI", "DIMAS", "EKO", "FERDINAND", "GUNAWAN", "HENDRA", "HERMAN", "I KETUT",
    "I WAYAN", "IMAM", "IRWAN", "JOKO", "KAMARUDDIN", "LUKMAN", "M. YUSUF", "MA'RUF", "MARKUS",
    "MUHAMMAD", "NASRULLAH", "OKTAVIANUS", "PAULUS", "RIZKI", "RUDI", "SLAMET", "SYAIFUL",
    "TAUFIK", "TEGUH", "USMAN", "WAHYU", "YOHANES", "ZAINAL ABIDIN",
)  # fmt: skip

FEMALE_NAMES = (
    "ADE", "AGUSTINA", "AISYAH", "ANISA", "AYU", "BERNADETA", "CITRA", "DESI", "DEWI", "DIAH",
    "ENDANG", "FATIMAH", "FITRI", "HALIMAH", "INDAH", "JUMIATI", "KARTIKA", "LINDA", "MARIA",
    "MAYA", "NI LUH", "NI MADE", "NOVITA", "NUR", "NURHAYATI", "PUTRI", "RATNA", "RINA",
    "ROSDIANA", "SITI", "SRI", "SULASTRI", "TRI", "UMI", "VERONIKA", "WIWIK", "YULIANA", "ZUBAIDAH",
)  # fmt: skip

FAMILY_NAMES = (
    "ANGGRAINI", "ARDIANSYAH", "BASUKI", "DJOJOHADIKUSUMO", "FIRMANSYAH", "GINTING", "HANDAYANI",
    "HARAHAP", "HASANUDDIN", "HIDAYAT", "ISKANDAR", "KURNIAWAN", "LATUCONSINA", "LUBIS", "MAHARANI",
    "MANURUNG", "NASUTION", "NUGROHO", "PANJAITAN", "PRASETYO", "PRATIWI", "PURNOMO", "PUTRA",
    "RAHARJO", "RAMADHAN", "SANTOSO", "SAPUTRA", "SETIAWAN", "SIHOMBING", "SIMANJUNTAK", "SIREGAR",
    "SITUMORANG", "SUHERMAN", "SURYANI", "SUTRISNO", "TAMBUNAN", "WIBOWO", "WIDODO", "WIJAYA",
    "WULANDARI", "YULIANTI", "ZEBUA",
)  # fmt: skip

STREETS = (
    "MERDEKA", "DIPONEGORO", "AHMAD YANI", "GATOT SUBROTO", "PAHLAWAN", "MELATI", "ANGGREK",
    "CENDRAWASIH", "RAYA PASAR LAMA", "SUDIRMAN", "KARTINI", "VETERAN", "PEMUDA", "TEUKU UMAR",
    "HASANUDDIN", "IMAM BONJOL",
)  # fmt: skip
HOUSING = (
    "PERUM GRIYA ASRI",
    "KOMPLEK PERMATA HIJAU",
    "BTN BUMI INDAH",
    "PERUMNAS III",
    "ASRAMA PU",
)
HAMLETS = (
    "DUSUN KRAJAN",
    "KP. BABAKAN",
    "LINGK. SUKAMAJU",
    "DUSUN II",
    "JORONG KOTO",
    "BANJAR TEGAL",
)

RELIGIONS = ("ISLAM", "KRISTEN", "KATHOLIK", "HINDU", "BUDHA", "KHONGHUCU")
MARITAL_STATUSES = ("BELUM KAWIN", "KAWIN", "CERAI HIDUP", "CERAI MATI")
OCCUPATIONS = (
    "PEGAWAI NEGERI SIPIL", "KARYAWAN SWASTA", "WIRASWASTA", "PETANI/PEKEBUN", "GURU", "BIDAN",
    "MENGURUS RUMAH TANGGA", "PELAJAR/MAHASISWA", "BURUH HARIAN LEPAS", "PERAWAT", "PERANGKAT DESA",
    "PEDAGANG", "NELAYAN/PERIKANAN", "DOSEN", "KARYAWAN BUMN", "PENSIUNAN",
)  # fmt: skip

DEGREES_BEFORE = ("", "", "Drs. ", "Dr. ", "Ir. ", "H. ", "Hj. ", "drg. ", "Drs. H. ", "Prof. Dr. ")
DEGREES_AFTER = (
    "", ", S.E.", ", S.H., M.H.", ", M.Si.", ", S.Sos., M.Si.", ", S.Pd., M.Pd.", ", S.T., M.T.",
    ", S.STP., M.A.P.", ", M.Kes.", ", SP., MP.",
)  # fmt: skip
RANKS = ("Pembina Utama Muda", "Pembina Tingkat I", "Pembina", "Penata Tingkat I", "Penata")

AGENCIES = (
    "DINAS KESEHATAN", "DINAS PENDIDIKAN DAN KEBUDAYAAN", "DINAS SOSIAL", "DINAS PERTANIAN",
    "DINAS PEMBERDAYAAN MASYARAKAT DAN DESA", "BADAN KEPEGAWAIAN DAERAH", "INSPEKTORAT",
    "DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL", "SEKRETARIAT DAERAH",
    "BADAN PERENCANAAN PEMBANGUNAN DAERAH", "DINAS PEKERJAAN UMUM DAN PENATAAN RUANG",
    "BADAN PENANGGULANGAN BENCANA DAERAH",
)  # fmt: skip
MINISTRIES = (
    ("KEMENTERIAN PERTANIAN REPUBLIK INDONESIA", "BADAN PENYULUHAN DAN PENGEMBANGAN SDM PERTANIAN"),
    ("KEMENTERIAN AGAMA REPUBLIK INDONESIA", "KANTOR KEMENTERIAN AGAMA"),
    ("KEMENTERIAN KESEHATAN", "DIREKTORAT JENDERAL KESEHATAN MASYARAKAT"),
    ("KEMENTERIAN DALAM NEGERI", "DIREKTORAT JENDERAL BINA PEMERINTAHAN DESA"),
)
UNIT_CODES = ("DINKES", "DISDIK", "DINSOS", "DPMD", "BKD", "SETDA", "UM", "KP", "INSP", "DISTAN")

ACTIVITIES = (
    "penyuluhan pertanian organik",
    "sosialisasi pencegahan stunting",
    "musyawarah perencanaan pembangunan desa",
    "pelatihan kader posyandu",
    "monitoring penyaluran bantuan sosial",
    "kerja bakti membersihkan saluran irigasi",
    "pendampingan kelompok usaha perempuan",
    "simulasi penanggulangan bencana",
    "pelayanan administrasi kependudukan keliling",
    "pembinaan perpustakaan desa",
)
SUBJECTS = (
    "Undangan Rapat Koordinasi",
    "Permohonan Narasumber",
    "Penyampaian Laporan Kegiatan Triwulan I",
    "Pemberitahuan Pelaksanaan Kegiatan Penyuluhan",
    "Permintaan Data Penerima Bantuan Sosial Tahun Anggaran Berjalan",
    "Usulan Peserta Pelatihan Kader Posyandu Tingkat Kecamatan",
    "Tindak Lanjut Hasil Pemeriksaan Inspektorat atas Pengelolaan Dana Desa",
    "Izin Penggunaan Aula Kantor",
)
MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
    "Oktober", "November", "Desember",
)  # fmt: skip
DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
