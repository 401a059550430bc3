"""Pages drawn for reading: a letter, an identity card, columns, and a PDF with a text layer."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

Written = tuple[float, float, float, str]
"""Left, top, size in pixels, text."""

CARD_ROWS = (
    ("NIK", "3201011508950001"),
    ("Nama", "BUDI SANTOSO"),
    ("Tempat/Tgl Lahir", "BOGOR, 15-08-1995"),
    ("Jenis Kelamin", "LAKI-LAKI"),
    ("Alamat", "JL. MERDEKA NO. 12"),
    ("Agama", "ISLAM"),
    ("Berlaku Hingga", "SEUMUR HIDUP"),
)
LETTER_LINES = (
    "PEMERINTAH KABUPATEN BOGOR",
    "Nomor : 005/123/Dinkes/2024",
    "Sehubungan dengan pelaksanaan kegiatan sosialisasi",
    "di lingkungan Kecamatan Cibinong, kami sampaikan",
    "bahwa rapat koordinasi akan dilaksanakan bersama.",
)
LEFT_COLUMN = ("kegiatan masyarakat desa", "berjalan dengan tertib", "sepanjang bulan ini penuh")
RIGHT_COLUMN = (
    "panitia menyampaikan rasa",
    "terima kasih kepada warga",
    "yang telah ikut membantu",
)


def draw(
    written: Sequence[Written], *, size: tuple[int, int], ground: str = "white"
) -> Image.Image:
    image = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(image)
    for left, top, height, text in written:
        pen.text((left, top), text, fill=(25, 25, 25), font=ImageFont.load_default(height))
    return image


def card() -> Image.Image:
    written: list[Written] = []
    for index, (label, value) in enumerate(CARD_ROWS):
        written += [(40, 40 + 44 * index, 24, label), (260, 40 + 44 * index, 24, f": {value}")]
    return draw(written, size=(720, 380), ground="#bed7eb")


def letter() -> Image.Image:
    written = [(60.0, 60.0 + 52 * index, 28.0, text) for index, text in enumerate(LETTER_LINES)]
    return draw(written, size=(860, 420))


def columns() -> Image.Image:
    written: list[Written] = [(240, 20, 34, "WARTA DESA SUKAMAJU")]
    for index, (left, right) in enumerate(zip(LEFT_COLUMN, RIGHT_COLUMN, strict=True)):
        # Set apart by half a line, so that rows alone do not tell the order.
        written += [(40, 110 + 48 * index, 26, left), (460, 130 + 48 * index, 26, right)]
    return draw(written, size=(860, 320))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def tiff(images: Sequence[Image.Image]) -> bytes:
    buffer = io.BytesIO()
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:])
    return buffer.getvalue()


def pdf(shown: Sequence[str], *, layer: Sequence[str] = ()) -> bytes:
    """A PDF page in Helvetica; `layer` is drawn invisibly over the lines shown."""
    content = "\n".join(
        f"BT {mode} Tr /F1 14 Tf 60 {760 - 30 * index} Td ({text}) Tj ET"
        for mode, texts in ((0, shown), (3, layer))
        for index, text in enumerate(texts)
    ).encode("latin-1")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (count, table, count, len(out))
    )
