"""Files made to do harm are refused in words that help, and harm nobody else."""

from __future__ import annotations

import resource
import struct
import zlib

import numpy as np
import pytest

from absah_sdk import DocumentUnreadable
from absah_server.decode import media_types

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def reason(sandbox, soon, photo):
    """Decode a file as the server would, and say why it was refused; a photo must still decode."""

    async def decode(content: bytes) -> str:
        with pytest.raises(DocumentUnreadable) as caught:
            await sandbox.decode(content, media_types.sniff(content), deadline=soon())
        assert (await sandbox.decode(photo, "image/jpeg", deadline=soon())).pages
        return str(caught.value)

    return decode


async def test_a_header_that_claims_too_many_pixels(reason, make):
    assert await reason(make.png(60_000, 60_000, (b"IDAT", make.zeros(1000)))) == (
        "The image is 60000 × 60000 = 3600 megapixels; at most 50 are accepted "
        "(setting decode.max_pixels)."
    )


async def test_a_header_that_claims_too_long_a_side(reason, make):
    content = make.png(40_000, 10, (b"IDAT", make.zeros(1000)))
    assert "(setting decode.max_side)" in await reason(content)


@pytest.mark.parametrize(
    ("form", "place", "size"),
    [
        ("BMP", 18, struct.pack("<II", 8000, 7000)),
        ("GIF", 6, struct.pack("<HH", 8000, 7000)),
        ("WEBP", 21, struct.pack("<I", 7999 | 6999 << 14)),
    ],
)
async def test_too_many_pixels_in_any_header(reason, make, form, place, size):
    options = {"lossless": True} if form == "WEBP" else {}
    content = make.encoded(np.zeros((4, 4, 3), np.uint8), form, **options)
    content = content[:place] + size + content[place + len(size) :]
    assert "8000 × 7000 = 56 megapixels" in await reason(content)


async def test_too_many_pixels_in_all_pages_together(reason, make):
    content = make.tiff_chain(18, width=2000, height=2000)
    assert "more than 50 megapixels" in await reason(content)


