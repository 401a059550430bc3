"""Pictures that mean harm: bombs, truncations, headers that lie, metadata without end."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

Maker = Iterator[tuple[str, bytes]]
"""Names of files and their bytes, each made only when its turn comes."""

SIDE = 7000
"""Of the largest square that the default limits accept: 49 megapixels."""


def make() -> Maker:
    yield from _jpegs()
    yield from _pngs()
    yield from _animations()
    yield from _tiffs()
    yield from _other_forms()
    yield from _pages_full_of_marks()


def scene(width: int = 640, height: int = 480) -> Image.Image:
    """A picture that nothing is wrong with: a gradient, shapes and a little grain."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=-1)
    pixels[height // 4 : height // 2, width // 4 : width // 2] = (230, 60, 40)
    grain = np.random.default_rng(0).integers(-6, 7, (height, width, 1))
    return Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    """A picture as a file's bytes."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(width: int, height: int, *chunks: tuple[bytes, bytes], kind: int = 2) -> bytes:
    """A PNG of this header and these chunks, fit or not (ISO/IEC 15948, 5)."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    for name, body in ((b"IHDR", header), *chunks, (b"IEND", b"")):
        parts += [struct.pack(">I", len(body)), name, body]
        parts.append(struct.pack(">I", zlib.crc32(name + body)))
    return b"".join(parts)


@functools.cache
def zeros(size_bytes: int) -> bytes:
    """Zeros, compressed a thousandfold."""
    return zlib.compress(bytes(size_bytes), 9)


def _segment(marker: int, body: bytes) -> bytes:
    """A marker segment of a JPEG (ISO/IEC 10918-1, B.1.1.4)."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _after_start(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def _jpegs() -> Maker:
    good = encoded(scene(), "JPEG", quality=90)
    for part in (3, 20, 200, len(good) // 2, len(good) - 2):
        yield f"jpeg cut after {part} bytes", good[:part]
    frame = good.index(b"\xff\xc0") + 5
    yield "jpeg that claims 65500 × 65500", _with(good, frame, struct.pack(">HH", 65500, 65500))
    yield "jpeg that claims 7000 × 7000", _with(good, frame, struct.pack(">HH", SIDE, SIDE))
    yield "jpeg that claims no height", _with(good, frame, struct.pack(">H", 0))
    garbage = np.random.default_rng(1).bytes(20_000)
    yield "jpeg with garbage for pixels", good[: good.index(b"\xff\xda") + 14] + garbage
    yield "jpeg of garbage", b"\xff\xd8\xff\xe0" + garbage
    yield "jpeg with 16 MiB of comments", _after_start(good, *[_segment(0xFE, bytes(65533))] * 256)
    yield "jpeg of many scans", _many_scans()
    yield "jpeg with 200000 empty segments", _after_start(good, *[_segment(0xE7, b"")] * 200_000)
    yield from ((f"jpeg with {name}", _after_start(good, s)) for name, s in _metadata())
    yield "jpeg of one pixel", encoded(scene(1, 1), "JPEG")
    yield "jpeg 30000 wide and 1 high", encoded(scene(30_000, 1), "JPEG")
    yield "jpeg 1 wide and 30000 high", encoded(scene(1, 30_000), "JPEG")
    yield "jpeg in CMYK", encoded(scene().convert("CMYK"), "JPEG")
    yield "jpeg of 49 megapixels", encoded(scene().resize((SIDE, SIDE)), "JPEG", quality=80)
    yield "jpeg with a second jpeg behind it", good + good
    yield (
        "jpeg that is a zip archive too",
        good + b"PK\x03\x04" + garbage + b"PK\x05\x06" + bytes(18),
    )


def _with(content: bytes, place: int, replacement: bytes) -> bytes:
    return content[:place] + replacement + content[place + len(replacement) :]


def _many_scans() -> bytes:
    """A progressive JPEG of 49 flat megapixels whose last scan, a few bytes, comes 20,000 times."""
    flat = encoded(Image.new("L", (SIDE, SIDE)), "JPEG", progressive=True)
    last = flat.rindex(b"\xff\xda")
    return flat[:last] + flat[last:-2] * 20_000 + b"\xff\xd9"


def _metadata() -> Iterator[tuple[str, bytes]]:
    """EXIF and JUMBF that lead their readers astray (CIPA DC-008, ISO 19566-5)."""
    start = b"Exif\0\0II*\0" + struct.pack("<I", 8)
    to_itself = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    yield "an EXIF directory that points to itself", _segment(0xE1, start + to_itself)
    far = struct.pack("<HHHIII", 1, 0x010F, 2, 0xFFFFFFFF, 0xFFFFFFF0, 0)
    yield "an EXIF value of 4 GiB", _segment(0xE1, start + far)
    many = struct.pack("<H", 5000) + struct.pack("<HHII", 0x0112, 3, 1, 99) * 5000
    yield "5000 EXIF orientations", _segment(0xE1, start + many)
    yield "an EXIF header and no more", _segment(0xE1, start[:10])
    division = struct.pack("<HHHIII", 1, 0x829A, 5, 1, 26, 0) + struct.pack("<II", 1, 0)
    yield "an EXIF fraction over zero", _segment(0xE1, start + division)
    boxes = b""
    for _ in range(3000):
        boxes = struct.pack(">I", len(boxes) + 8) + b"jumb" + boxes
    yield "3000 boxes in one another", _segment(0xEB, b"JP\0\1\0\0\0\1" + boxes)
    yield "a box of 4 GiB", _segment(0xEB, b"JP\0\1\0\0\0\1\xff\xff\xff\xffjumb" + bytes(40))


def _pngs() -> Maker:
    good = encoded(scene(), "PNG")
    for part in (8, 30, len(good) // 2):
        yield f"png cut after {part} bytes", good[:part]
    yield "png that claims 60000 × 60000", png(60_000, 60_000, (b"IDAT", zeros(1000)))
    yield "png that claims 2³¹ pixels of width", png(2**31 - 1, 1, (b"IDAT", zeros(1000)))
    yield "png without size", png(0, 0, (b"IDAT", zeros(10)))
    yield "png bomb of 49 megapixels", png(SIDE, SIDE, (b"IDAT", zeros(SIDE * (1 + SIDE * 3))))
    yield "png whose pixels unpack to 200 MB", png(8, 8, (b"IDAT", zeros(200_000_000)))
    yield "png whose profile unpacks to 200 MB", png(8, 8, (b"iCCP", b"x\0\0" + zeros(200_000_000)))
    yield "png whose comment unpacks to 200 MB", png(8, 8, (b"zTXt", b"x\0\0" + zeros(200_000_000)))
    yield "png of 500000 comments", png(8, 8, *[(b"tEXt", b"a\0b")] * 500_000)
    yield "png without pixels", png(800, 600)
    yield "png of no known kind of pixel", png(8, 8, (b"IDAT", zeros(900)), kind=7)
    yield "png with a wrong checksum", good[:40] + b"\0\0\0\0" + good[44:]
    frames = (b"acTL", struct.pack(">II", 1_000_000, 0))
    yield "png that claims a million frames", png(8, 8, frames, (b"IDAT", zeros(8 * 25)))


def _animations() -> Maker:
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    yield "gif of two million frames", head + frame * 2_000_000 + b"\x3b"
    small = encoded(scene(16, 16), "GIF")
    yield "gif that claims 60000 × 60000", _with(small, 6, struct.pack("<HH", 60_000, 60_000))
    yield "gif cut short", small[: len(small) // 2]
    yield "gif of one flat 49 megapixel frame", encoded(Image.new("P", (SIDE, SIDE)), "GIF")
    images = [scene(64, 64).rotate(turn) for turn in range(0, 360, 30)]
    yield "webp animation", encoded(images[0], "WEBP", save_all=True, append_images=images[1:])
    still = encoded(scene(16, 16), "WEBP", lossless=True)
    yield "webp that claims 16384 × 16384", _with(still, 21, struct.pack("<I", 0xFFFFFFF))
    yield "webp cut short", still[:40]
    yield "webp header and no more", still[:12]


def _tiffs() -> Maker:
    yield "tiff of 500 pages", tiff(500)
    yield "tiff whose pages go in a circle", tiff(3, to=0)
    yield "tiff whose page follows itself", tiff(1, to=0)
    yield "tiff of 18 pages of 4 megapixels", tiff(18, side=2000)
    yield "tiff that claims 60000 × 60000", tiff(1, side=60_000)[:4000]
    yield "tiff that begins beyond its end", b"II*\0\xff\xff\xff\x7f"
    yield "tiff of 65535 tags", b"II*\0\x08\0\0\0\xff\xff" + bytes(12) * 65535 + bytes(4)
    yield "big tiff without pages", b"II+\0\x08\0\0\0" + struct.pack("<Q", 0)
    for name in ("tiff_lzw", "group4", "jpeg", "packbits", "tiff_adobe_deflate"):
        image = scene().convert("1") if name == "group4" else scene()
        content = encoded(image, "TIFF", compression=name)
        yield f"tiff of {name}, cut short", content[: len(content) // 2]


def tiff(pages: int, *, to: int | None = None, side: int = 1) -> bytes:
    """A TIFF whose last page is followed by page `to`, else by none; all share their pixels."""
    tags, size = 9, 2 + 12 * 9 + 4
    pixels = 8 + size * pages
    entries = (
        *((256, 3, side), (257, 3, side), (258, 3, 8), (259, 3, 1), (262, 3, 1)),
        *((273, 4, pixels), (277, 3, 1), (278, 3, side), (279, 4, side * side)),
    )
    parts = [b"II*\0", struct.pack("<I", 8)]
    for page in range(pages):
        following = 8 + size * (page + 1)
        if page == pages - 1:
            following = 0 if to is None else 8 + size * to
        parts.append(struct.pack("<H", tags))
        parts += [struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries]
        parts.append(struct.pack("<I", following))
    return b"".join(parts) + bytes(min(side * side, 2**22))


def _other_forms() -> Maker:
    bmp = encoded(scene(16, 16), "BMP")
    yield "bmp that claims 60000 × 60000", _with(bmp, 18, struct.pack("<II", 60_000, 60_000))
    yield "bmp of negative height", _with(bmp, 22, struct.pack("<i", -(2**31)))
    run_length = _with(bmp, 28, struct.pack("<HI", 8, 1))
    yield (
        "bmp of run lengths, 49 megapixels in 1 kB",
        _with(run_length, 18, struct.pack("<II", SIDE, SIDE)),
    )
    yield "photoshop file", b"8BPS\0\1" + bytes(200)
    yield "heic picture", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    yield "icon", b"\0\0\1\0\1\0" + bytes(60)
    yield "one zero byte", b"\0"
    yield "only zeros", bytes(1_000_000)
    yield "noise", np.random.default_rng(2).bytes(1_000_000)
    for form in ("JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"):
        content = bytearray(encoded(scene(64, 48), form))
        places = np.random.default_rng(3).integers(12, len(content), len(content) // 40)
        for place in places:
            content[place] ^= 0x5A
        yield f"{form.lower()} with every fortieth byte wrong", bytes(content)


def _pages_full_of_marks() -> Maker:
    """Pages on which a reader of text finds far more than a page can hold."""
    tile = np.full((20, 16, 3), 255, np.uint8)
    tile[4:16, 3:5] = tile[4:16, 11:13] = tile[9:11, 3:13] = 0
    letters = Image.fromarray(np.tile(tile, (150, 190, 1)))
    yield "page of 28500 letters", encoded(letters, "PNG")
    dots = np.zeros((3000, 3000), np.uint8)
    dots[::4, ::4] = 255
    yield "page of half a million dots", encoded(Image.fromarray(dots), "PNG")
    lines = np.full((5000, 5000), 255, np.uint8)
    lines[::12] = lines[1::12] = 0
    yield "page of 400 ruled lines", encoded(Image.fromarray(lines), "PNG")
    board = np.indices((4000, 4000)).sum(axis=0) // 8 % 2 * 255
    yield "checkerboard of 16 megapixels", encoded(Image.fromarray(board.astype(np.uint8)), "PNG")
