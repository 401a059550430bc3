"""PDF pages become pixels and runs of text that lie where the ink is."""

import numpy as np
import pytest

from absah_sdk import DocumentUnreadable
from absah_server.decode.limits import DecodeLimits

PDF = "application/pdf"


def pdf(*contents: str, box: str = "0 0 400 200", leaf: str = "") -> bytes:
    """Write a PDF with a page for each content stream."""
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(contents)))
    objects = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Count {len(contents)}/Kids[{kids}]>>",
        4: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for n, content in enumerate(contents):
        objects[10 + 2 * n] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]{leaf}/Contents {11 + 2 * n} 0 R"
            "/Resources<</Font<</F1 4 0 R>>>>>>"
        )
        objects[11 + 2 * n] = f"<</Length {len(content)}>>\nstream\n{content}\nendstream"
    body = "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in objects.items())
    return f"%PDF-1.7\n{body}trailer\n<</Root 1 0 R>>\n%%EOF\n".encode()


def words(text: str, x: int, y: int, size: int = 20) -> str:
    """Write text with its baseline at (x, y), in points from the lower left."""
    return f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET "


def ink_box(page):
    """Find the box of what is not white: left, top, right, bottom."""
    rows, columns = np.nonzero(page.pixels.min(axis=2) < 128)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_page_is_rendered_at_its_resolution(decode):
    (page,) = decode(pdf(words("Surat", 50, 100)), PDF).pages
    assert page.dpi == 200
    assert page.size == (1112, 556)
    assert page.pixels[0, 0].tolist() == [255, 255, 255]


def test_colours_are_in_the_order_red_green_blue(decode):
    (page,) = decode(pdf("1 0 0 rg 0 0 400 200 re f"), PDF).pages
    assert page.pixels[100, 100].tolist() == [255, 0, 0]


@pytest.mark.parametrize("leaf", ["", "/Rotate 90", "/Rotate 180", "/Rotate 270"])
@pytest.mark.parametrize("crop", ["", "/CropBox[20 30 380 180]"])
def test_a_run_of_text_lies_where_its_ink_is(decode, leaf, crop):
    (page,) = decode(pdf(words("Nomor", 60, 100), leaf=leaf + crop), PDF).pages
    (run,) = page.text_runs
    assert run.text == "Nomor"
    box = np.array([run.left, run.top, run.right, run.bottom])
    assert np.abs(box - ink_box(page)).max() <= 4


def test_lines_and_columns_are_runs_of_their_own(decode):
    content = words("Nomor surat", 20, 150) + words("Halaman 2", 280, 150) + words("Isi", 20, 100)
    (page,) = decode(pdf(content), PDF).pages
    assert [run.text for run in page.text_runs] == ["Nomor surat", "Halaman 2", "Isi"]
    assert page.text_runs[0].top < page.text_runs[2].top


def test_each_page_has_its_own_text(decode):
    decoded = decode(pdf(words("satu", 9, 99), words("dua", 9, 99)), PDF)
    assert [[run.text for run in page.text_runs] for page in decoded.pages] == [["satu"], ["dua"]]
    assert decoded.frames == 2


def test_large_pages_are_rendered_at_a_lower_resolution(decode):
    limits = DecodeLimits(max_pixels=1_000_000)
    decoded = decode(pdf(*["0 0 9 9 re f"] * 3, box="0 0 842 595"), PDF, limits)
    assert sum(page.pixels.size // 3 for page in decoded.pages) <= 1_000_000
    assert 36 <= decoded.pages[0].dpi < 200


def test_a_long_page_keeps_within_the_longest_side(decode):
    limits = DecodeLimits(max_side=1000)
    (page,) = decode(pdf("0 0 9 9 re f", box="0 0 100 1000"), PDF, limits).pages
    assert max(page.size) <= 1000


def test_pages_too_large_to_be_legible_are_refused(decode):
    with pytest.raises(DocumentUnreadable, match=r"decode\.max_pixels"):
        decode(pdf("", box="0 0 14000 14000"), PDF, DecodeLimits(max_pixels=1_000_000))


def test_the_limit_on_pages_is_exact(decode):
    assert len(decode(pdf(*[""] * 3), PDF, DecodeLimits(max_pages=3)).pages) == 3
    with pytest.raises(DocumentUnreadable, match="3 pages; at most 2"):
        decode(pdf(*[""] * 3), PDF, DecodeLimits(max_pages=2))


def test_more_text_than_is_accepted_is_refused(decode):
    with pytest.raises(DocumentUnreadable, match=r"decode\.max_text_bytes"):
        decode(pdf(words("Surat", 50, 100)), PDF, DecodeLimits(max_text_bytes=4))


def test_a_damaged_page_is_named(decode):
    content = pdf("", "").replace(b"12 0 obj", b"99 0 obj")
    with pytest.raises(DocumentUnreadable, match="Page 2 of the PDF is damaged"):
        decode(content, PDF)


def test_a_pdf_without_pages_is_refused(decode):
    with pytest.raises(DocumentUnreadable):
        decode(pdf(), PDF)