async def test_a_truncated_jpeg(reason, photo):
    assert await reason(photo[: len(photo) // 2]) == (
        "The JPEG ends before its last scan line; send it again."
    )


async def test_a_jpeg_that_is_garbage_after_its_first_bytes(reason):
    garbage = np.random.default_rng(2).bytes(5000)
    assert (await reason(b"\xff\xd8\xff\xe0" + garbage)).startswith("The JPEG ")


async def test_a_jpeg_with_garbage_in_its_pixels_still_decodes(sandbox, soon, photo):
    garbage = np.random.default_rng(3).integers(0, 255, 400, np.uint8).tobytes()  # no marker
    broken = photo[:-500] + garbage + photo[-100:]
    decoded = await sandbox.decode(broken, "image/jpeg", deadline=soon())
    assert decoded.pages[0].size == (64, 48)


async def test_a_colour_profile_that_unpacks_a_thousandfold(reason, make):
    bomb = make.png(8, 8, (b"iCCP", b"x\0\0" + make.zeros(50 << 20)))
    assert "unpacks to more than is safe" in await reason(bomb)


async def test_a_comment_that_unpacks_a_thousandfold(reason, make):
    bomb = make.png(8, 8, (b"zTXt", b"x\0\0" + make.zeros(50 << 20)))
    assert "unpacks to more than is safe" in await reason(bomb)


async def test_pixels_that_unpack_to_more_than_the_header_says(sandbox, soon, make):
    bomb = make.png(8, 8, (b"IDAT", make.zeros(50 << 20)))
    decoded = await sandbox.decode(bomb, "image/png", deadline=soon())
    assert decoded.pages[0].size == (8, 8)


async def test_an_endless_animation(reason, make):
    assert "more than 50 frames (setting decode.max_frames)" in await reason(make.gif(2_000_000))


async def test_an_animated_png_that_claims_endless_frames(reason, make):
    claim = (b"acTL", struct.pack(">II", 1_000_000, 0))
    content = make.png(8, 8, claim, (b"IDAT", make.zeros(8 * 25)))
    assert "more than 50 frames" in await reason(content)


async def test_an_animation_gives_its_first_frame_and_its_count(sandbox, soon, make):
    decoded = await sandbox.decode(make.gif(7), "image/gif", deadline=soon())
    assert (len(decoded.pages), decoded.frames) == (1, 7)


async def test_a_tiff_with_too_many_pages(reason, make):
    assert "more than 20 pages (setting decode.max_pages)" in await reason(make.tiff_chain(500))


async def test_a_tiff_whose_pages_go_in_a_circle(sandbox, soon, make):
    decoded = await sandbox.decode(make.tiff_chain(3, to=0), "image/tiff", deadline=soon())
    assert len(decoded.pages) == 3


async def test_a_pdf_with_too_many_pages(reason, make):
    assert await reason(make.pdf(1000)) == (
        "The PDF has 1000 pages; at most 20 are accepted (setting decode.max_pages); "
        "send it in parts."
    )


async def test_a_pdf_with_a_huge_page(reason, make):
    assert "decode.max_pixels" in await reason(make.pdf(box="0 0 900000 900000"))


async def test_a_locked_pdf(reason, make):
    lock = (
        f"/ID[<{'00' * 16}><{'00' * 16}>]"
        f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{'11' * 32}>/U<{'22' * 32}>>>"
    )
    assert await reason(make.pdf(extra=lock)) == (
        "The PDF is locked with a password; send it without one."
    )


async def test_a_pdf_that_is_garbage(reason):
    assert await reason(b"%PDF-1.7\n" + bytes(1000)) == "The PDF is damaged and cannot be opened."


async def test_a_pdf_that_draws_forever(reason, make):
    assert "processor time" in await reason(make.pdf(content="0 0 m 9 9 l S " * 1_500_000))


async def test_a_pdf_of_endless_text(reason, make):
    words = "BT /F1 1 Tf (" + "x " * 500 + ") Tj ET "
    refusal = await reason(make.pdf(20, content=words * 500))
    assert "text" in refusal or "processor time" in refusal


async def test_a_file_longer_than_is_accepted(reason):
    assert "decode.max_content_bytes" in await reason(b"\xff\xd8\xff" + bytes(33 << 20))


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC .* JPEG"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000 .* JPEG"),
        (b"8BPS\0\1", "Photoshop"),
        (b"PK\x03\x04", "PDF or plain text"),
        (b"%!PS-Adobe", "as PDF"),
        (b"just words", "text"),
        (b"\0\1\2\3", "no known kind"),
        (b"", "no known kind"),
    ],
)
async def test_what_is_not_decoded_is_refused_with_advice(sandbox, soon, content, advice):
    with pytest.raises(DocumentUnreadable, match=advice):
        await sandbox.decode(content, media_types.sniff(content), deadline=soon())


async def test_random_damage_gives_pages_or_a_reason(sandbox, soon, photo, make):
    """Flip bytes all over files of each kind; whatever comes, it is one of the two."""
    rng = np.random.default_rng(4)
    seeds = [photo, make.pdf(2, content="BT /F1 9 Tf (a) Tj ET"), make.tiff_chain(2), make.gif(3)]
    for form in ("PNG", "WEBP", "TIFF", "BMP", "GIF"):
        seeds.append(make.encoded(rng.integers(0, 256, (20, 30, 3), np.uint8), form))
    outcomes = {True: 0, False: 0}
    for seed in seeds:
        for _ in range(6):
            damaged = np.frombuffer(seed, np.uint8).copy()
            places = rng.integers(8, len(damaged), max(1, len(damaged) // 50))
            damaged[places] = rng.integers(0, 256, len(places))
            try:
                decoded = await sandbox.decode(
                    damaged.tobytes(), media_types.sniff(seed), deadline=soon()
                )
            except DocumentUnreadable as exc:
                assert str(exc)
                outcomes[False] += 1
            else:
                assert decoded.pages
                outcomes[True] += 1
    assert all(outcomes.values())


async def test_the_servers_own_memory_stays_small(sandbox, soon, make):
    """A bomb within the limits costs the process that reads it, not this one."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = zlib.compress(bytes(7000 * (1 + 7000 * 3)), 1)
    decoded = await sandbox.decode(
        make.png(7000, 7000, (b"IDAT", body)), "image/png", deadline=soon()
    )
    assert decoded.pages[0].size == (7000, 7000)
    del body
    decoded.release()
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 300
