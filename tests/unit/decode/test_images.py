"""Pictures of every kind become upright RGB pixels."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from absah_sdk import DocumentUnreadable
from absah_server.decode.limits import DecodeLimits


def pixels_of(decoded):
    (page,) = decoded.pages
    return page.pixels.astype(int)


def near(pixels, image, tolerance=0):
    return np.abs(pixels - np.asarray(image.convert("RGB"), int)).max() <= tolerance


@pytest.mark.parametrize(
    ("media_type", "form", "options", "tolerance"),
    [
        ("image/png", "PNG", {}, 0),
        ("image/bmp", "BMP", {}, 0),
        ("image/tiff", "TIFF", {}, 0),
        ("image/tiff", "TIFF", {"compression": "tiff_lzw"}, 0),
        ("image/webp", "WEBP", {"lossless": True}, 0),
        ("image/gif", "GIF", {}, 0),
        ("image/jpeg", "JPEG", {"quality": 95, "subsampling": 0}, 60),
    ],
)
def test_pixels_are_those_of_the_file(decode, saved, scene, media_type, form, options, tolerance):
    assert near(pixels_of(decode(saved(scene, form, **options), media_type)), scene, tolerance)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("media_type", "form", "options"),
    [
        ("image/png", "PNG", {}),
        ("image/webp", "WEBP", {"lossless": True}),
        ("image/tiff", "TIFF", {}),
        ("image/tiff", "TIFF", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_pictures_are_turned_upright(decode, saved, scene, media_type, form, options, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(scene, form, exif=exif, **options)
    decoded = decode(content, media_type)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert decoded.pages[0].orientation == orientation
    assert near(pixels_of(decoded), upright)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_nonsensical_orientation_is_upright(decode, saved, scene, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(saved(scene, "PNG", exif=exif), "image/png")
    assert decoded.pages[0].orientation == 1
    assert near(pixels_of(decoded), scene)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_of_a_png(decode, saved, scene, mode):
    image = scene.convert(mode)
    shown = image.convert("RGB")
    assert near(pixels_of(decode(saved(image, "PNG"), "image/png")), shown)


def test_16_bit_grey_keeps_its_brightness(decode, saved):
    image = Image.fromarray(np.array([[0, 0x80FF, 0xFFFF]], np.uint16))
    assert pixels_of(decode(saved(image, "PNG"), "image/png"))[0, :, 0].tolist() == [0, 128, 255]


def test_floating_point_is_stretched(decode, saved):
    image = Image.fromarray(np.array([[-1.0, 0.0, 1.0, np.nan]], np.float32))
    pixels = pixels_of(decode(saved(image, "TIFF"), "image/tiff"))
    assert pixels[0, :, 0].tolist() == [0, 127, 255, 127]


def test_what_is_transparent_shows_white_paper(decode, saved):
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (200, 0, 0, 255))
    pixels = pixels_of(decode(saved(image, "PNG"), "image/png"))
    assert pixels[0].tolist() == [[255, 255, 255], [200, 0, 0]]


def test_a_transparent_colour_of_a_palette_shows_white_paper(decode, saved, scene):
    image = scene.convert("P", palette=Image.Palette.ADAPTIVE)
    index = image.getpixel((0, 0))
    pixels = pixels_of(decode(saved(image, "PNG", transparency=index), "image/png"))
    assert pixels[0, 0].tolist() == [255, 255, 255]


def test_cmyk_ink_becomes_colour(decode, saved):
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red, green, blue = pixels_of(decode(saved(image, "JPEG"), "image/jpeg"))[8, 8]
    assert red > 240
    assert max(green, blue) < 15


def test_an_ordinary_profile_leaves_the_pixels_as_stored(decode, saved, scene):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert near(pixels_of(decode(saved(scene, "PNG", icc_profile=srgb), "image/png")), scene)


def test_a_profile_that_shows_another_picture_is_applied(decode, saved, scene):
    content = saved(scene, "PNG", icc_profile=channels_swapped())
    pixels = pixels_of(decode(content, "image/png"))
    assert pixels[5, 5, 1] > 200  # stored as red, shown as green
    assert pixels[5, 5, 0] < 120


def test_a_broken_profile_is_passed_over(decode, saved, scene):
    content = saved(scene, "PNG", icc_profile=b"nonsense" * 20)
    assert near(pixels_of(decode(content, "image/png")), scene)


@pytest.mark.parametrize(("gamma", "shown"), [(45455, 128), (100000, 186), (10000, 11)])
def test_a_gamma_that_shows_another_picture_is_applied(decode, saved, gamma, shown):
    image = Image.new("RGB", (4, 4), (128, 128, 128))
    content = with_chunk(saved(image, "PNG"), b"gAMA", struct.pack(">I", gamma))
    assert abs(int(pixels_of(decode(content, "image/png"))[0, 0, 0]) - shown) <= 1


def test_each_page_of_a_tiff_is_a_page(decode, saved, scene):
    turned = scene.rotate(90, expand=True)
    content = saved(scene, "TIFF", save_all=True, append_images=[turned], compression="tiff_lzw")
    decoded = decode(content, "image/tiff")
    assert [page.size for page in decoded.pages] == [(40, 30), (30, 40)]
    assert [page.number for page in decoded.pages] == [1, 2]
    assert near(decoded.pages[1].pixels.astype(int), turned)


def test_a_thumbnail_in_a_tiff_is_no_page(decode, saved, scene):
    thumbnail = scene.resize((8, 6))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    content = saved(scene, "TIFF", save_all=True, append_images=[thumbnail])
    decoded = decode(content, "image/tiff")
    assert [page.size for page in decoded.pages] == [(40, 30)]


@pytest.mark.parametrize(("media_type", "form"), [("image/gif", "GIF"), ("image/webp", "WEBP")])
def test_an_animation_gives_its_first_frame(decode, saved, scene, media_type, form):
    frames = [scene.rotate(angle) for angle in (90, 180, 270)]
    options = {"lossless": True} if form == "WEBP" else {}
    content = saved(scene, form, save_all=True, append_images=frames, **options)
    decoded = decode(content, media_type)
    assert decoded.frames == Image.open(io.BytesIO(content)).n_frames == 4
    assert near(pixels_of(decoded), scene, 2)


def test_the_preview_within_a_camera_jpeg_is_no_frame(decode, saved, scene):
    content = saved(scene, "MPO", save_all=True, append_images=[scene.resize((8, 6))])
    decoded = decode(content, "image/jpeg")
    assert (len(decoded.pages), decoded.frames) == (1, 1)


def test_the_limit_on_pixels_is_exact(decode, saved, scene):
    content = saved(scene, "PNG")
    assert decode(content, "image/png", DecodeLimits(max_pixels=1200)).pages
    with pytest.raises(DocumentUnreadable, match=r"decode\.max_pixels"):
        decode(content, "image/png", DecodeLimits(max_pixels=1199))


def test_limits_must_be_more_than_nothing():
    with pytest.raises(ValueError, match=r"decode\.max_pages must be more than 0"):
        DecodeLimits(max_pages=0)


def channels_swapped() -> bytes:
    """Take the sRGB profile and let its red be green and its green red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """Put a chunk after the header of a PNG."""
    import zlib

    after = 8 + 25
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:after] + chunk + png[after:]
