"""PDFs and texts that mean harm: pages without end, streams in streams, words no rule likes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from pictures import Maker, encoded, scene

MIB = 2**20


def make() -> Maker:
    yield from _pdfs()
    yield from _polyglots()
    for name, text in texts():
        yield f"text: {name}", text.encode()
    yield from _odd_encodings()


def pdf(
    pages: int = 1,
    *,
    box: str = "0 0 200 100",
    trailer: str = "",
    content: bytes = b"",
    filters: str = "",
    more: str = "",
) -> bytes:
    """A PDF whose pages share one content stream; `more` are further objects as they stand."""
    kids = " ".join(f"{10 + page} 0 R" for page in range(pages))
    leaf = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 3 0 R"
        "/Resources<</Font<</F1 4 0 R>>/XObject<</X1 5 0 R>>>>>>"
    )
    objects = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Count {pages}/Kids[{kids}]>>",
        4: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        **{10 + page: leaf for page in range(pages)},
    }
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in objects.items())
    stream = f"3 0 obj\n<</Length {len(content)}{filters}>>\nstream\n".encode() + content
    return b"".join(
        (
            f"%PDF-1.7\n{body}".encode(),
            stream + b"\nendstream\nendobj\n",
            f"{more}trailer\n<</Root 1 0 R{trailer}>>\n%%EOF\n".encode("latin-1"),
        )
    )


def _pdfs() -> Maker:
    words = b"BT /F1 12 Tf 20 50 Td (Surat Tugas) Tj ET"
    good = pdf(content=words)
    yield "pdf cut in half", good[: len(good) // 2]
    yield "pdf header and no more", b"%PDF-1.7\n"
    yield "pdf of zeros", b"%PDF-1.7\n" + bytes(100_000)
    yield "pdf of 5000 pages", pdf(5000)
    yield "pdf of 20 large pages of text", pdf(20, box="0 0 1200 1700", content=words * 2000)
    yield "pdf with a page of a square kilometre", pdf(box="0 0 900000 900000")
    yield "pdf with a page of no size", pdf(box="0 0 0 0")
    yield "pdf with a page turned inside out", pdf(box="100 100 -100 -100", content=words)
    yield "pdf that draws for ever", pdf(content=b"0 0 m 9 9 l S " * 1_500_000)
    yield "pdf of endless text", pdf(20, content=b"BT /F1 1 Tf (" + b"x " * 500 + b") Tj ET " * 500)
    nested = zlib.compress(zlib.compress(bytes(500 * MIB), 9), 9)
    twice = "/Filter[/FlateDecode/FlateDecode]"
    yield "pdf whose stream unpacks to 500 MiB", pdf(content=nested, filters=twice)
    lock = f"/ID[<{'00' * 16}><{'00' * 16}>]/Encrypt<</Filter/Standard/V 1/R 2/P -4"
    yield "pdf that is locked", pdf(trailer=f"{lock}/O<{'11' * 32}>/U<{'22' * 32}>>>")
    form = "5 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X1 5 0 R>>>>"
    itself = f"{form}/Length 6>>\nstream\n/X1 Do\nendstream\nendobj\n"
    yield "pdf with a form that draws itself", pdf(content=b"/X1 Do", more=itself)
    image = (
        "5 0 obj\n<</Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceGray"
        "/BitsPerComponent 8/Filter/FlateDecode/Length 20>>\nstream\n"
        f"{'x' * 20}\nendstream\nendobj\n"
    )
    yield (
        "pdf with a picture of 3600 megapixels",
        pdf(content=b"200 0 0 100 0 0 cm /X1 Do", more=image),
    )
    yield "pdf whose pages are their own parent", good.replace(b"/Kids[10 0 R]", b"/Kids[2 0 R]")
    yield "pdf of 100000 brackets", pdf(trailer="/A" + "[" * 100_000)
    yield "pdf of 100000 saved states", pdf(content=b"q " * 100_000)


def _polyglots() -> Maker:
    picture, paper = encoded(scene(200, 100), "JPEG"), pdf(content=b"0 0 50 50 re f")
    yield (
        "jpeg that is a pdf too",
        picture[:2] + b"\xff\xfe\x03\x00" + paper[:700].ljust(766) + picture[2:],
    )
    yield "pdf that begins as a gif", b"GIF89a" + bytes(10) + paper
    yield "pdf after a kilobyte of words", b"x" * 1000 + paper
    yield "page of the web", b"<html><script>alert(1)</script><img src=x onerror=alert(1)></html>"
    yield "drawing that expands a billionfold", _billion_laughs()
    yield "archive", b"PK\x03\x04" + bytes(500)
    yield "office document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000)
    yield "postscript", b"%!PS-Adobe-3.0\n{ } loop\n"


def _billion_laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE svg [<!ENTITY l0 "x">{entities}]><svg><text>&l9;</text></svg>'.encode()


def texts() -> Iterator[tuple[str, str]]:
    """Texts that cost more than they should where a rule looks back, or looks again."""
    full = 2 * MIB
    yield "one letter, two million times", "a" * full
    yield "one digit, two million times", "1" * full
    yield "spaces without end", " " * full
    yield "line ends without end", "\n" * full
    for name, piece in (
        ("dots between letters", "a."),
        ("at signs between letters", "a@"),
        ("commas between digits", "1,"),
        ("dots between digits", "1."),
        ("hyphens between digits", "1-"),
        ("spaces between digits", "1 "),
        ("amounts", "Rp1.000,00 "),
        ("identity numbers", "3201011508950001 "),
        ("dates", "17 Agustus 1945 "),
        ("names", "Siti Aminah binti Abdul "),
        ("titles", "Prof. Dr. H. S.H., M.Si. "),
        ("telephone numbers", "+62 812-3456-7890 "),
        ("labels of a card", "NIK : Nama : "),
        ("heads of letters", "Nomor : 1/2/3\nPerihal : "),
        ("open brackets", "("),
        ("combining marks", "a\u0301\u0316"),
        ("joiners of no width", "a\u200d"),
        ("marks that turn the direction", "\u202ea\u202c"),
        ("letters beyond the first plane", "𝐚𝟏"),
        ("capitals whose small letters are longer", "İ"),
    ):
        yield f"{name} without end", piece * (200_000 // len(piece.encode()))
    yield "every control character", "".join(map(chr, range(1, 160))) * 100
    yield "a word of 100000 letters between words", f"kata {'x' * 100_000} kata"
    yield "a million short lines", "a\n" * 500_000
    yield "every letter of the first plane", "".join(map(chr, [*range(1, 0xD800)]))


def _odd_encodings() -> Maker:
    yield "text in UTF-16, odd length", b"\xff\xfea\0b\0c"
    yield "text in UTF-16, half a pair", b"\xff\xfe" + b"\x00\xd8a\0" * 50
    yield "text in UTF-16, other order", b"\xfe\xff" + "Laporan".encode("utf-16-be")
    yield "text in windows-1252", "Laporan kegiatan: café, “tanda”".encode("cp1252")
    yield "text in windows-1252, bytes of no letter", b"kata \x81\x8d\x8f\x90\x9d kata " * 100
    yield "text with bytes that end too early", "kata é".encode()[:-1] * 3
    yield "text with a zero in it", b"kata\0kata"
    yield "text of 3 MiB", b"kata " * (3 * MIB // 5)
